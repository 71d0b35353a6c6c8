//! What the options of a command line mean together: cp's rules on which option wins, which
//! exclude each other, and what the environment adds.
//!
//! What each option does: `gnu.rs` (those of GNU cp), `own.rs` (copyist's own, for `cp` and `copy`),
//! `copy.rs` (those of `copy` alone).

mod copy;
mod gnu;
mod own;
mod values;

use std::ffi::{OsStr, OsString};

use copyist::Options;
use copyist::hash::HashKind;
use copyist::options::{Backup, Follow, Force, Make, NewMode, Reflink, Sparse, Update, Want};

use self::values::choose;
use crate::args::{self, Opt};
use crate::filter::Rule;
use crate::getopt::{Found, Getopt};
use crate::invocation::Face;
use crate::quoting::Quoter;

/// When something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum When {
    #[default]
    Never,
    /// If it goes to a terminal.
    Auto,
    Always,
}

/// A command line that has been understood.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// For the library.
    pub(crate) options: Options,
    /// Sources and, unless `target_directory` is set, the destination.
    pub(crate) operands: Vec<OsString>,
    pub(crate) target_directory: Option<OsString>,
    /// The directory that sources are copied into, once that is known.
    pub(crate) into: Option<OsString>,
    pub(crate) no_target_directory: bool,
    pub(crate) parents: bool,
    pub(crate) strip_trailing_slashes: bool,
    /// `-f` was given (`options.force` may say `RemoveFirst` all the same).
    pub(crate) force: bool,
    pub(crate) verbose: bool,
    pub(crate) debug: bool,
    pub(crate) progress: When,
    pub(crate) report: Option<OsString>,
    /// Where the hashes of what was copied go.
    pub(crate) manifest: Option<OsString>,
    pub(crate) hash: Option<HashKind>,
    /// Which entries of a tree are copied.
    pub(crate) filters: Vec<Rule>,
    pub(crate) quiet: bool,
    /// Change nothing, and say what would be done.
    pub(crate) dry_run: bool,
    /// Look first what stands in the way.
    pub(crate) preflight: bool,
    /// Change nothing, and say how it would be done.
    pub(crate) explain: bool,
    pub(crate) sandbox: When,
    /// Keep a journal, or go on with it.
    pub(crate) resume: bool,
    /// The journal's file, if it is named.
    pub(crate) journal: Option<OsString>,
    /// At the end, say on standard output what was done.
    pub(crate) last_line: bool,
}

impl Settings {
    /// Nothing is to be changed.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run || self.explain
    }
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// A command line that can't be read, and the long option that may have been meant. GNU's getopt names the
    /// program as typed.
    Syntax(String, Option<&'static str>),
    /// A command line that makes no sense; the help is pointed to.
    Usage(String),
    /// Another error.
    Fatal(String),
}

/// What of the environment matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) posixly_correct: bool,
    pub(crate) version_control: Option<OsString>,
    pub(crate) simple_backup_suffix: Option<OsString>,
    pub(crate) selinux: bool,
}

impl Environment {
    /// This process's.
    pub(crate) fn current() -> Environment {
        let exists = |path: &str| std::path::Path::new(path).exists();
        Environment {
            posixly_correct: std::env::var_os("POSIXLY_CORRECT").is_some(),
            version_control: std::env::var_os("VERSION_CONTROL"),
            simple_backup_suffix: std::env::var_os("SIMPLE_BACKUP_SUFFIX"),
            // As libselinux judges: mounted, and configured.
            selinux: exists("/sys/fs/selinux/enforce") && exists("/etc/selinux/config"),
        }
    }
}

const BACKUP: &[(&str, Backup)] = &[
    ("none", Backup::None),
    ("off", Backup::None),
    ("simple", Backup::Simple),
    ("never", Backup::Simple),
    ("existing", Backup::Existing),
    ("nil", Backup::Existing),
    ("numbered", Backup::Numbered),
    ("t", Backup::Numbered),
];

/// What has been read so far. Most options act at once; some only when all have been read.
struct Reader<'a> {
    environment: &'a Environment,
    quoter: Quoter,
    settings: Settings,
    /// Set by the last of the options about links; the default depends on others.
    follow: Option<Follow>,
    /// That option was one that keeps them.
    keeps_links: bool,
    copy_contents: bool,
    no_preserve_mode: bool,
    no_clobber: bool,
    hard_link: bool,
    symbolic_link: bool,
    remove_destination: bool,
    backup: bool,
    backup_control: Option<OsString>,
    backup_suffix: Option<OsString>,
}

