//! Copies one file, and shows how far it is: `progress SOURCE DESTINATION`.

use std::env;
use std::fs;
use std::process::ExitCode;

use copyist::Copier;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [src, dst] = &arguments[..] else {
        eprintln!("usage: progress SOURCE DESTINATION");
        return ExitCode::from(2);
    };
    let size = fs::metadata(src).map_or(0, |metadata| metadata.len());
    let copier = Copier::new().on_progress(move |progress| {
        let percent = progress.bytes() * 100 / size.max(1);
        eprintln!("{} of {size} bytes, {percent} %", progress.bytes());
    });
    match copier.copy(src, dst) {
        Ok(report) => {
            for attempt in report.attempts() {
                let (method, bytes) = (attempt.method(), attempt.bytes());
                println!("{method}: {bytes} bytes in {:?}", attempt.elapsed());
            }
            let (cloned, holes) = (report.cloned(), report.holes());
            println!(
                "{} bytes, {cloned} of them cloned, {holes} in holes",
                report.bytes()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
