//! The command `copyist`, and by the name `cp` a replacement for GNU cp.

#![forbid(unsafe_code)]

mod argmatch;
mod args;
mod console;
mod count;
mod explain;
mod filter;
mod getopt;
mod invocation;
mod last_line;
mod manifest;
mod messages;
mod names;
mod narrow;
mod operands;
mod pages;
mod preflight;
mod progress;
mod quoting;
mod report;
mod run;
mod settings;
mod signals;
mod verify;
mod watch;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use crate::console::Console;
use crate::invocation::{Face, Invocation};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    // "cp.exe" too.
    let code = if Path::new(&called).file_stem() == Some(OsStr::new("cp")) {
        run::run(Face::Cp, Invocation::by_name(&called), arguments)
    } else {
        let command = arguments.next();
        match command.as_deref().and_then(OsStr::to_str) {
            Some("cp") => run::run(Face::Cp, Invocation::subcommand("cp"), arguments),
            Some("copy") => run::run(Face::Copy, Invocation::subcommand("copy"), arguments),
            Some("verify") => verify::run(arguments),
            Some("completions") => pages::completions(arguments),
            Some("man") => pages::man(arguments),
            _ => top(command),
        }
    };
    ExitCode::from(code)
}

/// `copyist` without a command.
fn top(argument: Option<OsString>) -> u8 {
    let console = Console::new(Invocation::by_name(OsStr::new("copyist")));
    let text = match argument.as_deref().and_then(OsStr::to_str) {
        Some("--help" | "-h" | "help") => args::copyist_command().render_help().to_string(),
        Some("--version" | "-V") => format!("copyist {}\n", env!("CARGO_PKG_VERSION")),
        _ => {
            match argument {
                Some(argument) => {
                    let argument = quoting::Quoter::from_environment().always(argument);
                    console.error(&format!("unknown command {argument}"));
                }
                None => console.error("missing command"),
            }
            console.try_help();
            return 1;
        }
    };
    console.out(text.as_bytes());
    if console.finish_telling() { 0 } else { 1 }
}