/// Reads the arguments that follow the program's name. `warn` is told of what is no error.
pub(crate) fn read(
    face: Face,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    quoter: Quoter,
    warn: &mut dyn FnMut(&str),
) -> Result<Settings, Stop> {
    let mut getopt = Getopt::new(args::flags(face), arguments, environment.posixly_correct);
    let mut reader = Reader::new(environment, quoter);
    if face == Face::Copy {
        reader.copy_defaults();
    }
    while let Some(found) = getopt
        .next()
        .map_err(|it| Stop::Syntax(it.message, it.meant))?
    {
        match found {
            Found::Operand(operand) => reader.settings.operands.push(operand),
            Found::Option { id, value } => match id {
                Opt::Cp(id) => reader.gnu(id, value, warn)?,
                Opt::Own(id) => reader.own(id, value)?,
                Opt::Copy(id) => reader.copy(id, value),
            },
        }
    }
    reader.finish()
}

impl<'a> Reader<'a> {
    fn new(environment: &'a Environment, quoter: Quoter) -> Reader<'a> {
        Reader {
            environment,
            quoter,
            settings: Settings::default(),
            follow: None,
            keeps_links: false,
            copy_contents: false,
            no_preserve_mode: false,
            no_clobber: false,
            hard_link: false,
            symbolic_link: false,
            remove_destination: false,
            backup: false,
            backup_control: None,
            backup_suffix: None,
        }
    }

    fn finish(mut self) -> Result<Settings, Stop> {
        let usage = |message: &str| Err(Stop::Usage(message.to_owned()));
        let options = &mut self.settings.options;
        // The copy must have no hole, so it can't share the source's extents.
        if options.reflink == Reflink::Auto && options.sparse == Sparse::Never {
            options.reflink = Reflink::Never;
        }
        options.make = match (self.hard_link, self.symbolic_link) {
            (true, true) => return usage("cannot make both hard and symbolic links"),
            (true, false) => Make::HardLink,
            (false, true) => Make::Symlink,
            (false, false) => Make::Copy,
        };
        // A link is a way to write to the source from outside of it.
        if options.make == Make::HardLink && self.settings.sandbox != When::Never {
            return usage("--sandbox is mutually exclusive with --link");
        }
        if self.no_clobber {
            options.update = Update::None;
        }
        if self.backup && matches!(options.update, Update::None | Update::NoneFail) {
            return usage("--backup is mutually exclusive with -n or --update=none-fail");
        }
        if options.reflink == Reflink::Always && options.sparse != Sparse::Auto {
            return usage("--reflink can be used only with --sparse=auto");
        }
        if self.backup && self.settings.resume {
            // A file that is copied again would be taken for the old version.
            return usage("cannot combine --backup with --resume");
        }
        self.finish_backup()?;
        self.finish_own();
        self.finish_copy();
        let options = &mut self.settings.options;
        options.follow = self
            .follow
            .unwrap_or(if options.recursive && !self.hard_link {
                Follow::Never
            } else {
                Follow::Always
            });
        options.copy_contents = self.copy_contents || !options.recursive;
        if options.preserve.context == Want::Required && !self.environment.selinux {
            let message = "cannot preserve security context without an SELinux-enabled kernel";
            return Err(Stop::Fatal(message.to_owned()));
        }
        if self.no_preserve_mode && !options.preserve.mode {
            options.new_mode = NewMode::SystemDefault;
        }
        options.force = match (self.remove_destination, self.settings.force) {
            (true, _) => Force::RemoveFirst,
            (false, true) => Force::IfNeeded,
            (false, false) => Force::No,
        };
        options.write_through_dangling = self.environment.posixly_correct;
        options.ordered = self.settings.verbose || options.interactive;
        Ok(self.settings)
    }

    /// Which backups, and their suffix.
    fn finish_backup(&mut self) -> Result<(), Stop> {
        let named = |value: &&OsString| !value.is_empty();
        let options = &mut self.settings.options;
        if self.backup {
            let given = self.backup_control.as_ref().filter(named);
            let variable = self.environment.version_control.as_ref().filter(named);
            options.backup = match (given, variable) {
                (Some(value), _) => choose(self.quoter, "backup type", value, BACKUP)?,
                (None, Some(value)) => choose(self.quoter, "$VERSION_CONTROL", value, BACKUP)?,
                (None, None) => Backup::Existing,
            };
        }
        let suffix = self.backup_suffix.take();
        let suffix = suffix.or_else(|| self.environment.simple_backup_suffix.clone());
        if let Some(suffix) = suffix.filter(|suffix| is_suffix(suffix)) {
            options.backup_suffix = suffix;
        }
        Ok(())
    }
}

/// A suffix must not lead into another directory; GNU takes `~` instead of such a one.
fn is_suffix(suffix: &OsStr) -> bool {
    let bytes = suffix.as_encoded_bytes();
    let starts = bytes.first().is_none_or(|first| *first == b'/');
    !starts && !bytes.windows(2).any(|two| two[0] == b'/' && two[1] != b'/')
}

#[cfg(test)]
mod tests;
