//! `copyist completions SHELL` and `copyist man [COMMAND]`: for packages, from the same tables
//! as the reader of command lines.

use std::ffi::OsString;
use std::io;

use clap::Command;
use clap_complete::Shell;

use crate::args::copyist_command;
use crate::output::console::Console;
use crate::process::invocation::Invocation;
use crate::words::quoting::Quoter;
use crate::words::suggest::{did_you_mean, nearest};

/// Writes a shell's completions.
pub(crate) fn completions(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let console = Console::new(Invocation::subcommand("completions"));
    let code = match (arguments.next(), arguments.next()) {
        (Some(help), None) if help == "--help" => {
            console.out(b"Usage: copyist completions bash|zsh|fish|powershell|elvish\n");
            0
        }
        (Some(shell), None) => match shell.to_str().map(str::parse::<Shell>) {
            Some(Ok(shell)) => {
                let mut text = Vec::new();
                clap_complete::generate(shell, &mut copyist_command(), "copyist", &mut text);
                console.out(&text);
                0
            }
            _ => {
                let shell = Quoter::from_environment().always(shell);
                let known = "bash, zsh, fish, powershell and elvish";
                console.error(&format!("unknown shell {shell}; known are {known}"));
                1
            }
        },
        _ => {
            console.error("one shell is needed: bash, zsh, fish, powershell or elvish");
            1
        }
    };
    if console.finish_or_report() { code } else { 1 }
}

/// Writes the man page of copyist, or of one of its commands.
pub(crate) fn man(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let console = Console::new(Invocation::subcommand("man"));
    let name = arguments.next();
    let code = match (&name, arguments.next()) {
        (Some(help), None) if help == "--help" => {
            console.out(b"Usage: copyist man [COMMAND]\n");
            0
        }
        (_, None) => match find(name.as_ref()) {
            Some(command) => match page(command) {
                Ok(text) => {
                    console.out(&text);
                    0
                }
                Err(error) => {
                    console.error(&format!("cannot write the page: {error}"));
                    1
                }
            },
            None => {
                unknown_command(&console, name.unwrap_or_default());
                1
            }
        },
        _ => {
            console.error("one command at most");
            1
        }
    };
    if console.finish_or_report() { code } else { 1 }
}

/// Reports an unknown command, with a suggestion.
pub(crate) fn unknown_command(console: &Console, name: OsString) {
    let all = copyist_command();
    let names = all.get_subcommands().map(Command::get_name);
    let meant = name.to_str().and_then(|name| nearest(name, names));
    let name = Quoter::from_environment().always(name);
    console.error(&format!("unknown command {name}"));
    if let Some(meant) = meant {
        console.error(&did_you_mean(meant));
    }
}

fn find(name: Option<&OsString>) -> Option<Command> {
    let all = copyist_command();
    let Some(name) = name else { return Some(all) };
    let found = all.get_subcommands().find(|it| *name == it.get_name());
    let page = format!("copyist-{}", name.to_str()?);
    found.map(|command| command.clone().display_name(page))
}

/// A page in the order of man-pages(7). Its synopsis is the usage of the help, which does not list
/// all options.
fn page(mut command: Command) -> io::Result<Vec<u8>> {
    command = command.version(env!("CARGO_PKG_VERSION"));
    let usage = command.clone().render_usage().to_string();
    let title = command.get_display_name().unwrap_or(command.get_name());
    let title = title.to_ascii_uppercase();
    let man = clap_mangen::Man::new(command).title(title);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    text.extend_from_slice(b".SH SYNOPSIS\n.nf\n");
    for line in usage.lines() {
        let line = line.trim_start_matches("Usage:").trim().replace('-', "\\-");
        text.extend_from_slice(format!("{line}\n").as_bytes());
    }
    text.extend_from_slice(b".fi\n");
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    man.render_subcommands_section(&mut text)?;
    man.render_extra_section(&mut text)?;
    man.render_version_section(&mut text)?;
    Ok(text)
}
