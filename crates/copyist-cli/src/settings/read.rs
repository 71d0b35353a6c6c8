//! Combines the options of a command line by cp's rules: which option wins, which exclude each other, and
//! what the environment adds.

use std::ffi::{OsStr, OsString};

use copyist::options::{Backup, Follow, Force, Make, NewMode, Reflink, Sparse, Update, Want};

use super::choices::choose;
use super::reader::Reader;
use super::values::{Settings, Stop, When};
use crate::args::getopt::{Getopt, Parsed};
use crate::args::{self, Opt};
use crate::process::environment::Environment;
use crate::process::invocation::Frontend;
use crate::words::quoting::Quoter;

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

/// Reads the arguments that follow the program's name. `warn` gets messages that are not errors.
pub(crate) fn read(
    frontend: Frontend,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    quoter: Quoter,
    warn: &mut dyn FnMut(&str),
) -> Result<Settings, Stop> {
    let mut getopt = Getopt::new(
        args::flags(frontend),
        arguments,
        environment.posixly_correct,
    );
    let mut reader = Reader::new(environment, quoter);
    if frontend == Frontend::Copy {
        reader.copy_defaults();
    }
    while let Some(found) = getopt
        .next()
        .map_err(|it| Stop::Syntax(it.message, it.meant))?
    {
        match found {
            Parsed::Operand(operand) => reader.settings.operands.push(operand),
            Parsed::Option { id, value } => match id {
                Opt::Cp(id) => reader.gnu(id, value, warn)?,
                Opt::Own(id) => reader.own(id, value)?,
                Opt::Copy(id) => reader.copy(id, value),
            },
        }
    }
    reader.finish()
}

impl Reader<'_> {
    fn finish(mut self) -> Result<Settings, Stop> {
        let usage = |message: &str| Err(Stop::Usage(message.to_owned()));
        let options = &mut self.settings.options;
        // The copy must not have holes, so it can't share the source's extents.
        if options.reflink == Reflink::Auto && options.sparse == Sparse::Never {
            options.reflink = Reflink::Never;
        }
        options.make = match (self.hard_link, self.symbolic_link) {
            (true, true) => return usage("cannot make both hard and symbolic links"),
            (true, false) => Make::HardLink,
            (false, true) => Make::Symlink,
            (false, false) => Make::Copy,
        };
        // Through a hard link in the destination the sandboxed process could write to the source.
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
            // The partial file of the interrupted copy would become the backup.
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

/// A suffix must not lead into another directory; GNU uses `~` instead of it.
fn is_suffix(suffix: &OsStr) -> bool {
    let bytes = suffix.as_encoded_bytes();
    let starts = bytes.first().is_none_or(|first| *first == b'/');
    !starts && !bytes.windows(2).any(|two| two[0] == b'/' && two[1] != b'/')
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
