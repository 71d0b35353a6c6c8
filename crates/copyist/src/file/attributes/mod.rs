//! Owner, extended attributes, access control lists, permission bits, times and inode flags, set in an order in which
//! none undoes another.
//!
//! A change of owner clears set-id bits and capabilities, so it comes first. Permission bits grant access, so they
//! come after everything that limits it. Times come last.

use crate::run::buffers::Buffers;
use crate::system::filesystem;
use crate::system::{Attribute, Platform, Target};
use crate::think::{rules, times};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::method::Os;
use crate::words::options::{NewMode, Options};
use crate::words::stat::{FileKind, Stat, Timestamp};

mod acls;
mod flags;
mod xattrs;

pub(crate) use crate::words::xattr_names::owner_record;
pub(crate) use acls::says_no_more_than_mode;
pub(crate) use flags::{
    copy_flags, is_compressed, is_elsewhere, keeps_flags, leads_to_dir, reset_flags,
};
pub(crate) use xattrs::names as listed_names;
pub(crate) use xattrs::{Listed, is_never_copied, list, remove_capability};

/// A failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) operation: Operation,
    pub(crate) code: Code,
}

/// The source and the destination of attributes.
pub(crate) struct Attributes<'a, P: Platform> {
    pub(crate) platform: &'a P,
    pub(crate) options: &'a Options,
    pub(crate) src: Target<'a, P>,
    pub(crate) src_stat: &'a Stat,
    pub(crate) dst: Target<'a, P>,
    pub(crate) made: CreatedState,
    pub(crate) buffers: &'a mut Buffers,
}

/// How the destination was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CreatedState {
    /// This run has created it.
    pub(crate) is_new: bool,
    /// An earlier run of this copy has created it: it may have content.
    pub(crate) is_resumed: bool,
    /// Permission bits that it was created without, to be set at the end.
    pub(crate) masked_bits: u32,
    /// Permission bits that it has only during the copy.
    pub(crate) temporary_bits: u32,
    /// It may have inherited an access control list.
    pub(crate) may_have_acl: bool,
    /// What was found of the source's extended attributes before it was created.
    pub(crate) listed: Listed,
    /// The attributes that it was created with by a call that copies them. Those that the options don't keep are
    /// removed.
    pub(crate) brought: InheritedAttributes,
}

/// The source's attributes (permissions, times, extended attributes, flags) that the destination was created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InheritedAttributes {
    Nothing,
    /// Unspecified: some, all or none, by the system's copier.
    Some,
    /// All, except set-id bits and perhaps the owner: it is a clone.
    All,
}

impl CreatedState {
    /// Whether it can contain only what this run has put there.
    pub(crate) fn is_empty(self) -> bool {
        self.is_new && !self.is_resumed
    }

    /// The same, where another call sets the permissions.
    pub(crate) fn without_mode(self) -> CreatedState {
        CreatedState {
            masked_bits: 0,
            temporary_bits: 0,
            may_have_acl: false,
            ..self
        }
    }

    /// It existed before this run.
    pub(crate) fn before() -> CreatedState {
        CreatedState {
            is_new: false,
            is_resumed: false,
            masked_bits: 0,
            temporary_bits: 0,
            may_have_acl: true,
            listed: Listed::Not,
            brought: InheritedAttributes::Nothing,
        }
    }
}

/// The permission bits with which to create something, and what to do about them later.
///
/// Something that will get another owner is created without permissions for others, so that nobody has access
/// meanwhile who will not have it in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CreateMode {
    /// The mode for the call that creates it.
    pub(crate) mode: u32,
    /// To be set at once, where the umask removes bits that the copy itself needs.
    pub(crate) chmod_after: Option<u32>,
    masked_bits: u32,
    temporary_bits: u32,
}

