//! Extended attributes, and the access control lists that systems store in them.

use super::{Attributes, Failed, InheritedAttributes};
use crate::run::buffers::Buffers;
use crate::system::{Platform, Target, XattrFailed};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::method::Os;
use crate::words::options::{Preserve, Want};
use crate::words::stat::FileKind;
use crate::words::xattr_names::{ACCESS_ACL, DEFAULT_ACL, NFS4_ACL, is_of_filesystem};

/// Attributes that every copy keeps, whatever the options. On macOS: the resource fork and the Finder's information,
/// which are content for programs that use them, and the quarantine mark, without which a download would open without
/// a warning. On Windows every stream (the mark of a download is one), as all copiers of the system do.
const fn always_kept(os: Os) -> Kept {
    match os {
        Os::Macos => Kept::These(&[
            b"com.apple.ResourceFork",
            b"com.apple.FinderInfo",
            b"com.apple.quarantine",
        ]),
        Os::Windows => Kept::All,
        Os::Linux | Os::Freebsd => Kept::These(&[]),
    }
}

/// Whether there are attributes that every copy keeps.
pub(super) const fn some_are_always_kept(os: Os) -> bool {
    !matches!(always_kept(os), Kept::These([]))
}

enum Kept {
    All,
    These(&'static [&'static [u8]]),
}

impl Kept {
    fn contains(&self, name: &[u8]) -> bool {
        match self {
            Kept::All => true,
            Kept::These(names) => names.contains(&name),
        }
    }
}

const SELINUX: &[u8] = b"security.selinux";

/// Capabilities of a program (capabilities(7)): they belong to its content, and a write clears them.
const CAPABILITY: &[u8] = b"security.capability";

/// Removes the attribute that the kernel removes when other content is written into a file.
pub(crate) fn remove_capability<P: Platform>(
    platform: &P,
    target: Target<'_, P>,
    buffers: &mut Buffers,
) -> Result<(), Failed> {
    if platform.os() != Os::Linux {
        return Ok(()); // there are none
    }
    remove_listed(platform, target, CAPABILITY, &mut buffers.xattr_names).map_err(|code| Failed {
        operation: Operation::SetXattrs,
        code,
    })
}

/// Attributes that are never copied: the start of their names, and the reason. It is the list of
/// xattr.conf(5) of libattr, which GNU cp follows, without `user.Beagle.`, which is a user's.
const NEVER_COPIED: [(&[u8], &str); 7] = [
    (
        b"security.evm",
        "a signature over the inode's number and generation; only the kernel writes it",
    ),
    (
        b"trusted.SGI_ACL_",
        "XFS's own record of an access list, which is copied as system.posix_acl_*",
    ),
    (b"trusted.SGI_CAP_FILE", "IRIX capabilities: XFS's own"),
    (
        b"trusted.SGI_DMI_",
        "handles of a storage manager: XFS's own",
    ),
    (b"trusted.SGI_MAC_FILE", "IRIX labels: XFS's own"),
    (b"xfsroot.", "what XFS kept for itself; obsolete"),
    (b"afs.", "AFS's records of the volume and its access lists"),
];

/// Whether an attribute is never copied.
pub(crate) fn is_never_copied(name: &[u8]) -> bool {
    NEVER_COPIED
        .iter()
        .any(|(start, _)| name.starts_with(start))
}

/// The kinds of access control lists that the source has, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acls {
    pub(super) access: bool,
    pub(super) default: bool,
    /// Lists of a filesystem ([`is_of_filesystem`]): their names are in the buffers.
    pub(super) of_filesystem: bool,
}

impl Acls {
    const NOT_ASKED: Acls = Acls {
        access: true,
        default: true,
        of_filesystem: false,
    };
    pub(super) const NONE: Acls = Acls {
        access: false,
        default: false,
        of_filesystem: false,
    };

    /// Whether none of them can change what permission bits allow.
    pub(super) fn say_nothing_of_access(&self) -> bool {
        !self.access && !self.of_filesystem
    }
}

/// What is known of a source's extended attributes before its copy is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Nothing yet.
    Not,
    /// Not needed: access control lists are not kept.
    Unasked,
    /// Their names are in the buffers; there is an access control list among them.
    Acl,
    /// Their names are in the buffers; there is no access control list among them.
    NoAcl,
    /// The filesystem has no extended attributes, with the code that it returned.
    Unsupported(Code),
    /// They can't be listed, with the reason.
    Failed(Code),
}

