//! The options of GNU cp.

use super::option::{Cp, EXISTING, HOW, KEEP, Opt, REPORT, WHAT, WHERE};
use crate::args::getopt::Flag;
use crate::args::getopt::Takes::{self, Nothing, Optional, Required};

const fn gnu(
    id: Cp,
    short: &'static str,
    long: &'static [&'static str],
    takes: Takes,
    group: &'static str,
    help: &'static str,
) -> Flag<Opt> {
    Flag {
        id: Opt::Cp(id),
        short,
        long,
        takes,
        group,
        help,
        ours: false,
    }
}

/// In GNU's order, in which messages list the possible meanings of an abbreviation.
#[rustfmt::skip] // one option, one line: a table
pub(super) const GNU: &[Flag<Opt>] = &[
    gnu(Cp::Archive, "a", &["archive"], Nothing, WHAT, "Copy all of a tree: same as -dR --preserve=all"),
    gnu(Cp::AttributesOnly, "", &["attributes-only"], Nothing, WHAT, "Don't copy the data, only the attributes"),
    gnu(Cp::Backup, "", &["backup"], Optional("CONTROL"), EXISTING, "Rename what is replaced instead of removing it; CONTROL: none, numbered, existing (numbered if there are numbered ones, else simple; the default) or simple. $VERSION_CONTROL is used without it"),
    gnu(Cp::Backup, "b", &[], Nothing, EXISTING, "Like --backup, but takes no CONTROL"),
    gnu(Cp::CopyContents, "", &["copy-contents"], Nothing, WHAT, "With -R, copy what special files (FIFOs, devices) contain instead of creating them again"),
    gnu(Cp::Debug, "", &["debug"], Nothing, REPORT, "Show how each file is copied; implies -v"),
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
    gnu(Cp::DereferenceOperands, "H", &[], Nothing, WHAT, "Follow symbolic links given as SOURCE"),
    gnu(Cp::Recursive, "Rr", &["recursive"], Nothing, WHAT, "Copy directories and everything in them"),
    gnu(Cp::RemoveDestination, "", &["remove-destination"], Nothing, EXISTING, "Remove each existing destination before opening it"),
    gnu(Cp::Sparse, "", &["sparse"], Required("WHEN"), HOW, "Holes: auto keeps those of the source (the default), always makes holes for long runs of zeros, never fills them"),
    gnu(Cp::Reflink, "", &["reflink"], Optional("WHEN"), HOW, "Clones, which share the data until one side is changed: auto where possible (the default), always or fail (the same as --reflink alone), never"),
    gnu(Cp::StripTrailingSlashes, "", &["strip-trailing-slashes"], Nothing, WHERE, "Remove trailing slashes from each SOURCE"),
    gnu(Cp::Suffix, "S", &["suffix"], Required("SUFFIX"), EXISTING, "Make backups, with this suffix instead of $SIMPLE_BACKUP_SUFFIX or ~"),
    gnu(Cp::SymbolicLink, "s", &["symbolic-link"], Nothing, HOW, "Make symbolic links instead of copies"),
    gnu(Cp::TargetDirectory, "t", &["target-directory"], Required("DIRECTORY"), WHERE, "Copy all SOURCEs into DIRECTORY"),
    gnu(Cp::Update, "", &["update"], Optional("WHICH"), EXISTING, "Which existing files are replaced: all, none (skip), none-fail (each is an error), older (than the source; the same as --update alone)"),
    gnu(Cp::Update, "u", &[], Nothing, EXISTING, "Same as --update=older"),
    gnu(Cp::Verbose, "v", &["verbose"], Nothing, REPORT, "Name each file that is copied"),
    gnu(Cp::KeepDirectorySymlink, "", &["keep-directory-symlink"], Nothing, EXISTING, "Copy into existing symbolic links to directories"),
    gnu(Cp::Context, "", &["context"], Optional("CONTEXT"), KEEP, "Accepted; copyist does not set SELinux contexts"),
    gnu(Cp::Context, "Z", &[], Nothing, KEEP, "Accepted, as --context"),
    gnu(Cp::Help, "", &["help"], Nothing, REPORT, "Show this help"),
    gnu(Cp::Version, "", &["version"], Nothing, REPORT, "Show the version"),
];
