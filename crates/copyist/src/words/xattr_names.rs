//! The names under which systems store access control lists and owners among the extended attributes.

use crate::words::method::Os;

/// See acl(5) and the kernel's include/uapi/linux/xattr.h.
pub(crate) const ACCESS_ACL: &[u8] = b"system.posix_acl_access";

/// A directory's default ACL, for files created in it.
pub(crate) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

/// Where macOS stores its ACLs (KAUTH_FILESEC_XATTR of xnu's sys/kauth.h). The name is never listed, and only the
/// calls of acl(3) reach it: [`crate::system`] translates this name into those calls.
const MACOS_ACL: &[u8] = b"com.apple.system.Security";

/// The discretionary ACL of a file's security descriptor, with its owner and group. The names are not listed, and no
/// stream can have them: [`crate::system`] translates them into calls.
const WINDOWS_ACL: &[u8] = b":security:access";

const WINDOWS_OWNER: &[u8] = b":security:owner";

/// The name of a file's ACL.
pub(crate) const fn access_acl(os: Os) -> &'static [u8] {
    match os {
        Os::Macos => MACOS_ACL,
        Os::Windows => WINDOWS_ACL,
        Os::Linux | Os::Freebsd => ACCESS_ACL,
    }
}

/// The name of a file's owner, on systems where the owner is not a number.
pub(crate) const fn owner_record(os: Os) -> Option<&'static [u8]> {
    match os {
        Os::Windows => Some(WINDOWS_OWNER),
        Os::Linux | Os::Macos | Os::Freebsd => None,
    }
}

/// The name of a directory's ACL for files created in it. On macOS and Windows a directory has one ACL, in which some
/// entries are inherited.
pub(crate) const fn inherited_acl(os: Os) -> &'static [u8] {
    match os {
        Os::Macos => MACOS_ACL,
        Os::Windows => WINDOWS_ACL,
        Os::Linux | Os::Freebsd => DEFAULT_ACL,
    }
}

/// The ACL of an NFSv4 server, see nfs4_acl(5). Every file there has one; most say no more than the permission bits.
pub(crate) const NFS4_ACL: &[u8] = b"system.nfs4_acl";

/// ACLs that only one type of filesystem stores and accepts: NFSv4 (the kernel's fs/nfs/nfs4proc.c), GPFS, ZFS,
/// richacl, NTFS-3G, and SMB (fs/smb/client/xattr.c: all names with this prefix).
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

/// Whether the name is that of an ACL that only one type of filesystem has.
pub(crate) fn is_of_filesystem(name: &[u8]) -> bool {
    OF_FILESYSTEMS.contains(&name)
        || name.starts_with(b"system.smb3_ntsd_")
        || name.starts_with(b"system.cifs_ntsd_")
}
