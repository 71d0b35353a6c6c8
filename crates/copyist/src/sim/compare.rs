//! Whether a copy has the attributes that the options ask for.

use std::path::{Path, PathBuf};

use super::faults::Call;
use super::oracle::{Trial, relative};
use super::snapshot::Seen;
use super::sweep::{Failure, Outcome};
use crate::think::rules;
use crate::words::method::Os;
use crate::words::options::{Make, NewMode, Reflink, Want};
use crate::words::stat::FileKind;
use crate::words::xattr_names::{access_acl, owner_record};

/// What is wrong with the attributes of a copy, except for those that may be lost silently.
pub(super) fn wrong_attributes(
    trial: &Trial<'_>,
    src: &Seen,
    old: Option<&Seen>,
    now: &Seen,
) -> Option<String> {
    let options = &trial.scenario.options;
    if options.make != Make::Copy || trial.scenario.foreign {
        return None;
    }
    let preserve = options.preserve;
    let privileged = trial.scenario.sim.world().privileged;
    let owned = (src.stat.uid, src.stat.gid) == (now.stat.uid, now.stat.gid);
    let excused = Excused::by(trial);
    // Where an owner is a security record, setting it fails like setting one.
    let owner_excused = owner_record(trial.scenario.os()).is_some() && excused.xattrs;
    if preserve.owner && !owned && privileged && !owner_excused {
        return Some(format!("owned by {}:{}", now.stat.uid, now.stat.gid));
    }
    let is_link = src.stat.kind == FileKind::Symlink;
    // What replaces a file by its clone keeps what that file keeps when it is written into.
    let replaces = options.reflink == Reflink::Always && trial.scenario.os() == Os::Macos
        || options.atomic.wanted();
    let made = old.is_none_or(|old| old.stat.id != now.stat.id && !replaces);
    let umask = trial.scenario.sim.world().umask;
    let wanted = match (preserve.mode, made) {
        (true, _) if owned || !preserve.owner => src.stat.mode,
        (true, _) => src.stat.mode & 0o777,
        (false, true) if src.stat.kind == FileKind::Directory => src.stat.mode & 0o1777 & !umask,
        (false, true) => src.stat.mode & 0o777 & !umask,
        (false, false) => old.map_or(0, |old| old.stat.mode),
    };
    let says_mode = preserve.mode || options.new_mode == NewMode::FromSource;
    // If the destination is reported missing, a new file is created.
    let as_new = options.atomic.wanted() && now.stat.mode == src.stat.mode & 0o777 & !umask;
    if !is_link && says_mode && now.stat.mode != wanted && !as_new {
        return Some(format!("mode {:o} instead of {wanted:o}", now.stat.mode));
    }
    // A file that was read for nothing, or read as the copy for another name, has a new access time.
    let Outcome {
        failures, no_links, ..
    } = trial.outcome;
    let in_vain = !failures.is_empty() || !no_links.is_empty() || options.journal.is_some();
    let times = |seen: &Seen| {
        let read = if in_vain { src } else { seen };
        (seen.stat.modified, read.stat.accessed)
    };
    if preserve.times && times(now) != times(src) {
        return Some(format!(
            "times {:?} instead of {:?}",
            times(now),
            times(src)
        ));
    }
    if src.stat.device != now.stat.device {
        return Some(format!("device {:x}", now.stat.device));
    }
    if preserve.flags && src.flags != now.flags && !excused.flags {
        return Some(format!("flags {:x} instead of {:x}", now.flags, src.flags));
    }
    let is_apple = trial.scenario.os() == Os::Macos;
    if is_apple && made && !preserve.flags && now.flags != 0 && !excused.flags {
        return Some(format!("flags {:x} that nobody wanted", now.flags));
    }
    if is_apple && preserve.times && now.stat.created != src.stat.created && !excused.created {
        return Some(format!("made at {:?}", now.stat.created));
    }
    if excused.xattrs {
        return None;
    }
    if is_apple
        && made
        && let Some(wrong) = wrong_xattrs_of_macos(trial, src, now)
    {
        return Some(wrong);
    }
    wrong_xattrs(trial, &excused, src, now)
}

