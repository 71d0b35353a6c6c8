//! The error codes that a simulated system returns: one meaning, three numberings.

use crate::think::rules::{linux, macos, windows};
use crate::words::code::Code;
use crate::words::method::Os;

/// A system's number for each failure that the simulator knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    pub(super) perm: Code,
    pub(super) noent: Code,
    pub(super) intr: Code,
    pub(super) io: Code,
    pub(super) badf: Code,
    pub(super) again: Code,
    pub(super) nomem: Code,
    pub(super) acces: Code,
    pub(super) exist: Code,
    pub(super) xdev: Code,
    pub(super) notdir: Code,
    pub(super) isdir: Code,
    pub(super) inval: Code,
    pub(super) notempty: Code,
    pub(super) link_loop: Code,
    pub(super) nametoolong: Code,
    pub(super) fbig: Code,
    pub(super) nospc: Code,
    pub(super) dquot: Code,
    pub(super) nosys: Code,
    pub(super) notsup: Code,
    pub(super) spipe: Code,
    pub(super) txtbsy: Code,
    pub(super) mfile: Code,
}

impl Codes {
    pub(super) const fn of(os: Os) -> Codes {
        match os {
            Os::Linux => LINUX,
            // Nothing of FreeBSD's is simulated; its numbers are those of 4.4BSD, as macOS's.
            Os::Macos | Os::Freebsd => MACOS,
            Os::Windows => WINDOWS,
        }
    }

    /// The codes with which a call may plausibly fail: a sweep tries them at every call.
    pub(super) fn plausible(self) -> Vec<Code> {
        let mut codes = vec![
            self.io,
            self.nospc,
            self.dquot,
            self.nomem,
            self.intr,
            self.again,
            self.perm,
            self.acces,
            self.inval,
            self.notsup,
            self.xdev,
            self.nosys,
            self.txtbsy,
            self.badf,
            self.noent,
            self.exist,
            self.mfile,
        ];
        let mut seen = Vec::new();
        codes.retain(|code| {
            let is_new = !seen.contains(code);
            seen.push(*code);
            is_new
        });
        codes
    }

    /// The codes that no other attempt may hide.
    pub(super) fn is_real(self, code: Code) -> bool {
        [self.io, self.nospc, self.dquot, self.nomem].contains(&code)
    }
}

const LINUX: Codes = Codes {
    perm: linux::EPERM,
    noent: linux::ENOENT,
    intr: linux::EINTR,
    io: linux::EIO,
    badf: linux::EBADF,
    again: linux::EAGAIN,
    nomem: linux::ENOMEM,
    acces: linux::EACCES,
    exist: linux::EEXIST,
    xdev: linux::EXDEV,
    notdir: linux::ENOTDIR,
    isdir: linux::EISDIR,
    inval: linux::EINVAL,
    notempty: linux::ENOTEMPTY,
    link_loop: linux::ELOOP,
    nametoolong: linux::ENAMETOOLONG,
    fbig: linux::EFBIG,
    nospc: linux::ENOSPC,
    dquot: linux::EDQUOT,
    nosys: linux::ENOSYS,
    notsup: linux::EOPNOTSUPP,
    spipe: linux::ESPIPE,
    txtbsy: linux::ETXTBSY,
    mfile: linux::EMFILE,
};

/// The numbers without a name in the rules are those of xnu's bsd/sys/errno.h.
const MACOS: Codes = Codes {
    perm: macos::EPERM,
    noent: macos::ENOENT,
    intr: macos::EINTR,
    io: macos::EIO,
    badf: Code(9),
    again: Code(35),
    nomem: macos::ENOMEM,
    acces: macos::EACCES,
    exist: macos::EEXIST,
    xdev: macos::EXDEV,
    notdir: Code(20),
    isdir: Code(21),
    inval: macos::EINVAL,
    notempty: Code(66),
    link_loop: macos::ELOOP,
    nametoolong: Code(63),
    fbig: macos::EFBIG,
    nospc: macos::ENOSPC,
    dquot: macos::EDQUOT,
    nosys: macos::ENOSYS,
    notsup: macos::ENOTSUP,
    spipe: Code(29),
    txtbsy: Code(26),
    mfile: macos::EMFILE,
};

/// Windows has no signals: nothing is interrupted, and `intr` and `again` stand for
/// ERROR_SHARING_VIOLATION, which is as passing. The numbers without a name in the rules are
/// those of winerror.h.
const WINDOWS: Codes = Codes {
    perm: windows::ERROR_PRIVILEGE_NOT_HELD,
    noent: windows::ERROR_FILE_NOT_FOUND,
    intr: windows::ERROR_SHARING_VIOLATION,
    io: windows::ERROR_IO_DEVICE,
    badf: Code(6),
    again: windows::ERROR_SHARING_VIOLATION,
    nomem: windows::ERROR_NOT_ENOUGH_MEMORY,
    acces: windows::ERROR_ACCESS_DENIED,
    exist: windows::ERROR_FILE_EXISTS,
    xdev: windows::ERROR_NOT_SAME_DEVICE,
    notdir: Code(267),
    isdir: windows::ERROR_ACCESS_DENIED,
    inval: windows::ERROR_INVALID_PARAMETER,
    notempty: Code(145),
    link_loop: windows::ERROR_CANT_RESOLVE_FILENAME,
    nametoolong: Code(206),
    fbig: Code(223),
    nospc: windows::ERROR_DISK_FULL,
    dquot: windows::ERROR_DISK_QUOTA_EXCEEDED,
    nosys: windows::ERROR_INVALID_FUNCTION,
    notsup: windows::ERROR_NOT_SUPPORTED,
    spipe: windows::ERROR_INVALID_FUNCTION,
    txtbsy: windows::ERROR_SHARING_VIOLATION,
    mfile: windows::ERROR_TOO_MANY_OPEN_FILES,
};