impl Listed {
    /// Whether there is no access control list to be kept.
    pub(super) fn has_no_acl(self) -> bool {
        matches!(
            self,
            Listed::Unasked | Listed::NoAcl | Listed::Unsupported(_)
        )
    }
}

/// Lists the source's extended attributes, if permissions are kept and the names show whether there is an access
/// control list. A failure is reported when the attributes are copied.
pub(crate) fn list<P: Platform>(
    platform: &P,
    preserve: &Preserve,
    src: Target<'_, P>,
    buffers: &mut Buffers,
) -> Listed {
    if !preserve.mode || platform.os() != Os::Linux || platform.is_dry() {
        return Listed::Not;
    }
    if !preserve.acl {
        return Listed::Unasked;
    }
    match platform.xattr_names(src, &mut buffers.xattr_names) {
        Err(code) if rules::is_unsupported(platform.os(), code) => {
            return Listed::Unsupported(code);
        }
        Err(code) => return Listed::Failed(code),
        Ok(()) => {}
    }
    let is_acl = |name: &[u8]| name == ACCESS_ACL || is_of_filesystem(name);
    if names(&buffers.xattr_names).any(is_acl) {
        Listed::Acl
    } else {
        Listed::NoAcl
    }
}

/// The names of a list of [`Attributes::xattr_names`](crate::system::Attributes::xattr_names).
pub(crate) fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
}

/// Whether something has no extended attribute that matters, and no access control list.
pub(super) fn has_none<P: Platform>(it: &mut Attributes<'_, P>, target: Target<'_, P>) -> bool {
    let list = &mut it.buffers.xattr_names;
    match it.platform.xattr_names(target, list) {
        Ok(()) => names(list).all(|name| name == SELINUX && !it.options.preserve.context.wanted()),
        Err(code) => rules::is_unsupported(it.platform.os(), code),
    }
}

/// Copies the attributes that the options ask for. Returns the access control lists that were found.
pub(super) fn copy<P: Platform>(it: &mut Attributes<'_, P>, fail: &mut dyn FnMut(Failed)) -> Acls {
    let preserve = it.options.preserve;
    let os = it.platform.os();
    let some_wanted =
        preserve.xattrs.wanted() || preserve.context.wanted() || some_are_always_kept(os);
    // The names also say which access control lists there are.
    let keeps_acls =
        preserve.keeps_acl() && os == Os::Linux && it.src_stat.kind != FileKind::Symlink;
    if !some_wanted && !keeps_acls {
        return Acls::NOT_ASKED;
    }
    let mut names = std::mem::take(&mut it.buffers.xattr_names);
    let listed = match it.made.listed {
        Listed::Not | Listed::Unasked => it.platform.xattr_names(it.src, &mut names),
        Listed::Acl | Listed::NoAcl => Ok(()),
        Listed::Unsupported(code) | Listed::Failed(code) => Err(code),
    };
    let acls = match listed {
        Ok(()) => copy_named(it, &names, fail),
        Err(code) => {
            if some_wanted {
                report(it, preserve.xattrs, Operation::ListXattrs, code, fail);
            }
            if rules::is_unsupported(it.platform.os(), code) {
                Acls::NONE
            } else {
                Acls::NOT_ASKED
            }
        }
    };
    it.buffers.xattr_names = names;
    if matches!(os, Os::Macos | Os::Windows) {
        return Acls::NOT_ASKED; // the names don't show them
    }
    acls
}

fn copy_named<P: Platform>(
    it: &mut Attributes<'_, P>,
    list: &[u8],
    fail: &mut dyn FnMut(Failed),
) -> Acls {
    let mut acls = Acls::NONE;
    for name in names(list) {
        let want = match name {
            ACCESS_ACL => {
                acls.access = true;
                continue;
            }
            DEFAULT_ACL => {
                acls.default = true;
                continue;
            }
            // Set after the permission bits, which would change it.
            _ if it.options.preserve.keeps_acl() && is_of_filesystem(name) => {
                acls.of_filesystem = true;
                continue;
            }
            // It belongs to the permissions, which are not kept.
            NFS4_ACL => continue,
            SELINUX => it.options.preserve.context,
            _ if is_never_copied(name) => continue,
            _ => match it.options.preserve.xattrs {
                Want::No if always_kept(it.platform.os()).contains(name) => Want::BestEffort,
                want => want,
            },
        };
        if !want.wanted() {
            if it.made.brought != InheritedAttributes::Nothing {
                strip(it, name, fail);
            }
        } else if !has_all(it) {
            let is_content = always_kept(it.platform.os()).contains(name);
            copy_one(it, name).unwrap_or_else(|failed| {
                if is_content || !may_be_missed(want, failed) {
                    report(it, want, failed.operation, failed.code, fail);
                }
            });
        }
    }
    acls
}

