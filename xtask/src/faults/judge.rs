//! What must be true after a run, whichever call failed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::calls::Call;
use super::run::{Ended, Ran};
use super::scenario::{Keeps, Known};
use super::tree::{Kind, Picture, Seen};

/// A run, and what it left.
pub(super) struct Trial<'a> {
    pub(super) known: &'a Known,
    pub(super) call: &'a Call,
    pub(super) effect: &'a str,
    /// All calls fail, and not only one.
    pub(super) is_every: bool,
    pub(super) ran: &'a Ran,
    pub(super) src: &'a Picture,
    pub(super) dst: &'a Picture,
}

/// How a run that is as it should be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    /// All is copied.
    Copied,
    /// Something is not, which was said.
    Told,
}

impl Trial<'_> {
    /// What is wrong with it, if anything.
    pub(super) fn judge(&self) -> Result<Good, String> {
        let code = match self.ran.ended {
            Ended::Code(code @ (0 | 1)) => code,
            Ended::Code(code) => return Err(format!("exit code {code}")),
            Ended::Signal(signal) => return Err(format!("ended by signal {signal}")),
            Ended::Hung => return Err("hangs".to_owned()),
        };
        if self.ran.stderr.contains("panicked") {
            return Err("panics".to_owned());
        }
        if *self.src != self.known.src {
            return Err("the source has changed".to_owned());
        }
        self.check_messages(code)?;
        let names: BTreeSet<&PathBuf> = self.src.keys().chain(self.dst.keys()).collect();
        for name in names {
            let (src, dst) = (self.src.get(name), self.dst.get(name));
            self.check_entry(code, name, src, dst)?;
        }
        Ok(if code == 0 { Good::Copied } else { Good::Told })
    }

    /// Every line names the program, and each message a cause; one that fails has a message, if there
    /// is a call left to write it with.
    fn check_messages(&self, code: i32) -> Result<(), String> {
        let mut lines = self.ran.stderr.lines();
        let is_mute = self.call.name == "write" && self.is_every;
        if code == 1 && self.ran.stderr.is_empty() && !is_mute {
            return Err("fails without a word".to_owned());
        }
        match lines.find(|line| !line.starts_with("copyist cp: ")) {
            Some(line) => Err(format!("says {line:?}")),
            None => Ok(()),
        }
    }

    fn check_entry(
        &self,
        code: i32,
        name: &Path,
        src: Option<&Seen>,
        dst: Option<&Seen>,
    ) -> Result<(), String> {
        let old = self.known.old.get(name);
        let Some(src) = src else {
            return self.check_stranger(name, dst);
        };
        let told = code == 1 && self.is_named(name);
        let Some(dst) = dst else {
            return match (told, old) {
                // With a backup, or removed first, it was to make room.
                (true, _) => Ok(()),
                (false, _) => Err(format!(
                    "{} is missing, and nothing is said",
                    name.display()
                )),
            };
        };
        if dst.kind == src.kind {
            let is_whole = match self.known.scenario.keeps {
                Keeps::Content => true,
                Keeps::All => self.has_all(src, dst),
            };
            return match is_whole || told {
                true => Ok(()),
                false => Err(format!("{}: other attributes", name.display())),
            };
        }
        // A read that returns 0 is believed to be the end, and the observer is warned.
        if self.effect == "retval=0" && self.says_changed(name) {
            return Ok(());
        }
        if !told {
            return Err(format!("{} is wrong, and nothing is said", name.display()));
        }
        let is_old = old.is_some_and(|old| old.kind == dst.kind);
        // What was there is written into, as by GNU cp; what is made and can't be finished goes,
        // where it can be taken away.
        if is_old || old.is_some() || self.call.name == "unlinkat" {
            Ok(())
        } else {
            Err(format!("{} is wrong, and was left", name.display()))
        }
    }

    /// Nothing is made but copies, and backups of what was there.
    fn check_stranger(&self, name: &Path, dst: Option<&Seen>) -> Result<(), String> {
        let Some(dst) = dst else { return Ok(()) };
        let text = name.to_string_lossy();
        let kept = text
            .split_once(".~")
            .and_then(|(before, _)| self.known.old.get(Path::new(before)));
        match kept {
            Some(old) if old.kind == dst.kind => Ok(()),
            _ => Err(format!("{text} was made")),
        }
    }

    fn has_all(&self, src: &Seen, dst: &Seen) -> bool {
        let mut dst = dst.clone();
        // Where there are no access control lists, none can be kept: see acl_get_fd(3). An attribute
        // that is gone when it is read was taken away meanwhile.
        let has_none = self.effect.ends_with("EOPNOTSUPP") || self.effect.ends_with("ENODATA");
        if self.call.is_about_xattrs() && (has_none || !self.must_keep_xattrs()) {
            dst.xattrs.clone_from(&src.xattrs);
            if matches!(src.kind, Kind::File(_)) {
                dst.mode = src.mode; // an access control list shows in the group's bits
            }
        }
        if self.says_copied() {
            (dst.first, dst.links) = (src.first.clone(), src.links);
        }
        *src == dst
    }

    /// A name that could not be made a link is a copy, and a warning says so.
    fn says_copied(&self) -> bool {
        let warned = |line: &str| {
            line.contains("hard link became a copy: ")
                || line.contains("hard links became copies: ")
        };
        self.call.name == "linkat" && self.ran.stderr.lines().any(warned)
    }

    fn must_keep_xattrs(&self) -> bool {
        let mut arguments = self.known.scenario.arguments();
        arguments.any(|argument| argument.contains("xattr"))
    }

    /// Whether a message names it, or a directory that it is in.
    fn is_named(&self, name: &Path) -> bool {
        let says = |path: &Path| {
            let path = path.to_string_lossy();
            let slash = if path.is_empty() { "" } else { "/" };
            ["src", "dst"]
                .iter()
                .any(|root| self.ran.stderr.contains(&format!("{root}{slash}{path}'")))
        };
        // A file may be reported by any of its names.
        let first = self.src.get(name).map(|seen| &seen.first);
        let mut names = self
            .src
            .iter()
            .filter(|(_, seen)| Some(&seen.first) == first);
        names.any(|(name, _)| name.ancestors().any(says))
            || name.ancestors().any(says)
            || self.is_about_everything()
    }

    fn says_changed(&self, name: &Path) -> bool {
        let warned =
            |line: &str| line.contains("warning: 'src/") && line.contains("' changed while");
        self.is_named(name) && self.ran.stderr.lines().any(warned)
    }

    /// It could not even begin.
    fn is_about_everything(&self) -> bool {
        self.dst == &self.known.old
    }
}
