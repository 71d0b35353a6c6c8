//! Command lines of any kind: they are understood or refused with a message, and never a panic. The
//! modules are the command's own, in the order of its `main.rs`.

#![no_main]
#![allow(dead_code, unused_imports)] // only the reader is called

#[path = "../../crates/copyist-cli/src/argmatch.rs"]
mod argmatch;
#[path = "../../crates/copyist-cli/src/args/mod.rs"]
mod args;
#[path = "../../crates/copyist-cli/src/bench/mod.rs"]
mod bench;
#[path = "../../crates/copyist-cli/src/console.rs"]
mod console;
#[path = "../../crates/copyist-cli/src/count.rs"]
mod count;
#[path = "../../crates/copyist-cli/src/date.rs"]
mod date;
#[path = "../../crates/copyist-cli/src/doctor/mod.rs"]
mod doctor;
#[path = "../../crates/copyist-cli/src/explain.rs"]
mod explain;
#[path = "../../crates/copyist-cli/src/filter.rs"]
mod filter;
#[path = "../../crates/copyist-cli/src/getopt.rs"]
mod getopt;
#[path = "../../crates/copyist-cli/src/guard.rs"]
mod guard;
#[path = "../../crates/copyist-cli/src/invocation.rs"]
mod invocation;
#[path = "../../crates/copyist-cli/src/last_line.rs"]
mod last_line;
#[path = "../../crates/copyist-cli/src/learnt.rs"]
mod learnt;
#[path = "../../crates/copyist-cli/src/manifest.rs"]
mod manifest;
#[path = "../../crates/copyist-cli/src/messages.rs"]
mod messages;
#[path = "../../crates/copyist-cli/src/names.rs"]
mod names;
#[path = "../../crates/copyist-cli/src/narrow.rs"]
mod narrow;
#[path = "../../crates/copyist-cli/src/operands.rs"]
mod operands;
#[path = "../../crates/copyist-cli/src/pages.rs"]
mod pages;
#[path = "../../crates/copyist-cli/src/preflight.rs"]
mod preflight;
#[path = "../../crates/copyist-cli/src/probe/mod.rs"]
mod probe;
#[path = "../../crates/copyist-cli/src/progress.rs"]
mod progress;
#[path = "../../crates/copyist-cli/src/quoting.rs"]
mod quoting;
#[path = "../../crates/copyist-cli/src/report.rs"]
mod report;
#[path = "../../crates/copyist-cli/src/resume.rs"]
mod resume;
#[path = "../../crates/copyist-cli/src/run.rs"]
mod run;
#[path = "../../crates/copyist-cli/src/settings/mod.rs"]
mod settings;
#[path = "../../crates/copyist-cli/src/signals.rs"]
mod signals;
#[path = "../../crates/copyist-cli/src/size.rs"]
mod size;
#[path = "../../crates/copyist-cli/src/streams.rs"]
mod streams;
#[path = "../../crates/copyist-cli/src/suggest.rs"]
mod suggest;
#[path = "../../crates/copyist-cli/src/text_file.rs"]
mod text_file;
#[path = "../../crates/copyist-cli/src/verify.rs"]
mod verify;
#[path = "../../crates/copyist-cli/src/watch.rs"]
mod watch;
#[path = "../../crates/copyist-cli/src/work.rs"]
mod work;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;

use invocation::Face;
use settings::{Environment, Stop};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let face = if first & 1 == 0 { Face::Cp } else { Face::Copy };
    let environment = Environment {
        posixly_correct: first & 2 != 0,
        selinux: first & 4 != 0,
        ..Environment::default()
    };
    // Arguments can't have a NUL in them: here it ends one.
    let arguments = rest
        .split(|byte| *byte == 0)
        .map(|argument| OsString::from_vec(argument.to_vec()));
    let quoter = quoting::Quoter::from_environment();
    let read = settings::read(face, arguments, &environment, quoter, &mut |_| {});
    match read {
        Ok(settings) => assert!(settings.operands.len() <= rest.len() + 1),
        Err(Stop::Syntax(message, _) | Stop::Usage(message) | Stop::Fatal(message)) => {
            assert!(!message.is_empty());
            assert!(!message.contains('\0'));
        }
        Err(_) => {}
    }
});
