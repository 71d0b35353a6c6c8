//! Access control lists in extended attributes: POSIX lists, and those of one kind of filesystem.

use super::xattrs;
use super::xattrs::{Acls, copy_one, is_tolerable, names, remove_listed};
use super::{Attributes, Failed};
use crate::system::Platform;
use crate::think::rules;
use crate::words::error::Operation;
use crate::words::method::Os;
use crate::words::options::Want;
use crate::words::stat::FileKind;
use crate::words::xattr_names::{
    DEFAULT_ACL, NFS4_ACL, access_acl, inherited_acl, is_of_filesystem,
};

/// Whether a list of a filesystem may be dropped where the destination has none of its kind: the permission bits are
/// equivalent, or the list can't be read. GNU cp 9.10 does so for `system.nfs4_acl`, and for no other.
pub(crate) fn says_no_more_than_mode(name: &[u8], value: &[u8]) -> bool {
    name != NFS4_ACL || !nfs4_says_more(value).unwrap_or(false)
}

/// Whether an NFSv4 list has an entry that permission bits can't express: of another type than "allow" and "deny",
/// with flags, for another principal than owner, group and everyone, or a second one of its type for one of these.
/// `None` if it is not such a list. The format is that of RFC 7530, section 6, as in nfs4_acl(5): big-endian words.
fn nfs4_says_more(value: &[u8]) -> Option<bool> {
    const IS_GROUP: u32 = 0x40; // ACE4_IDENTIFIER_GROUP, which some servers set for GROUP@
    let mut rest = value;
    let entries = word(&mut rest)?;
    let mut seen = [[false; 2]; 3];
    for _ in 0..entries {
        let (kind, flags) = (word(&mut rest)?, word(&mut rest)?);
        let (_mask, who_bytes) = (word(&mut rest)?, word(&mut rest)?);
        let who_bytes = usize::try_from(who_bytes).ok()?;
        let (who, after) = rest.split_at_checked(who_bytes.checked_next_multiple_of(4)?)?;
        rest = after;
        let who = match &who[..who_bytes] {
            b"OWNER@" => 0,
            b"GROUP@" => 1,
            b"EVERYONE@" => 2,
            _ => return Some(true),
        };
        let kind = match kind {
            0 | 1 if flags & !IS_GROUP == 0 => kind as usize,
            _ => return Some(true),
        };
        if std::mem::replace(&mut seen[who][kind], true) {
            return Some(true);
        }
    }
    Some(false)
}

fn word(rest: &mut &[u8]) -> Option<u32> {
    let (word, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*word))
}

/// Gives the destination the source's access control lists, and removes those that it has inherited from its
/// directory.
pub(super) fn set<P: Platform>(
    it: &mut Attributes<'_, P>,
    seen: Acls,
    fail: &mut dyn FnMut(Failed),
) {
    let os = it.platform.os();
    set_one(it, access_acl(os), seen.access).unwrap_or_else(&mut *fail);
    if it.src_stat.kind == FileKind::Directory && inherited_acl(os) != access_acl(os) {
        set_one(it, DEFAULT_ACL, seen.default).unwrap_or_else(&mut *fail);
    }
    if seen.of_filesystem {
        let list = std::mem::take(&mut it.buffers.xattr_names);
        for name in names(&list).filter(|name| is_of_filesystem(name)) {
            set_of_filesystem(it, name, fail);
        }
        it.buffers.xattr_names = list;
    }
}

/// Removes the inherited access list; the default list, which new entries inherit, is kept.
pub(super) fn remove_access<P: Platform>(it: &mut Attributes<'_, P>) -> Result<(), Failed> {
    set_one(it, access_acl(it.platform.os()), false)
}

/// A destination without such lists has the permission bits.
fn set_of_filesystem<P: Platform>(
    it: &mut Attributes<'_, P>,
    name: &[u8],
    fail: &mut dyn FnMut(Failed),
) {
    let Err(failed) = copy_one(it, name) else {
        return;
    };
    let Failed { operation, code } = failed;
    if name != NFS4_ACL {
        // GNU cp treats the others as ordinary attributes.
        let want = match it.options.preserve.xattrs {
            Want::No => Want::BestEffort,
            want => want,
        };
        if !xattrs::may_be_missed(want, failed) {
            xattrs::report(it, want, operation, code, fail);
        }
        return;
    }
    // The value was read into the buffer.
    let is_kept = says_no_more_than_mode(name, &it.buffers.xattr_value);
    if !is_kept || !is_tolerable(it.platform.os(), code) {
        fail(Failed {
            operation: Operation::SetAcl,
            code,
        });
    }
}

fn set_one<P: Platform>(
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
        Ok(true) => match it.platform.set_xattr(it.dst, name, &value) {
            // Every file of Windows has a list, and FAT stores none.
            Err(code) if os == Os::Windows && rules::is_unsupported(os, code) => Ok(()),
            set => set.map_err(failed),
        },
        Err(code) if !rules::is_unsupported(os, code) => Err(failed(code)),
        Ok(false) | Err(_) if it.made.may_have_acl || !it.made.is_new => {
            remove_listed(it.platform, it.dst, name, &mut value).map_err(failed)
        }
        Ok(false) | Err(_) => Ok(()),
    };
    it.buffers.xattr_value = value;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a list of entries: type, flags, principal.
    fn list(entries: &[(u32, u32, &str)]) -> Vec<u8> {
        let mut value = u32::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
        for (kind, flags, who) in entries {
            let len = u32::try_from(who.len()).unwrap();
            for word in [*kind, *flags, 0x12_0081, len] {
                value.extend(word.to_be_bytes());
            }
            value.extend(who.as_bytes());
            value.resize(value.len().next_multiple_of(4), 0);
        }
        value
    }

    #[test]
    fn lists_that_say_no_more_than_permission_bits_are_known() {
        let mode = [(0, 0, "OWNER@"), (0, 0, "GROUP@"), (0, 0, "EVERYONE@")];
        let denying = [(1, 0, "OWNER@"), (0, 0, "OWNER@"), (0, 0x40, "GROUP@")];
        for entries in [&mode[..], &denying, &[]] {
            assert_eq!(nfs4_says_more(&list(entries)), Some(false), "{entries:?}");
        }
        let more: [&[_]; 4] = [
            &[(0, 0, "user@domain")],
            &[(0, 0, "OWNER@"), (0, 0, "OWNER@")],
            &[(0, 0x1, "GROUP@")],
            &[(2, 0, "EVERYONE@")],
        ];
        for entries in more {
            assert_eq!(nfs4_says_more(&list(entries)), Some(true), "{entries:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_not_read_as_one() {
        let whole = list(&[(0, 0, "OWNER@")]);
        for len in 0..whole.len() {
            assert_eq!(nfs4_says_more(&whole[..len]), None, "{len} bytes");
        }
        for value in [&[1, 2, 3, 4][..], &[0xff; 40]] {
            assert!(says_no_more_than_mode(NFS4_ACL, value));
        }
    }
}
