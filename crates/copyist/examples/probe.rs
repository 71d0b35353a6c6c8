//! Tells by which methods files can be copied from one directory to another: `probe SOURCE [DESTINATION]`.

use std::env;
use std::process::ExitCode;

use copyist::probe::Probe;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(src) = arguments.next() else {
        eprintln!("usage: probe SOURCE [DESTINATION]");
        return ExitCode::from(2);
    };
    let dst = arguments.next().unwrap_or_else(|| src.clone());
    let probe = match Probe::pair(&src, &dst) {
        Ok(probe) => probe,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let (from, to) = (probe.src.kind.name(), probe.dst.kind.name());
    println!("from {from} to {to}, {}", probe.system);
    for (method, answer) in &probe.methods {
        let code = answer.code.map(|code| format!(", code {}", code.0));
        println!("{method}: {:?}{}", answer.known, code.unwrap_or_default());
    }
    if let Some(choice) = probe.auto.small {
        println!("a small file is copied by {}", choice.method);
    }
    if let Some(choice) = probe.auto.large {
        let (method, threads) = (choice.method, choice.threads);
        println!("a large file is copied by {method}, in {threads} threads");
    }
    for bug in probe.known_bugs() {
        println!("known: {}; {}", bug.what, bug.guard);
    }
    ExitCode::SUCCESS
}
