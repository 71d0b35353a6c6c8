//! What an error code means: (system, method, filesystem, code) -> verdict.
//!
//! The tables are data; every rule has a reason. The first rule that matches decides, and the last rule of each
//! method matches every code, so that every code has a verdict.

use crate::words::code::Code;
use crate::words::error::Cause;
use crate::words::error::Error;
use crate::words::error::Operation;
use crate::words::facts::{FsKind, Known, NoLink};
use crate::words::method::{Method, Os};

mod freebsd;
#[cfg(feature = "probe")]
pub(crate) mod known;
pub(crate) mod linux;
pub(crate) mod macos;
pub(crate) mod windows;

/// What to do about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Call again; the number of repetitions is bounded.
    Retry,
    /// Try the next method, from where this one stopped.
    Next,
    /// A real error, to be reported.
    Fatal,
}

/// The scope of a [`Verdict::Next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It applies to these two files only.
    File,
    /// The method can't be used between these two volumes.
    VolumePair,
    /// The method can't be used in this process.
    Process,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) method: Method,
    /// Applies only if source or destination is on this filesystem.
    pub(crate) fs: Option<FsKind>,
    /// `None` matches every code.
    pub(crate) code: Option<Code>,
    /// Applies only if the attempt had not moved any data.
    pub(crate) untouched: bool,
    pub(crate) verdict: Verdict,
    pub(crate) scope: Scope,
    /// The kernel, filesystem or bug that causes the code.
    pub(crate) why: &'static str,
}

impl Rule {
    const fn new(
        method: Method,
        code: Option<Code>,
        verdict: Verdict,
        scope: Scope,
        why: &'static str,
    ) -> Rule {
        Rule {
            method,
            fs: None,
            code,
            untouched: false,
            verdict,
            scope,
            why,
        }
    }

    /// Restricts the rule to a filesystem, and to attempts that had not moved any data.
    const fn on_untouched(mut self, fs: FsKind) -> Rule {
        self.fs = Some(fs);
        self.untouched()
    }

    /// Restricts the rule to attempts that had not moved any data.
    const fn untouched(mut self) -> Rule {
        self.untouched = true;
        self
    }
}

/// The situation in which a code is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) os: Os,
    pub(crate) method: Method,
    pub(crate) src_fs: FsKind,
    pub(crate) dst_fs: FsKind,
    /// The attempt had already moved data.
    pub(crate) touched: bool,
}

/// The table of a system.
pub(crate) fn table(os: Os) -> &'static [Rule] {
    match os {
        Os::Linux => linux::RULES,
        Os::Macos => macos::RULES,
        Os::Freebsd => freebsd::RULES,
        Os::Windows => windows::RULES,
    }
}

/// The rule that applies to a code.
pub(crate) fn judge(situation: Situation, code: Code) -> &'static Rule {
    table(situation.os)
        .iter()
        .find(|rule| {
            rule.method == situation.method
                && rule.code.is_none_or(|it| it == code)
                && rule
                    .fs
                    .is_none_or(|fs| fs == situation.src_fs || fs == situation.dst_fs)
                && !(rule.untouched && situation.touched)
        })
        .unwrap_or(&UNKNOWN)
}

/// For a method that a system's table doesn't have: nothing is known, so the error is reported.
static UNKNOWN: Rule = Rule::new(
    Method::ReadWrite,
    None,
    Verdict::Fatal,
    Scope::File,
    "no rule: an unknown error is a real one",
);

/// Whether the code means that the name does not exist.
pub(crate) fn is_not_found(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::ENOENT,
        Os::Macos | Os::Freebsd => code == macos::ENOENT,
        Os::Windows => {
            code == windows::ERROR_FILE_NOT_FOUND || code == windows::ERROR_PATH_NOT_FOUND
        }
    }
}

/// The code for a name that does not exist.
pub(crate) fn not_found(os: Os) -> Code {
    match os {
        Os::Linux => linux::ENOENT,
        Os::Macos | Os::Freebsd => macos::ENOENT,
        Os::Windows => windows::ERROR_FILE_NOT_FOUND,
    }
}

/// The code for a missing permission.
pub(crate) fn access_denied(os: Os) -> Code {
    match os {
        Os::Linux => linux::EACCES,
        Os::Macos | Os::Freebsd => macos::EACCES,
        Os::Windows => windows::ERROR_ACCESS_DENIED,
    }
}

/// Whether the code means that the name exists already.
pub(crate) fn is_taken(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EEXIST,
        Os::Macos | Os::Freebsd => code == macos::EEXIST,
        Os::Windows => code == windows::ERROR_FILE_EXISTS || code == windows::ERROR_ALREADY_EXISTS,
    }
}

/// The code for a name that exists already.
pub(crate) fn taken(os: Os) -> Code {
    match os {
        Os::Linux => linux::EEXIST,
        Os::Macos | Os::Freebsd => macos::EEXIST,
        Os::Windows => windows::ERROR_FILE_EXISTS,
    }
}