impl CreateMode {
    /// For something of this kind, and a source with these permission bits.
    pub(crate) fn new<P: Platform>(
        platform: &P,
        options: &Options,
        (kind, mode): (FileKind, u32),
    ) -> CreateMode {
        let is_dir = kind == FileKind::Directory;
        let bits = match (options.new_mode, kind) {
            (NewMode::SystemDefault, _) => default_mode(kind, mode),
            (NewMode::FromSource, FileKind::Directory) => mode & 0o1777,
            (NewMode::FromSource, FileKind::Regular) => mode & 0o777,
            // A change of owner clears set-uid, even if the owner stays the same.
            (NewMode::FromSource, _) if options.preserve.owner && platform.is_privileged() => {
                mode & !0o4000
            }
            (NewMode::FromSource, _) => mode,
        };
        let masked_bits = bits
            & match (options.preserve.owner, is_dir) {
                (true, _) => 0o077,
                // The access control list is not known yet.
                (false, false) if options.preserve.mode => 0o077,
                (false, true) => 0o022,
                (false, false) => 0,
            };
        let needed = if is_dir {
            0o700
        } else if platform.os() == Os::Windows
            || (options.preserve.xattrs.wanted() && !platform.is_privileged())
        {
            0o200 // attributes can be set by who may write; on Windows nobody writes to what is read-only
        } else {
            0
        };
        // This takes a few calls, so it is only queried where it matters.
        let umasked = match needed {
            0 => 0,
            needed => platform.umask() & needed,
        };
        let mode = bits & !masked_bits | needed;
        CreateMode {
            mode,
            chmod_after: (umasked != 0).then(|| mode & !platform.umask() | needed),
            masked_bits,
            temporary_bits: needed & !bits | umasked,
        }
    }

    /// The same without masked bits, if nobody has more access meanwhile than in the end: there is no access control
    /// list, and the group, which may be another one in the end, has no more access than others. The owner does not
    /// matter: the process that creates the file has read the source.
    pub(crate) fn at_once(self, listed: Listed, may_have_acl: bool) -> CreateMode {
        let all = self.mode | self.masked_bits;
        let alike = all >> 3 & 0o7 == all & 0o7;
        if !listed.has_no_acl() || may_have_acl || !alike {
            return self;
        }
        self.nameless(false)
    }

    /// The same for a file that has no name until it has all its attributes: no bits are masked, unless it may inherit
    /// an access control list.
    pub(crate) fn nameless(self, may_have_acl: bool) -> CreateMode {
        if may_have_acl {
            return self;
        }
        CreateMode {
            mode: self.mode | self.masked_bits,
            chmod_after: self.chmod_after.map(|mode| mode | self.masked_bits),
            masked_bits: 0,
            temporary_bits: self.temporary_bits,
        }
    }

    /// The same for a new file that replaces none, and gets its name when it is complete. If its permissions need no
    /// change it is created with them: some filesystems refuse every chmod(2).
    pub(crate) fn for_new_draft(self) -> CreateMode {
        if self.masked_bits | self.temporary_bits == 0 {
            self
        } else {
            self.private()
        }
    }

    /// The same for a file that nobody else may read before it is complete.
    pub(crate) fn private(self) -> CreateMode {
        CreateMode {
            mode: self.mode & !0o077,
            chmod_after: self.chmod_after.map(|mode| mode & !0o077),
            masked_bits: self.masked_bits | self.mode & 0o077,
            temporary_bits: self.temporary_bits,
        }
    }

    /// The state of something that was created so.
    pub(crate) fn made(self, may_have_acl: bool) -> CreatedState {
        CreatedState {
            is_new: true,
            is_resumed: false,
            masked_bits: self.masked_bits,
            temporary_bits: self.temporary_bits,
            may_have_acl,
            listed: Listed::Not,
            brought: InheritedAttributes::Nothing,
        }
    }
}

/// The system's default permissions for something of this kind. Other bits than those of permissions come from the
/// source, as in GNU cp.
fn default_mode(kind: FileKind, mode: u32) -> u32 {
    match kind {
        FileKind::Directory => 0o777 | mode & 0o1000,
        FileKind::Regular => 0o666,
        FileKind::Socket => 0o777 | mode & 0o7000,
        _ => 0o666 | mode & 0o7000,
    }
}