fn wrong_xattrs(trial: &Trial<'_>, excused: &Excused, src: &Seen, now: &Seen) -> Option<String> {
    let preserve = trial.scenario.options.preserve;
    let os = trial.scenario.os();
    for name in src.xattrs.keys().chain(now.xattrs.keys()) {
        let is_acl = name.starts_with(b"system.posix_acl") || name == access_acl(os);
        let wanted = if is_acl {
            preserve.keeps_acl()
        } else {
            preserve.xattrs.wanted()
        };
        let may_have_more = !is_acl && !src.xattrs.contains_key(name);
        // On macOS and Windows some are content.
        let is_content = os == Os::Windows || name.starts_with(b"com.apple.");
        let is_missed = !now.xattrs.contains_key(name) && !is_acl && !is_content;
        if is_missed && excused.values {
            continue;
        }
        if wanted && !may_have_more && src.xattrs.get(name) != now.xattrs.get(name) {
            let (name, value) = (String::from_utf8_lossy(name), now.xattrs.get(name));
            return Some(format!("{name} is {value:?}"));
        }
    }
    None
}

/// What every copy on macOS keeps, and what none keeps that was not wanted.
fn wrong_xattrs_of_macos(trial: &Trial<'_>, src: &Seen, now: &Seen) -> Option<String> {
    let acl = access_acl(Os::Macos);
    let kept = |name: &[u8]| {
        [
            &b"com.apple.ResourceFork"[..],
            b"com.apple.FinderInfo",
            b"com.apple.quarantine",
        ]
        .contains(&name)
    };
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    for (name, value) in &src.xattrs {
        if kept(name) && now.xattrs.get(name) != Some(value) {
            return Some(format!("{} is lost", text(name)));
        }
    }
    let wanted = trial.scenario.options.preserve.xattrs.wanted();
    let mut extra = now.xattrs.keys().filter(|name| *name != acl);
    extra
        .find(|name| !wanted && !kept(name))
        .map(|name| format!("{} was not wanted", text(name)))
}

impl Trial<'_> {
    /// Whether the copy under this name was read as far as it had to be: no report or error says otherwise.
    pub(super) fn is_checked(&self, dst: &Path) -> bool {
        let is_here = |it: &Failure| it.dst.as_deref().map(relative).as_deref() == Some(dst);
        let failures = &self.outcome.failures;
        !failures
            .iter()
            .any(|it| it.is_about_checking() && is_here(it))
    }
}

/// What a failed call excuses silently: the volume or the process can't keep that attribute.
struct Excused {
    xattrs: bool,
    /// The value of an attribute could not be read.
    values: bool,
    flags: bool,
    created: bool,
}

impl Excused {
    fn by(trial: &Trial<'_>) -> Excused {
        let os = trial.scenario.os();
        let mut excused = Excused {
            xattrs: false,
            values: false,
            flags: false,
            created: false,
        };
        for (call, code) in trial.failed_calls() {
            let unsupported = rules::is_unsupported(os, code);
            let not_permitted =
                rules::is_not_permitted(os, code) || rules::is_access_denied(os, code);
            let is_xattr = matches!(
                call,
                Call::XattrNames | Call::Xattr | Call::SetXattr | Call::RemoveXattr
            );
            excused.xattrs |= is_xattr && (unsupported || not_permitted);
            let is_must = trial.scenario.options.preserve.xattrs == Want::Required;
            excused.values |= call == Call::Xattr && !is_must;
            excused.created |= call == Call::SetCreated && (unsupported || not_permitted);
            excused.flags |= call == Call::Flags && unsupported;
        }
        excused
    }
}

/// Whether a name of this file could not be made a link: then there are several copies.
pub(super) fn has_copies(trial: &Trial<'_>, src: &Path, pairs: &[(PathBuf, PathBuf)]) -> bool {
    let id = |path: &Path| trial.before[path].stat.id;
    let is_one = |dst: &Path| pairs.iter().any(|it| it.1 == dst && id(&it.0) == id(src));
    let mut copies = trial.outcome.no_links.iter();
    copies.any(|(path, _)| is_one(&relative(path)))
}