/// Whether the code means that the volume doesn't have the feature (and not that the call failed).
pub(crate) fn is_unsupported(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::EOPNOTSUPP, linux::ENOSYS, linux::ENOTTY].contains(&code),
        Os::Macos | Os::Freebsd => [
            macos::ENOTSUP,
            macos::EOPNOTSUPP,
            macos::ENOSYS,
            macos::ENOTTY,
        ]
        .contains(&code),
        Os::Windows => [
            windows::ERROR_NOT_SUPPORTED,
            windows::ERROR_INVALID_FUNCTION,
            windows::ERROR_CALL_NOT_IMPLEMENTED,
        ]
        .contains(&code),
    }
}

/// Whether an optional call (a reservation, an early write to the device) failed for a reason that affects the data:
/// the volume or the memory is full, or the device failed. With any other code the call was refused, and the copy
/// continues without it.
pub(crate) fn is_data_failure(os: Os, code: Code) -> bool {
    let failed = match os {
        Os::Linux => [linux::EIO, linux::ENOMEM].contains(&code),
        Os::Macos | Os::Freebsd => [macos::EIO, macos::ENOMEM].contains(&code),
        Os::Windows => [
            windows::ERROR_IO_DEVICE,
            windows::ERROR_CRC,
            windows::ERROR_NOT_ENOUGH_MEMORY,
        ]
        .contains(&code),
    };
    failed || is_out_of_room(os, code)
}

/// Whether the code means that the filesystem can't do this to a file, or permits it to no process.
pub(crate) fn is_not_possible(os: Os, code: Code) -> bool {
    is_unsupported(os, code) || is_not_permitted(os, code) || is_access_denied(os, code)
}

/// Whether direct I/O was refused at a transfer, by a filesystem that accepted the flag (CIFS, some FUSE).
pub(crate) fn is_direct_refusal(os: Os, code: Code) -> bool {
    is_invalid_or_unsupported(os, code)
}

/// Whether a write may have been refused because of its offset, by a mount that accepts sequential writes only.
pub(crate) fn is_out_of_sequence(os: Os, code: Code) -> bool {
    let no_offsets = match os {
        Os::Linux => Some(linux::ESPIPE),
        Os::Macos | Os::Freebsd => Some(macos::ESPIPE),
        Os::Windows => None,
    };
    no_offsets == Some(code) || is_invalid_or_unsupported(os, code)
}

/// The code of btrfs for a clone between a copy-on-write file and a NOCOW one.
pub(crate) fn is_nocow_mismatch(os: Os, code: Code) -> bool {
    os == Os::Linux && code == linux::EINVAL
}

/// Whether the code means that a directory can't be flushed, since there is nothing to flush.
pub(crate) fn is_no_flush(os: Os, code: Code) -> bool {
    is_invalid_or_unsupported(os, code)
}

/// Whether a flush failed because the file is open for reading only: Windows requires it to be open for writing.
pub(crate) fn is_no_flush_to_read(os: Os, code: Code) -> bool {
    os == Os::Windows && is_access_denied(os, code)
}

fn is_invalid_or_unsupported(os: Os, code: Code) -> bool {
    let invalid = match os {
        Os::Linux => linux::EINVAL,
        Os::Macos | Os::Freebsd => macos::EINVAL,
        Os::Windows => windows::ERROR_INVALID_PARAMETER,
    };
    code == invalid || is_unsupported(os, code)
}

/// The system's code for a feature that it doesn't have.
pub(crate) fn not_supported(os: Os) -> Code {
    match os {
        Os::Linux => linux::EOPNOTSUPP,
        Os::Macos | Os::Freebsd => macos::ENOTSUP,
        Os::Windows => windows::ERROR_NOT_SUPPORTED,
    }
}

/// Whether the code means that the process, or the volume, may not keep that attribute: cp ignores that unless the
/// attribute was asked for by name. CIFS, exFAT and NTFS-3G return EPERM for every such attribute.
pub(crate) fn is_not_permitted(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EPERM || code == linux::EINVAL,
        Os::Macos | Os::Freebsd => code == macos::EPERM || code == macos::EINVAL,
        Os::Windows => [
            windows::ERROR_ACCESS_DENIED,
            windows::ERROR_INVALID_OWNER,
            windows::ERROR_PRIVILEGE_NOT_HELD,
        ]
        .contains(&code),
    }
}

/// The system's code for a name that can't be removed from its directory.
pub(crate) fn kept_name(os: Os) -> Code {
    match os {
        Os::Linux => linux::EPERM,
        Os::Macos | Os::Freebsd => macos::EPERM,
        Os::Windows => windows::ERROR_ACCESS_DENIED,
    }
}

/// The system's code for a loop of symbolic links.
pub(crate) fn link_loop(os: Os) -> Code {
    match os {
        Os::Linux => linux::ELOOP,
        Os::Macos | Os::Freebsd => macos::ELOOP,
        Os::Windows => windows::ERROR_CANT_RESOLVE_FILENAME,
    }
}

/// Whether the code means a loop of symbolic links.
pub(crate) fn is_link_loop(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::ELOOP,
        Os::Macos | Os::Freebsd => code == macos::ELOOP,
        Os::Windows => code == windows::ERROR_CANT_RESOLVE_FILENAME,
    }
}

