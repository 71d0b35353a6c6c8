//! The command lines that copyist understands, each one table. The reader of command lines, the
//! help, the man page and the completions all come from it, so that they can't differ.

use clap::builder::Command;
use clap::{Arg, ArgAction};

use crate::getopt::Flag;
use crate::getopt::Takes::{self, Nothing, Optional, Required};
use crate::invocation::Invocation;

/// What the options of cp mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cp {
    Archive,
    AttributesOnly,
    Backup,
    Context,
    CopyContents,
    Debug,
    Dereference,
    DereferenceOperands,
    Force,
    Help,
    Interactive,
    Jobs,
    KeepDirectorySymlink,
    Link,
    Links,
    Method,
    NoClobber,
    NoDereference,
    NoPreserve,
    NoTargetDirectory,
    OneFileSystem,
    Parents,
    Preserve,
    Progress,
    Recursive,
    Reflink,
    RemoveDestination,
    Report,
    Sparse,
    StripTrailingSlashes,
    Suffix,
    SymbolicLink,
    TargetDirectory,
    Update,
    Verbose,
    Version,
}

const WHAT: &str = "What to copy";
const EXISTING: &str = "What to do with an existing destination";
const KEEP: &str = "What to keep";
const HOW: &str = "How to copy";
const WHERE: &str = "Where to";
const TELL: &str = "What to tell";

/// An option of GNU cp.
const fn gnu(
    id: Cp,
    short: &'static str,
    long: &'static [&'static str],
    takes: Takes,
    group: &'static str,
    help: &'static str,
) -> Flag<Cp> {
    Flag {
        id,
        short,
        long,
        takes,
        group,
        help,
        ours: false,
    }
}

/// An option of copyist's own.
const fn ours(
    id: Cp,
    long: &'static [&'static str],
    takes: Takes,
    group: &'static str,
    help: &'static str,
) -> Flag<Cp> {
    Flag {
        id,
        short: "",
        long,
        takes,
        group,
        help,
        ours: true,
    }
}

/// In GNU's order: it is the order in which a message lists what an abbreviation could mean.
#[rustfmt::skip] // one option, one line: a table
pub(crate) const CP: &[Flag<Cp>] = &[
    gnu(Cp::Archive, "a", &["archive"], Nothing, WHAT, "Copy all of a tree: same as -dR --preserve=all"),
    gnu(Cp::AttributesOnly, "", &["attributes-only"], Nothing, WHAT, "Don't copy the data, only the attributes"),
    gnu(Cp::Backup, "", &["backup"], Optional("CONTROL"), EXISTING, "Keep what is replaced under another name; CONTROL: none, numbered, existing (numbered if there are numbered ones, else simple; the default) or simple. $VERSION_CONTROL is used without it"),
    gnu(Cp::Backup, "b", &[], Nothing, EXISTING, "Like --backup, but takes no CONTROL"),
    gnu(Cp::CopyContents, "", &["copy-contents"], Nothing, WHAT, "With -R, copy what special files (FIFOs, devices) contain instead of making them anew"),
    gnu(Cp::Debug, "", &["debug"], Nothing, TELL, "Explain how each file is copied; implies -v"),
    gnu(Cp::Dereference, "L", &["dereference"], Nothing, WHAT, "Follow all symbolic links in SOURCE"),
    gnu(Cp::Force, "f", &["force"], Nothing, EXISTING, "Remove a destination that can't be opened, and try again"),
    gnu(Cp::Interactive, "i", &["interactive"], Nothing, EXISTING, "Ask before replacing (overrides an earlier -n)"),
    gnu(Cp::Link, "l", &["link"], Nothing, HOW, "Make hard links instead of copies"),
    gnu(Cp::NoClobber, "n", &["no-clobber"], Nothing, EXISTING, "Silently skip existing files (overrides an earlier -i); see also --update"),
    gnu(Cp::NoDereference, "P", &["no-dereference"], Nothing, WHAT, "Follow no symbolic link in SOURCE (the default with -R)"),
    gnu(Cp::NoPreserve, "", &["no-preserve"], Required("LIST"), KEEP, "Don't keep these attributes"),
    gnu(Cp::NoTargetDirectory, "T", &["no-target-directory"], Nothing, WHERE, "DEST is never a directory to copy into"),
    gnu(Cp::OneFileSystem, "x", &["one-file-system"], Nothing, WHAT, "Stay on the filesystem of each SOURCE"),
    gnu(Cp::Parents, "", &["parents", "path"], Nothing, WHERE, "Use the full name of SOURCE below DIRECTORY"),
    gnu(Cp::Preserve, "", &["preserve"], Optional("LIST"), KEEP, "Keep these attributes: a list of mode (with access control lists), ownership, timestamps, links, context, xattr and all; the default is mode,ownership,timestamps"),
    gnu(Cp::Preserve, "p", &[], Nothing, KEEP, "Same as --preserve=mode,ownership,timestamps"),
    gnu(Cp::Links, "d", &[], Nothing, WHAT, "Same as --no-dereference --preserve=links"),
    gnu(Cp::DereferenceOperands, "H", &[], Nothing, WHAT, "Follow the symbolic links that are named as SOURCE"),
    gnu(Cp::Recursive, "Rr", &["recursive"], Nothing, WHAT, "Copy directories with all that is in them"),
    gnu(Cp::RemoveDestination, "", &["remove-destination"], Nothing, EXISTING, "Remove each existing destination before opening it"),
    gnu(Cp::Sparse, "", &["sparse"], Required("WHEN"), HOW, "Holes: auto keeps those of the source (the default), always makes holes of all long runs of zeros, never fills them"),
    gnu(Cp::Reflink, "", &["reflink"], Optional("WHEN"), HOW, "Clones, which share the data until one side is changed: auto where possible (the default), always or fail (the same as --reflink alone), never"),
    gnu(Cp::StripTrailingSlashes, "", &["strip-trailing-slashes"], Nothing, WHERE, "Remove trailing slashes from each SOURCE"),
    gnu(Cp::Suffix, "S", &["suffix"], Required("SUFFIX"), EXISTING, "Make backups, with this suffix instead of $SIMPLE_BACKUP_SUFFIX or ~"),
    gnu(Cp::SymbolicLink, "s", &["symbolic-link"], Nothing, HOW, "Make symbolic links instead of copies"),
    gnu(Cp::TargetDirectory, "t", &["target-directory"], Required("DIRECTORY"), WHERE, "Copy all SOURCEs into DIRECTORY"),
    gnu(Cp::Update, "", &["update"], Optional("WHICH"), EXISTING, "Which existing files are replaced: all, none (skip), none-fail (each is an error), older (than the source; the same as --update alone)"),
    gnu(Cp::Update, "u", &[], Nothing, EXISTING, "Same as --update=older"),
    gnu(Cp::Verbose, "v", &["verbose"], Nothing, TELL, "Name each file that is copied"),
    gnu(Cp::KeepDirectorySymlink, "", &["keep-directory-symlink"], Nothing, EXISTING, "Copy into existing symbolic links to directories"),
    gnu(Cp::Context, "", &["context"], Optional("CONTEXT"), KEEP, "Accepted; copyist does not set SELinux contexts"),
    gnu(Cp::Context, "Z", &[], Nothing, KEEP, "Accepted, as --context"),
    gnu(Cp::Help, "", &["help"], Nothing, TELL, "Show this help"),
    gnu(Cp::Version, "", &["version"], Nothing, TELL, "Show the version"),
    ours(Cp::Jobs, &["jobs"], Required("N"), HOW, "Copy up to N files at a time (one if -v, -i or --debug ask for order)"),
    ours(Cp::Method, &["method"], Required("LIST"), HOW, "Allow only these methods: clone, copy-range, system-copy, sendfile, direct, read-write (those that this system has)"),
    ours(Cp::Progress, &["progress"], Optional("WHEN"), TELL, "Show bytes, files, rate and time left on standard error: always (the same as --progress alone), auto if that is a terminal, never (the default)"),
    ours(Cp::Report, &["report"], Required("FILE"), TELL, "Write what was done to FILE (- for standard output), one JSON object a line"),
];

