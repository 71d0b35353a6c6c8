//! Copies a file or a tree, reads the copy back, and compares the two then: `verify SOURCE DESTINATION`.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use copyist::hash::HashKind;
use copyist::options::Preserve;
use copyist::verify::{Compare, Difference, Found};
use copyist::{CancelToken, Copier, Error, Event};

struct Print;

impl Found for Print {
    fn difference(&self, path: &Path, difference: &Difference) {
        println!("{}: {difference:?}", path.display());
    }

    fn error(&self, error: &Error) {
        eprintln!("{error}");
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [src, dst] = &arguments[..] else {
        eprintln!("usage: verify SOURCE DESTINATION");
        return ExitCode::from(2);
    };
    let copied = Copier::new()
        .preserve(Preserve::ARCHIVE)
        .hash(HashKind::Blake3)
        .verify(true)
        .on_event(|event| match event {
            Event::File { paths, report } => {
                let hash = report.hash().map(|hash| hash.to_string());
                let dst = paths.dst();
                println!("{}  {}", hash.unwrap_or_default(), dst.display());
            }
            Event::Error(error) => eprintln!("{error}"),
            _ => {}
        })
        .copy_tree(src, dst);
    if let Err(failed) = copied {
        eprintln!("{failed}");
        return ExitCode::FAILURE;
    }
    let compared = Compare::default().run(src, dst, &CancelToken::new(), &Print);
    let (files, differences) = (compared.files, compared.differences);
    println!("{files} files compared, {differences} differences");
    if compared.differences + compared.errors > 0 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
