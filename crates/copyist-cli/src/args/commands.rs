//! The commands as clap has them: for the help, the man pages and the completions.

use clap::builder::Command;
use clap::{Arg, ArgAction, ValueHint};

use super::copy::COPY;
use super::gnu::GNU;
use super::option::{Cp, EXISTING, HOW, KEEP, Opt, REPORT, SAFE, WHAT, WHERE};
use super::own::OWN;
use super::tools::tool_commands;
use super::verify;
use crate::args::getopt::Flag;
use crate::args::getopt::Takes::{Nothing, Optional, Required};
use crate::process::invocation::{Frontend, Invocation};

/// The options that a command takes.
pub(crate) fn flags(frontend: Frontend) -> Vec<&'static Flag<Opt>> {
    let both = GNU.iter().chain(OWN);
    match frontend {
        Frontend::Cp => both.collect(),
        // `copy` does not take an option that only compatibility with GNU needs.
        Frontend::Copy => both
            .filter(|flag| flag.id != Opt::Cp(Cp::Context))
            .chain(COPY)
            .collect(),
    }
}

/// The command line of `cp` or `copy` as clap knows it: for the help, the man page and completions.
pub(crate) fn frontend_command(frontend: Frontend, invocation: &Invocation) -> Command {
    let name = invocation.typed();
    let usage = format!(
        "{name} [OPTION]... [-T] SOURCE DEST\n       \
         {name} [OPTION]... SOURCE... DIRECTORY\n       \
         {name} [OPTION]... -t DIRECTORY SOURCE..."
    );
    let (about, after) = match frontend {
        Frontend::Cp => (
            "Copy SOURCE to DEST, or several SOURCEs into DIRECTORY.",
            "Long options may be abbreviated, and a value needed by a long option is needed by \
             its letter too.\n\n\
             As a special case, with --force and --backup, a regular file copied onto itself \
             is copied to its backup's name.\n\n",
        ),
        Frontend::Copy => (
            "Copy SOURCE to DEST, or several SOURCEs into DIRECTORY: whole trees, with all of their \
             attributes, as cp -a does; with progress on a terminal, and a last line that says what \
             was done.",
            "The options of cp are understood too; what they set wins over what copy sets \
             by itself (--archive and --progress=auto). A SOURCE that is a link to an open file \
             (/dev/stdin, /dev/fd/3) is read, unless -P or -d keeps it a link.\n\n",
        ),
    };
    let exit = "Exit status: 0 if everything was copied, 1 if anything was not, 128 and the \
                signal's number if a signal ended it.";
    command(frontend.name(), &flags(frontend))
        .about(about)
        .override_usage(usage)
        .after_help(format!("{after}{exit}"))
}

/// The top of the command line: what follows `copyist`.
pub(crate) fn copyist_command() -> Command {
    let [cp, copy] = [Frontend::Cp, Frontend::Copy]
        .map(|frontend| frontend_command(frontend, &Invocation::subcommand(frontend.name())));
    Command::new("copyist")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Copies files by the fastest method the system has, reports which one it used, and keeps \
             data and attributes.",
        )
        .override_usage("copyist COMMAND [OPTION]...")
        .disable_help_subcommand(true)
        .subcommand(
            copy.about("Copy files and trees with all their attributes, and report what was done"),
        )
        .subcommand(verify::command())
        .subcommand(cp.about("Copy files and trees, with the options of GNU cp and more"))
        .subcommand(
            Command::new("completions")
                .about("Write shell completions to standard output: bash, zsh, fish, powershell or elvish")
                .arg(Arg::new("SHELL").value_parser(["bash", "zsh", "fish", "powershell", "elvish"])),
        )
        .subcommand(
            Command::new("man")
                .about("Write the man page of copyist, or of a command, to standard output")
                .arg(Arg::new("COMMAND")),
        )
        .subcommands(tool_commands())
        .after_help(
            "Called by the name cp (as a link or a copy), copyist is cp.\n\
             'copyist COMMAND --help' lists the options of a command.",
        )
}

fn command(name: &'static str, flags: &[&Flag<Opt>]) -> Command {
    // The help lists the headings in this order, and the options in the order of the tables.
    let order = [WHAT, WHERE, EXISTING, KEEP, HOW, SAFE, REPORT];
    let args = order
        .into_iter()
        .flat_map(|group| flags.iter().filter(move |flag| flag.group == group))
        .map(|flag| arg(flag));
    // Hidden from the help, which has it in the usage; completions need it.
    let names = Arg::new("NAME")
        .num_args(0..)
        .value_hint(ValueHint::AnyPath)
        .hide(true);
    Command::new(name)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(args)
        .arg(names)
}

fn arg(flag: &Flag<Opt>) -> Arg {
    let mut shorts = flag.short.chars();
    let mut longs = flag.long.iter().copied();
    let (short, long) = (shorts.next(), longs.next());
    let id = long.unwrap_or(flag.short);
    let mut arg = Arg::new(id).help(flag.help).help_heading(flag.group);
    if let Some(short) = short {
        arg = arg.short(short).visible_short_aliases(shorts);
    }
    if let Some(long) = long {
        arg = arg.long(long).aliases(longs);
    }
    if let Required(value) | Optional(value) = flag.takes {
        arg = arg.value_hint(match value {
            "FILE" => ValueHint::FilePath,
            "DIRECTORY" => ValueHint::DirPath,
            _ => ValueHint::Other,
        });
    }
    match flag.takes {
        Nothing => arg.action(ArgAction::SetTrue),
        // A space is accepted too, but "=" is right for all options.
        Required(value) => arg
            .value_name(value)
            .require_equals(long.is_some())
            .action(ArgAction::Append),
        Optional(value) => arg
            .value_name(value)
            .num_args(0..=1)
            .require_equals(true)
            .action(ArgAction::Append),
    }
}

#[cfg(test)]
mod tests {
    use super::{copyist_command, flags, frontend_command};
    use crate::process::invocation::{Frontend, Invocation};

    #[test]
    fn clap_accepts_the_tables() {
        for frontend in [Frontend::Cp, Frontend::Copy] {
            frontend_command(frontend, &Invocation::subcommand(frontend.name())).debug_assert();
        }
        copyist_command().debug_assert();
    }

    #[test]
    fn every_option_is_in_the_help() {
        for frontend in [Frontend::Cp, Frontend::Copy] {
            let help = frontend_command(frontend, &Invocation::subcommand(frontend.name()))
                .render_help()
                .to_string();
            for flag in flags(frontend) {
                for letter in flag.short.chars() {
                    assert!(help.contains(&format!("-{letter}")), "-{letter}");
                }
                if let Some(long) = flag.long.first() {
                    assert!(help.contains(&format!("--{long}")), "--{long}");
                }
            }
            assert!(help.starts_with("Copy SOURCE to DEST"));
            let usage = format!("copyist {} [OPTION]... -t DIRECTORY", frontend.name());
            assert!(help.contains(&usage));
        }
    }
}
