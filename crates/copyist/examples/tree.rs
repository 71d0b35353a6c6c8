//! Copies a tree without what has a name that ends so, and stops after a time:
//! `tree SOURCE DESTINATION [EXCLUDED-ENDING [MAX-SECONDS]]`.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use copyist::observer::{FileKind, PathSource};
use copyist::options::Preserve;
use copyist::{CancelToken, Copier, Event, Observer};

struct Filter {
    excluded: Option<String>,
}

impl Observer for Filter {
    fn wants(&self, paths: &dyn PathSource, _: FileKind) -> bool {
        let Some(excluded) = &self.excluded else {
            return true;
        };
        let path = paths.src();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.ends_with(excluded.as_str())
    }

    fn event(&self, event: Event<'_>) {
        match event {
            Event::File { paths, report } => {
                let method = report.method().map_or("no data", |method| method.name());
                println!("{} ({method})", paths.dst().display());
            }
            Event::Warning(warning) => eprintln!("warning: {warning:?}"),
            Event::Error(error) => eprintln!("{error}"),
            _ => {}
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(src), Some(dst)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: tree SOURCE DESTINATION [EXCLUDED-ENDING [MAX-SECONDS]]");
        return ExitCode::from(2);
    };
    let excluded = arguments.next().filter(|ending| !ending.is_empty());
    let max_seconds = arguments.next().and_then(|number| number.parse().ok());

    let cancel = CancelToken::new();
    if let Some(seconds) = max_seconds {
        let cancel = cancel.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(seconds));
            cancel.cancel();
        });
    }
    let copied = Copier::new()
        .preserve(Preserve::ARCHIVE)
        .filtered(true)
        .observer(Arc::new(Filter { excluded }))
        .cancel_token(cancel)
        .copy_tree(src, dst);
    let (summary, code) = match copied {
        Ok(summary) => (summary, ExitCode::SUCCESS),
        Err(failed) => {
            eprintln!("{failed}");
            (*failed.summary(), ExitCode::FAILURE)
        }
    };
    println!(
        "{} files, {} directories, {} bytes in {:?}",
        summary.files, summary.dirs, summary.bytes, summary.elapsed
    );
    code
}
