//! The command `copyist`, and by the name `cp` a replacement for GNU cp.

#![forbid(unsafe_code)]
#![cfg_attr(all(c_main, not(test)), no_main)]

mod args;
mod copy;
mod output;
mod process;
mod settings;
mod tools;
mod words;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::output::console::Console;
use crate::process::invocation::{Frontend, Invocation};
use crate::tools::{bench, doctor, guard, pages, probe, verify};

#[cfg(all(c_main, not(test)))]
copyist_start::c_main!(run_named);

// indicatif needs it for rates.
#[cfg(c_main)]
copyist_start::c_pow!(libm::pow);

#[cfg(any(not(c_main), test))]
fn main() -> std::process::ExitCode {
    run_named().into()
}

/// Runs the command that the program's name or its first argument asks for.
fn run_named() -> u8 {
    copyist_start::see_placeholders();
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    // "cp.exe" too.
    if Path::new(&called).file_stem() == Some(OsStr::new("cp")) {
        copy::run(Frontend::Cp, Invocation::by_name(&called), arguments)
    } else {
        let command = arguments.next();
        match command.as_deref().and_then(OsStr::to_str) {
            Some("cp") => copy::run(Frontend::Cp, Invocation::subcommand("cp"), arguments),
            Some("copy") => copy::run(Frontend::Copy, Invocation::subcommand("copy"), arguments),
            Some("verify") => verify::run(arguments),
            Some("completions") => pages::completions(arguments),
            Some("man") => pages::man(arguments),
            Some(name @ "probe") => tool(name, arguments, probe::run),
            Some(name @ "bench") => tool(name, arguments, bench::run),
            Some(name @ "doctor") => tool(name, arguments, doctor::run),
            Some(guard::COMMAND) => guard::run(arguments),
            _ => top(command),
        }
    }
}

/// Runs `probe`, `bench` or `doctor`; returns the exit code.
fn tool<T: args::Tool>(
    name: &str,
    arguments: impl Iterator<Item = OsString>,
    run: impl FnOnce(&T, &Console) -> u8,
) -> u8 {
    let console = Console::new(Invocation::subcommand(name));
    let code = match args::read::<T>(arguments) {
        Ok(arguments) => run(&arguments, &console),
        Err(error) => {
            // clap's text goes where clap would print it: help is not an error.
            let text = error.render().to_string();
            if error.use_stderr() {
                console.err_text(&text);
            } else {
                console.out(text.as_bytes());
            }
            u8::try_from(error.exit_code()).unwrap_or(2)
        }
    };
    if console.finish_or_report() { code } else { 1 }
}

/// `copyist` without a command.
fn top(argument: Option<OsString>) -> u8 {
    let console = Console::new(Invocation::by_name(OsStr::new("copyist")));
    let text = match argument.as_deref().and_then(OsStr::to_str) {
        Some("--help" | "-h" | "help") => args::copyist_command().render_help().to_string(),
        Some("--version" | "-V") => format!("copyist {}\n", env!("CARGO_PKG_VERSION")),
        _ => {
            match argument {
                Some(argument) => pages::unknown_command(&console, argument),
                None => console.error("missing command"),
            }
            console.try_help();
            return 1;
        }
    };
    console.out(text.as_bytes());
    if console.finish_or_report() { 0 } else { 1 }
}