/// Whether the call that created the destination has copied all of these: a clone has, and so has CopyFileExW.
fn has_all<P: Platform>(it: &Attributes<'_, P>) -> bool {
    match it.made.brought {
        InheritedAttributes::All => true,
        InheritedAttributes::Some => it.platform.os() == Os::Windows,
        InheritedAttributes::Nothing => false,
    }
}

/// Sets the source's owner and group; returns whether the file has them now. A user who may not give files away keeps
/// their copies: as with owners on Unix, that is no failure.
pub(super) fn copy_owner<P: Platform>(
    it: &mut Attributes<'_, P>,
    record: &[u8],
    fail: &mut dyn FnMut(Failed),
) -> bool {
    let (mut wanted, mut now) = (Vec::new(), Vec::new());
    let platform = it.platform;
    let set = platform
        .xattr(it.src, record, &mut wanted)
        .and_then(|_| platform.xattr(it.dst, record, &mut now))
        .and_then(|_| {
            if wanted == now {
                Ok(())
            } else {
                platform.set_xattr(it.dst, record, &wanted)
            }
        });
    match set {
        Ok(()) => true,
        Err(code) => {
            if !it.is_not_permitted(code) {
                fail(Failed {
                    operation: Operation::SetOwner,
                    code,
                });
            }
            false
        }
    }
}

/// Removes what a clone has copied. An attribute that can't be removed (macOS 13 marks files with
/// com.apple.provenance) does no harm.
fn strip<P: Platform>(it: &Attributes<'_, P>, name: &[u8], fail: &mut dyn FnMut(Failed)) {
    if let Err(code) = it.platform.remove_xattr(it.dst, name) {
        report(it, Want::BestEffort, Operation::SetXattrs, code, fail);
    }
}

pub(super) fn copy_one<P: Platform>(it: &mut Attributes<'_, P>, name: &[u8]) -> Result<(), Failed> {
    let buffer = &mut it.buffers.xattr_value;
    // It was removed since its name was read.
    let copied = it.platform.copy_xattr(it.src, it.dst, name, buffer);
    copied.map(|_| ()).map_err(|failed| {
        let (operation, code) = match failed {
            XattrFailed::Reading(code) => (Operation::ReadXattrs, code),
            XattrFailed::Writing(code) => (Operation::SetXattrs, code),
        };
        Failed { operation, code }
    })
}

/// An error that says that the destination can't store an attribute, or that this user may not set it, is a failure
/// only if the attribute was asked for by name.
pub(super) fn report<P: Platform>(
    it: &Attributes<'_, P>,
    want: Want,
    operation: Operation,
    code: Code,
    fail: &mut dyn FnMut(Failed),
) {
    if want == Want::Required || !is_tolerable(it.platform.os(), code) {
        fail(Failed { operation, code });
    }
}

/// Whether a value that can't be read is no failure: as with GNU cp, unless the attribute was asked for by
/// name.
pub(super) fn may_be_missed(want: Want, failed: Failed) -> bool {
    want != Want::Required && failed.operation == Operation::ReadXattrs
}

/// Whether a code only says that the destination can't store an attribute, or that this user may not set it.
pub(super) fn is_tolerable(os: Os, code: Code) -> bool {
    rules::is_unsupported(os, code)
        || rules::is_not_permitted(os, code)
        || rules::is_access_denied(os, code)
}

/// Removes an attribute that may exist. Filesystems refuse the removal of an attribute that does not exist with any
/// code (FUSE above all), so only listed ones are removed. Those that no list shows, as on macOS and Windows, are
/// removed without a check.
pub(super) fn remove_listed<P: Platform>(
    platform: &P,
    target: Target<'_, P>,
    name: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(), Code> {
    let os = platform.os();
    if os == Os::Linux {
        match platform.xattr_names(target, buffer) {
            Ok(()) if !names(buffer).any(|it| it == name) => return Ok(()),
            Err(code) if rules::is_unsupported(os, code) => return Ok(()),
            // What can't be listed may exist.
            Ok(()) | Err(_) => {}
        }
    }
    match platform.remove_xattr(target, name) {
        Err(code) if !rules::is_unsupported(os, code) => Err(code),
        _ => Ok(()),
    }
}