/// Whether the code means that a name can't be given to another file, on this filesystem or by this process. The file
/// that has the name may still be writable.
pub(crate) fn is_irreplaceable(os: Os, code: Code) -> bool {
    let table = match os {
        Os::Linux => linux::IRREPLACEABLE,
        Os::Macos | Os::Freebsd => macos::IRREPLACEABLE,
        Os::Windows => windows::IRREPLACEABLE,
    };
    table.iter().any(|(it, _)| *it == code)
}

/// Whether the code means that a file can't lose its name while it is open: vboxsf, Windows servers, FUSE.
pub(crate) fn is_open_elsewhere(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::EBUSY, linux::ETXTBSY].contains(&code),
        Os::Macos | Os::Freebsd => [macos::EBUSY, macos::ETXTBSY].contains(&code),
        Os::Windows => code == windows::ERROR_SHARING_VIOLATION,
    }
}

/// Whether the code may mean that an existing file can be opened for writing only with O_TRUNC: FUSE servers that
/// don't keep the old content of a file being written, such as those of object stores.
pub(crate) fn wants_emptied(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [
            linux::EPERM,
            linux::EACCES,
            linux::EINVAL,
            linux::ENOSYS,
            linux::EOPNOTSUPP,
        ]
        .contains(&code),
        Os::Macos | Os::Freebsd => [
            macos::EPERM,
            macos::EACCES,
            macos::EINVAL,
            macos::ENOSYS,
            macos::ENOTSUP,
            macos::EOPNOTSUPP,
        ]
        .contains(&code),
        Os::Windows => false, // see `Open::WriteEmptied`
    }
}

/// Whether the code means that a signal arrived before anything was done.
pub(crate) fn is_interrupted(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EINTR,
        Os::Macos | Os::Freebsd => code == macos::EINTR,
        Os::Windows => false, // it has no such code
    }
}

/// Whether the code means that no more files can be open, in this process or in the whole system.
pub(crate) fn is_out_of_descriptors(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::EMFILE, linux::ENFILE].contains(&code),
        Os::Macos | Os::Freebsd => [macos::EMFILE, macos::ENFILE].contains(&code),
        Os::Windows => code == windows::ERROR_TOO_MANY_OPEN_FILES,
    }
}

/// Whether the code means that the volume, or the share of it that may be used, is full.
pub(crate) fn is_out_of_room(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::ENOSPC, linux::EDQUOT].contains(&code),
        Os::Macos | Os::Freebsd => [macos::ENOSPC, macos::EDQUOT].contains(&code),
        Os::Windows => [
            windows::ERROR_DISK_FULL,
            windows::ERROR_HANDLE_DISK_FULL,
            windows::ERROR_DISK_QUOTA_EXCEEDED,
        ]
        .contains(&code),
    }
}

/// Why a link could not be made, if the reason lies in the filesystem; the code is from a filesystem of this kind.
pub(crate) fn no_link(os: Os, code: Code, kind: FsKind) -> Option<NoLink> {
    let (too_many, elsewhere, not_permitted) = match os {
        Os::Linux => (linux::EMLINK, linux::EXDEV, linux::EPERM),
        Os::Macos | Os::Freebsd => (macos::EMLINK, macos::EXDEV, macos::EPERM),
        Os::Windows => (
            windows::ERROR_TOO_MANY_LINKS,
            windows::ERROR_NOT_SAME_DEVICE,
            windows::ERROR_INVALID_FUNCTION,
        ),
    };
    // link(2) and symlink(2) return EPERM on a filesystem without links. One with links returns it for a file that
    // must not be changed.
    let has_none = is_unsupported(os, code) || code == not_permitted && kind.links() != Known::Yes;
    match code {
        _ if code == too_many => Some(NoLink::TooMany),
        _ if code == elsewhere => Some(NoLink::Elsewhere),
        _ => has_none.then_some(NoLink::Unsupported(kind)),
    }
}

/// The system's code for a hard or symbolic link on a filesystem without links; `None` if it makes one. macOS stores
/// a symbolic link there as a file in a format of its own.
pub(crate) fn lacks_links(os: Os, kind: FsKind, is_symbolic: bool) -> Option<Code> {
    let none = kind.links() == Known::No && !(os == Os::Macos && is_symbolic);
    none.then_some(match os {
        Os::Linux => linux::EPERM,
        Os::Macos | Os::Freebsd | Os::Windows => not_supported(os),
    })
}

/// Whether the code means that permission is missing.
pub(crate) fn is_access_denied(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EACCES,
        Os::Macos | Os::Freebsd => code == macos::EACCES,
        Os::Windows => code == windows::ERROR_ACCESS_DENIED,
    }
}

impl Error {
    /// Whether the file could not be published in one step while [`crate::options::Atomic::No`], which writes into
    /// the existing file, may succeed.
    pub fn is_not_atomic(&self) -> bool {
        let code = match *self.cause() {
            Cause::System(code) => code,
            Cause::Refused(_) => return false,
        };
        self.operation() == Operation::Replace && is_irreplaceable(self.os(), code)
    }
}

#[cfg(test)]
mod tests;