/// Whether something has all its attributes since its creation: none of the source's is wanted but permissions, and
/// those were given at its creation.
pub(crate) fn are_all_set<P: Platform>(
    platform: &P,
    options: &Options,
    made: CreatedState,
) -> bool {
    let preserve = &options.preserve;
    let has_mode =
        options.new_mode == NewMode::FromSource && made.masked_bits | made.temporary_bits == 0;
    made.is_new
        && made.brought == InheritedAttributes::Nothing
        && has_mode
        && !(preserve.mode || preserve.owner || preserve.times)
        && !(preserve.xattrs.wanted() || preserve.context.wanted())
        && !xattrs::some_are_always_kept(platform.os())
        && !keeps_flags(platform.os(), options)
}

/// The order in which GNU cp sets attributes; the first failure is the one it would report.
fn told_first(operation: Operation) -> u8 {
    match operation {
        Operation::SetTimes => 0,
        Operation::SetOwner => 1,
        Operation::ListXattrs | Operation::ReadXattrs | Operation::SetXattrs => 2,
        _ => 3,
    }
}

impl<P: Platform> Attributes<'_, P> {
    /// Sets what the options ask for. A failure is reported, and the rest is still set. Failures with the same code
    /// are reported once: a user who may not set the times may not set the mode either. Returns the failure to set the
    /// permissions, reported or not.
    pub(crate) fn apply(&mut self, fail: &mut dyn FnMut(Failed)) -> Option<Failed> {
        let mut failures = Vec::new();
        self.set_all(&mut |failed| failures.push(failed));
        let of_mode = |failed: &&Failed| failed.operation == Operation::SetMode;
        let of_mode = failures.iter().find(of_mode).copied();
        failures.sort_by_key(|failed: &Failed| told_first(failed.operation));
        for (n, failed) in failures.iter().enumerate() {
            if !failures[..n].iter().any(|told| told.code == failed.code) {
                fail(*failed);
            }
        }
        of_mode
    }

    fn set_all(&mut self, fail: &mut dyn FnMut(Failed)) {
        let preserve = self.options.preserve;
        let is_link = self.src_stat.kind == FileKind::Symlink;
        let current = if preserve.owner || preserve.mode {
            self.current().inspect_err(|failed| fail(*failed)).ok()
        } else {
            None
        };
        if current.is_some_and(|now| self.has_all(&now)) {
            return;
        }
        let owned = !preserve.owner
            || match owner_record(self.platform.os()) {
                Some(record) => xattrs::copy_owner(self, record, fail),
                None => self.set_owner(current.as_ref(), fail),
            };
        let acls = xattrs::copy(self, fail);
        if !is_link {
            self.set_mode(current.as_ref(), owned, acls, fail);
        }
        self.set_times(fail);
    }

    /// Whether an existing entry has all of it already: then a second run over an unchanged tree changes nothing, not
    /// even the time of the last status change.
    fn has_all(&mut self, now: &Stat) -> bool {
        let (src, preserve) = (self.src_stat, &self.options.preserve);
        !self.made.is_new
            && preserve.mode
            && preserve.owner
            && preserve.times
            && self.platform.os() == Os::Linux // elsewhere the names don't tell of all lists
            && (src.uid, src.gid, src.mode) == (now.uid, now.gid, now.mode)
            && self.has_times(now)
            && xattrs::has_none(self, self.src)
            && xattrs::has_none(self, self.dst)
    }

    /// Whether something has the source's times, as far as its filesystem stores them.
    fn has_times(&self, now: &Stat) -> bool {
        let (accessed, modified) = (self.src_stat.accessed, self.src_stat.modified);
        if (accessed, modified) == (now.accessed, now.modified) {
            return true;
        }
        if !times::may_be(modified, now.modified) {
            return false;
        }
        let kind = match self.dst {
            Target::Open(handle) => self.platform.volume(handle).map(|it| it.kind),
            Target::Named(at) => Ok(filesystem::kind_at(self.platform, at, now.id.volume)),
        };
        kind.is_ok_and(|kind| {
            times::is_modified_as(modified, now, kind) && times::is_accessed_as(accessed, now, kind)
        })
    }

    fn set_times(&self, fail: &mut dyn FnMut(Failed)) {
        let src = self.src_stat;
        let brought = self.made.brought;
        let (accessed, modified, created) = match self.options.preserve.times {
            // A clone has the creation time already.
            true if brought == InheritedAttributes::All => (src.accessed, src.modified, None),
            true => (src.accessed, src.modified, src.created),
            false if brought == InheritedAttributes::Nothing => return,
            false => {
                let now = Timestamp::now();
                (now, now, Some(now))
            }
        };
        let times = Attribute::Times { accessed, modified };
        self.set(times, Operation::SetTimes)
            .unwrap_or_else(&mut *fail);
        // After the other times: a modification time before the creation time would move that (HFS+ and APFS).
        if let Some(created) = created
            && let Err(failed) = self.set(Attribute::Created(created), Operation::SetTimes)
            && !self.is_not_permitted(failed.code)
        {
            fail(failed);
        }
    }

    /// What stat reports of the destination now.
    fn current(&self) -> Result<Stat, Failed> {
        match self.dst {
            Target::Open(handle) => self.platform.stat_open(handle),
            Target::Named(at) => self.platform.stat(at, false),
        }
        .map_err(|code| Failed {
            operation: Operation::StatDestination,
            code,
        })
    }

    fn set(&self, attribute: Attribute, operation: Operation) -> Result<(), Failed> {
        self.platform
            .set(self.dst, attribute)
            .map_err(|code| Failed { operation, code })
    }

    /// Sets the source's owner and group; returns whether the file has them now.
    fn set_owner(&mut self, current: Option<&Stat>, fail: &mut dyn FnMut(Failed)) -> bool {
        let (uid, gid) = (self.src_stat.uid, self.src_stat.gid);
        // A change of owner by a user clears set-id bits, even if it changes nothing: see chown(2).
        let keeps_set_id = |now: &Stat| {
            now.mode & 0o6000 == 0
                || now.kind == FileKind::Directory
                || self.platform.is_privileged()
        };
        if current.is_some_and(|now| now.uid == uid && now.gid == gid && keeps_set_id(now)) {
            return true;
        }
        self.restrict(current, fail);
        let both = Attribute::Owner {
            uid: Some(uid),
            gid: Some(gid),
        };
        let Err(failed) = self.set(both, Operation::SetOwner) else {
            return true;
        };
        if self.platform.is_privileged() || !self.is_not_permitted(failed.code) {
            fail(failed);
            return false;
        }
        // A process that may not set another owner may still be a member of the group.
        let group = Attribute::Owner {
            uid: None,
            gid: Some(gid),
        };
        if let Err(failed) = self.set(group, Operation::SetOwner)
            && !self.is_not_permitted(failed.code)
        {
            fail(failed);
        }
        false
    }

    /// Restricts an existing file before its owner changes: until its permissions are set, at most its old and new
    /// owner have access.
    fn restrict(&self, current: Option<&Stat>, fail: &mut dyn FnMut(Failed)) {
        let Some(now) = current else { return };
        let safe = now.mode & self.src_stat.mode & 0o700;
        let is_link = self.src_stat.kind == FileKind::Symlink;
        if !self.made.is_new && self.options.preserve.mode && !is_link && safe != now.mode {
            self.set(Attribute::Mode(safe), Operation::SetMode)
                .unwrap_or_else(fail);
        }
    }

    fn set_mode(
        &mut self,
        current: Option<&Stat>,
        owned: bool,
        acls: xattrs::Acls,
        fail: &mut dyn FnMut(Failed),
    ) {
        if self.options.preserve.mode {
            // Set-id bits refer to the owner: without the owner they are not kept.
            let mode = self.src_stat.mode & if owned { 0o7777 } else { 0o0777 };
            if !self.was_made_with(mode, current, &acls) {
                self.change_mode(mode).unwrap_or_else(&mut *fail);
            }
            if self.options.preserve.acl {
                acls::set(self, acls, fail);
            }
            return;
        }
        if self.made.is_new && self.options.new_mode == NewMode::SystemDefault {
            return self.set_default_mode(current, fail);
        }
        if self.made.brought != InheritedAttributes::Nothing {
            let mode = self.src_stat.mode & 0o777 & !self.platform.umask();
            return self.change_mode(mode).unwrap_or_else(&mut *fail);
        }
        let CreatedState {
            is_new,
            masked_bits,
            temporary_bits,
            ..
        } = self.made;
        let given = match masked_bits {
            0 => 0,
            masked_bits => masked_bits & !self.platform.umask(),
        };
        if is_new && given | temporary_bits != 0 {
            // The change of owner may have cleared set-id bits.
            let current = current.filter(|now| now.mode & 0o6000 == 0);
            let now = current.copied().map_or_else(|| self.current(), Ok);
            now.and_then(|now| {
                let mode = now.mode & !temporary_bits | given;
                self.change_mode(mode)
            })
            .unwrap_or_else(fail);
        }
    }

    /// Sets the permission bits. If that is refused, and they are as wanted already, it is no failure: some
    /// filesystems refuse every chmod(2).
    fn change_mode(&self, mode: u32) -> Result<(), Failed> {
        let result = self.set(Attribute::Mode(mode), Operation::SetMode);
        match result {
            Err(_) if self.current().is_ok_and(|now| now.mode == mode) => Ok(()),
            result => result,
        }
    }

    /// Whether a new file has these permission bits since its creation. (A change of owner clears only set-id bits,
    /// with which nothing is created.)
    fn was_made_with(&self, mode: u32, current: Option<&Stat>, acls: &xattrs::Acls) -> bool {
        self.made.is_new
            && (self.made.listed.has_no_acl() || acls.say_nothing_of_access())
            && !self.made.may_have_acl
            && self.made.brought == InheritedAttributes::Nothing
            && mode & 0o7000 == 0
            && current.is_some_and(|now| now.mode == mode)
    }

    /// Sets the system's default permissions, independent of the source and the directory.
    fn set_default_mode(&mut self, current: Option<&Stat>, fail: &mut dyn FnMut(Failed)) {
        let all = default_mode(self.src_stat.kind, self.src_stat.mode);
        if self.made.masked_bits | self.made.temporary_bits != 0 || self.made.may_have_acl {
            let now = current.copied().map_or_else(|| self.current(), Ok);
            now.and_then(|now| {
                // A directory inherits its group and the set-group-ID bit.
                let inherited = match now.kind {
                    FileKind::Directory => now.mode & 0o2000,
                    _ => 0,
                };
                let mode = all & !self.platform.umask() | inherited;
                self.change_mode(mode)
            })
            .unwrap_or_else(&mut *fail);
        }
        if self.made.may_have_acl {
            acls::remove_access(self).unwrap_or_else(fail);
        }
    }

    fn is_not_permitted(&self, code: Code) -> bool {
        rules::is_not_permitted(self.platform.os(), code)
            || rules::is_unsupported(self.platform.os(), code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_loses_is_given_at_once() {
        let masked_bits = |mode: u32| CreateMode {
            mode: mode & !0o077,
            chmod_after: None,
            masked_bits: mode & 0o077,
            temporary_bits: 0,
        };
        let opened = |mode, listed, may_have_acl| masked_bits(mode).at_once(listed, may_have_acl);
        for mode in [0o644, 0o755, 0o600, 0o666] {
            let at_once = opened(mode, Listed::NoAcl, false);
            assert_eq!((at_once.mode, at_once.masked_bits), (mode, 0), "{mode:o}");
            let unsupported = Listed::Unsupported(Code(95));
            assert_eq!(opened(mode, unsupported, false), at_once, "{mode:o}");
            for listed in [Listed::Not, Listed::Acl, Listed::Failed(Code(5))] {
                assert_eq!(opened(mode, listed, false), masked_bits(mode), "{mode:o}");
            }
            assert_eq!(opened(mode, Listed::NoAcl, true), masked_bits(mode));
        }
        for mode in [0o640, 0o664, 0o604] {
            let kept = opened(mode, Listed::NoAcl, false);
            assert_eq!(
                kept,
                masked_bits(mode),
                "{mode:o}: the group may be another"
            );
        }
    }
}
