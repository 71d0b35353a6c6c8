//! The names under which systems keep access control lists and owners among the extended attributes.

use crate::words::method::Os;

/// See acl(5) and the kernel's include/uapi/linux/xattr.h.
pub(crate) const ACCESS_ACL: &[u8] = b"system.posix_acl_access";

/// A directory's list for what will be made in it.
pub(crate) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

/// Where macOS keeps its lists (KAUTH_FILESEC_XATTR of xnu's sys/kauth.h). It is never listed, and
/// only the calls of acl(3) reach it: the waist makes them of this name.
const MACOS_ACL: &[u8] = b"com.apple.system.Security";

/// The discretionary list of a file's security descriptor, and its owner and group. Neither is
/// listed, and no stream can be called so: the waist makes them of these names.
const WINDOWS_ACL: &[u8] = b":security:access";

const WINDOWS_OWNER: &[u8] = b":security:owner";

/// The name of a file's access control list.
pub(crate) const fn access_acl(os: Os) -> &'static [u8] {
    match os {
        Os::Macos => MACOS_ACL,
        Os::Windows => WINDOWS_ACL,
        Os::Linux | Os::Freebsd => ACCESS_ACL,
    }
}

/// The name of a file's owner, where that is no number.
pub(crate) const fn owner_record(os: Os) -> Option<&'static [u8]> {
    match os {
        Os::Windows => Some(WINDOWS_OWNER),
        Os::Linux | Os::Macos | Os::Freebsd => None,
    }
}

/// The name of the list by which a directory gives access to what is made in it. On macOS and
/// Windows a directory has one list, of which some entries are inherited.
pub(crate) const fn inherited_acl(os: Os) -> &'static [u8] {
    match os {
        Os::Macos => MACOS_ACL,
        Os::Windows => WINDOWS_ACL,
        Os::Linux | Os::Freebsd => DEFAULT_ACL,
    }
}

/// The access control list of an NFSv4 server, see nfs4_acl(5). Every file there has one: most say no
/// more than the permission bits.
pub(crate) const NFS4_ACL: &[u8] = b"system.nfs4_acl";

/// Lists that one kind of filesystem keeps, and no other takes: NFSv4 (the kernel's fs/nfs/nfs4proc.c),
/// GPFS, ZFS, richacl, NTFS-3G, and SMB (fs/smb/client/xattr.c: all that starts so).
const OF_FILESYSTEMS: [&[u8]; 11] = [
    NFS4_ACL,
    b"system.nfs4acl",
    b"system.nfs4_acl_xdr",
    b"system.nfs4_dacl",
    b"system.nfs4_sacl",
    b"system.richacl",
    b"system.ntfs_acl",
    b"system.cifs_acl",
    b"system.cifs_ntsd",
    b"system.smb3_acl",
    b"system.smb3_ntsd",
];

/// Whether this is an access control list that only one kind of filesystem has.
pub(crate) fn is_of_filesystem(name: &[u8]) -> bool {
    OF_FILESYSTEMS.contains(&name)
        || name.starts_with(b"system.smb3_ntsd_")
        || name.starts_with(b"system.cifs_ntsd_")
}