/// The command line of cp as clap knows it: for the help, the man page and completions.
pub(crate) fn cp_command(invocation: &Invocation) -> Command {
    let name = invocation.typed();
    command("cp", CP)
        .about("Copy SOURCE to DEST, or several SOURCEs into DIRECTORY.")
        .override_usage(format!(
            "{name} [OPTION]... [-T] SOURCE DEST\n       \
             {name} [OPTION]... SOURCE... DIRECTORY\n       \
             {name} [OPTION]... -t DIRECTORY SOURCE..."
        ))
        .after_help(
            "Long options may be abbreviated, and a value needed by a long option is needed by \
             its letter too.\n\n\
             As a special case, with --force and --backup, a regular file copied onto itself \
             is copied to its backup's name.\n\n\
             Exit status: 0 if everything was copied, 1 if anything was not, 128 and the \
             signal's number if a signal ended it.",
        )
}

/// The top of the command line: what follows `copyist`.
pub(crate) fn copyist_command() -> Command {
    Command::new("copyist")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Copies files the fastest way the machine can, says which way it took, and loses \
             nothing.",
        )
        .override_usage("copyist COMMAND [OPTION]...")
        .disable_help_subcommand(true)
        .subcommand(
            command("cp", CP).about("Copy files and trees, with the options of GNU cp and more"),
        )
        .after_help(
            "Called by the name cp (as a link or a copy), copyist is cp.\n\
             'copyist cp --help' tells the options.",
        )
}

fn command<I>(name: &'static str, flags: &[Flag<I>]) -> Command {
    // The help has the headings in this order, and each one's options in that of the table.
    let order = [WHAT, WHERE, EXISTING, KEEP, HOW, TELL];
    let args = order
        .into_iter()
        .flat_map(|group| flags.iter().filter(move |flag| flag.group == group))
        .map(arg);
    Command::new(name)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(args)
}

fn arg<I>(flag: &Flag<I>) -> Arg {
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
    match flag.takes {
        Nothing => arg.action(ArgAction::SetTrue),
        // A space would do too, but only "=" is right for all of them.
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
    use super::{CP, copyist_command, cp_command};
    use crate::invocation::Invocation;

    #[test]
    fn clap_accepts_the_tables() {
        cp_command(&Invocation::subcommand("cp")).debug_assert();
        copyist_command().debug_assert();
    }

    #[test]
    fn every_option_is_in_the_help() {
        let help = cp_command(&Invocation::subcommand("cp"))
            .render_help()
            .to_string();
        for flag in CP {
            for letter in flag.short.chars() {
                assert!(help.contains(&format!("-{letter}")), "-{letter}");
            }
            if let Some(long) = flag.long.first() {
                assert!(help.contains(&format!("--{long}")), "--{long}");
            }
        }
        assert!(help.starts_with("Copy SOURCE to DEST"));
        assert!(help.contains("copyist cp [OPTION]... -t DIRECTORY"));
    }
}
