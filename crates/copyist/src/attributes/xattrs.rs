//! Extended attributes, and the access control lists that Linux keeps in them.

use super::{Attributes, Failed};
use crate::error::{Code, Operation};
use crate::options::Want;
use crate::platform::{FileKind, Platform};
use crate::rules;

/// See acl(5) and the kernel's include/uapi/linux/xattr.h.
const ACCESS_ACL: &[u8] = b"system.posix_acl_access";
/// A directory's list for what will be made in it.
pub(crate) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";
/// An NFSv4 list, which belongs to the permissions like the others.
const NFS4_ACL: &[u8] = b"system.nfs4_acl";
const SELINUX: &[u8] = b"security.selinux";

/// Never copied, as xattr.conf(5) of libattr has it: signatures of this very inode, and what a
/// filesystem keeps for itself.
const OF_THE_INODE: [&[u8]; 5] = [
    b"security.evm",
    b"trusted.SGI_ACL_FILE",
    b"trusted.SGI_ACL_DEFAULT",
    b"trusted.overlay.",
    b"afs.",
];

/// Which access control lists the source has, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acls {
    access: bool,
    default: bool,
    nfs4: bool,
}

impl Acls {
    const NOT_ASKED: Acls = Acls {
        access: true,
        default: true,
        nfs4: false,
    };
    pub(super) const NONE: Acls = Acls {
        access: false,
        default: false,
        nfs4: false,
    };
}

/// Copies what the options ask for, and answers which access control lists were seen.
pub(super) fn copy<P: Platform>(it: &mut Attributes<'_, P>, fail: &mut dyn FnMut(Failed)) -> Acls {
    let (xattrs, context) = (it.options.preserve.xattrs, it.options.preserve.context);
    if !xattrs.wanted() && !context.wanted() {
        return Acls::NOT_ASKED;
    }
    let mut names = std::mem::take(&mut it.buffers.xattr_names);
    let acls = match it.platform.xattr_names(it.src, &mut names) {
        Ok(()) => copy_named(it, &names, fail),
        Err(code) => {
            report(it, xattrs, Operation::ReadXattrs, code, fail);
            if rules::is_unsupported(it.platform.os(), code) {
                Acls::NONE
            } else {
                Acls::NOT_ASKED
            }
        }
    };
    it.buffers.xattr_names = names;
    acls
}

fn copy_named<P: Platform>(
    it: &mut Attributes<'_, P>,
    names: &[u8],
    fail: &mut dyn FnMut(Failed),
) -> Acls {
    let mut acls = Acls::NONE;
    for name in names
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
    {
        let want = match name {
            ACCESS_ACL => {
                acls.access = true;
                continue;
            }
            DEFAULT_ACL => {
                acls.default = true;
                continue;
            }
            NFS4_ACL => {
                acls.nfs4 = true;
                continue;
            }
            SELINUX => it.options.preserve.context,
            _ if OF_THE_INODE.iter().any(|own| name.starts_with(own)) => continue,
            _ => it.options.preserve.xattrs,
        };
        if want.wanted() {
            copy_one(it, name)
                .unwrap_or_else(|failed| report(it, want, failed.operation, failed.code, fail));
        }
    }
    acls
}

fn copy_one<P: Platform>(it: &mut Attributes<'_, P>, name: &[u8]) -> Result<(), Failed> {
    let mut value = std::mem::take(&mut it.buffers.xattr_value);
    let result = it
        .platform
        .xattr(it.src, name, &mut value)
        .map_err(|code| Failed {
            operation: Operation::ReadXattrs,
            code,
        })
        .and_then(|there| {
            if !there {
                return Ok(()); // removed since its name was read
            }
            it.platform
                .set_xattr(it.dst, name, &value)
                .map_err(|code| Failed {
                    operation: Operation::SetXattrs,
                    code,
                })
        });
    it.buffers.xattr_value = value;
    result
}

/// A failure that only says that the destination can't, or that this user may not, is one only
/// where the attribute was asked for by name.
fn report<P: Platform>(
    it: &Attributes<'_, P>,
    want: Want,
    operation: Operation,
    code: Code,
    fail: &mut dyn FnMut(Failed),
) {
    let os = it.platform.os();
    let tolerable = rules::is_unsupported(os, code)
        || rules::is_not_permitted(os, code)
        || rules::is_access_denied(os, code);
    if want == Want::Must || !tolerable {
        fail(Failed { operation, code });
    }
}

/// Gives the destination the source's access control lists, and takes away those that it got from
/// its directory.
pub(super) fn set_acls<P: Platform>(
    it: &mut Attributes<'_, P>,
    seen: Acls,
    fail: &mut dyn FnMut(Failed),
) {
    set_acl(it, ACCESS_ACL, seen.access).unwrap_or_else(&mut *fail);
    if it.src_stat.kind == FileKind::Directory {
        set_acl(it, DEFAULT_ACL, seen.default).unwrap_or_else(&mut *fail);
    }
    if seen.nfs4 {
        copy_one(it, NFS4_ACL)
            .map_err(|failed| Failed {
                operation: Operation::SetAcl,
                ..failed
            })
            .unwrap_or_else(&mut *fail);
    }
}

/// Takes away what the directory gave; what it gives on to what will be made in it stays.
pub(super) fn remove_access_acl<P: Platform>(it: &mut Attributes<'_, P>) -> Result<(), Failed> {
    set_acl(it, ACCESS_ACL, false)
}

fn set_acl<P: Platform>(
    it: &mut Attributes<'_, P>,
    name: &[u8],
    may_be_there: bool,
) -> Result<(), Failed> {
    let failed = |code| Failed {
        operation: Operation::SetAcl,
        code,
    };
    let mut value = std::mem::take(&mut it.buffers.xattr_value);
    let there = if may_be_there {
        it.platform.xattr(it.src, name, &mut value)
    } else {
        Ok(false)
    };
    let os = it.platform.os();
    let result = match there {
        Ok(true) => it.platform.set_xattr(it.dst, name, &value).map_err(failed),
        Err(code) if !rules::is_unsupported(os, code) => Err(failed(code)),
        Ok(false) | Err(_) if it.made.may_have_acl || !it.made.is_new => {
            match it.platform.remove_xattr(it.dst, name) {
                Err(code) if !rules::is_unsupported(os, code) => Err(failed(code)),
                _ => Ok(()),
            }
        }
        Ok(false) | Err(_) => Ok(()),
    };
    it.buffers.xattr_value = value;
    result
}
