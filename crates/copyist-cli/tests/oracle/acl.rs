//! The extended attributes whose values have a format of the kernel's: POSIX ACLs and file capabilities.

/// The attribute that holds a file's access ACL.
pub(crate) const ACCESS: &str = "system.posix_acl_access";
/// The attribute that holds the ACL which new entries of a directory inherit.
pub(crate) const DEFAULT: &str = "system.posix_acl_default";

/// A valid ACL with named users and groups; `seed` chooses the permissions.
///
/// The format is linux/posix_acl_xattr.h: version 2, then (tag, permissions, id) in little endian.
pub(crate) fn sample(seed: u32) -> Vec<u8> {
    const NO_ID: u32 = u32::MAX;
    let (user_obj, user, group_obj, group, mask, other) = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20);
    let perm = |shift: u32| u16::try_from((seed >> shift) & 7).unwrap_or(0);
    let entries: [(u16, u16, u32); 7] = [
        (user_obj, perm(0) | 4, NO_ID),
        (user, perm(3), 1000),
        (user, perm(6), 65534),
        (group_obj, perm(9), NO_ID),
        (group, perm(12), 12_345),
        (mask, perm(15), NO_ID),
        (other, perm(18), NO_ID),
    ];
    let mut value = 2_u32.to_le_bytes().to_vec();
    for (tag, perm, id) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(perm.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

/// The value of security.capability for `cap_net_bind_service=ep` (linux/capability.h, revision 2).
pub(crate) fn capability() -> Vec<u8> {
    let (revision_2, effective) = (0x0200_0000_u32, 1_u32);
    let words = [revision_2 | effective, 1 << 10, 0, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
