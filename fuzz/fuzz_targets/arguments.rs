//! Command lines of any kind: they are understood or refused with a message, and never a panic. The
//! modules are the command's own, as its `main.rs` has them.

#![no_main]
#![allow(dead_code, unused_imports)] // only the reader is called

#[path = "../../crates/copyist-cli/src/args/mod.rs"]
mod args;
#[path = "../../crates/copyist-cli/src/copy/mod.rs"]
mod copy;
#[path = "../../crates/copyist-cli/src/output/mod.rs"]
mod output;
#[path = "../../crates/copyist-cli/src/process/mod.rs"]
mod process;
#[path = "../../crates/copyist-cli/src/settings/mod.rs"]
mod settings;
#[path = "../../crates/copyist-cli/src/tools/mod.rs"]
mod tools;
#[path = "../../crates/copyist-cli/src/words/mod.rs"]
mod words;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;

use process::environment::Environment;
use process::invocation::Frontend;
use settings::Stop;
use words::quoting::Quoter;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let frontend = if first & 1 == 0 { Frontend::Cp } else { Frontend::Copy };
    let environment = Environment {
        posixly_correct: first & 2 != 0,
        selinux: first & 4 != 0,
        ..Environment::default()
    };
    // Arguments can't have a NUL in them: here it ends one.
    let arguments = rest
        .split(|byte| *byte == 0)
        .map(|argument| OsString::from_vec(argument.to_vec()));
    let quoter = Quoter::from_environment();
    let read = settings::read(frontend, arguments, &environment, quoter, &mut |_| {});
    match read {
        Ok(settings) => assert!(settings.operands.len() <= rest.len() + 1),
        Err(Stop::Syntax(message, _) | Stop::Usage(message) | Stop::Fatal(message)) => {
            assert!(!message.is_empty());
            assert!(!message.contains('\0'));
        }
        Err(_) => {}
    }
});
