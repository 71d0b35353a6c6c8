//! What an error code means: (system, method, filesystem, code) -> verdict.
//!
//! The tables are data; every rule says why. The first rule that matches decides, and the last
//! rule of each method matches every code, so that there is always an answer.

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
    /// Call again; the number of times is bounded.
    Retry,
    /// Try the next method, from where this one stopped.
    Next,
    /// A real error: report it.
    Fatal,
}

/// How far a verdict of [`Verdict::Next`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It says something about these two files only.
    File,
    /// The method won't serve between these two volumes.
    VolumePair,
    /// The method won't serve in this process.
    Process,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) method: Method,
    /// Only if source or destination is on this filesystem.
    pub(crate) fs: Option<FsKind>,
    /// `None` matches every code.
    pub(crate) code: Option<Code>,
    /// Only if the attempt had moved nothing yet.
    pub(crate) untouched: bool,
    pub(crate) verdict: Verdict,
    pub(crate) scope: Scope,
    /// The kernel, filesystem or bug behind it.
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

    /// Narrows the rule to a filesystem, and to attempts that had moved nothing.
    const fn on_untouched(mut self, fs: FsKind) -> Rule {
        self.fs = Some(fs);
        self.untouched()
    }

    /// Narrows the rule to attempts that had moved nothing.
    const fn untouched(mut self) -> Rule {
        self.untouched = true;
        self
    }
}

/// The situation that a code is judged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) os: Os,
    pub(crate) method: Method,
    pub(crate) src_fs: FsKind,
    pub(crate) dst_fs: FsKind,
    /// The attempt had already moved something.
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

/// The rule for a code.
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

/// For a method that a system's table doesn't know: nothing can be said, so nothing is hidden.
static UNKNOWN: Rule = Rule::new(
    Method::ReadWrite,
    None,
    Verdict::Fatal,
    Scope::File,
    "no rule: an unknown error is a real one",
);

/// Whether the code says that there is no such name.
pub(crate) fn is_not_found(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::ENOENT,
        Os::Macos | Os::Freebsd => code == macos::ENOENT,
        Os::Windows => {
            code == windows::ERROR_FILE_NOT_FOUND || code == windows::ERROR_PATH_NOT_FOUND
        }
    }
}

/// The code for a name that is not there.
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

/// Whether the code says that the name is taken.
pub(crate) fn is_taken(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EEXIST,
        Os::Macos | Os::Freebsd => code == macos::EEXIST,
        Os::Windows => code == windows::ERROR_FILE_EXISTS || code == windows::ERROR_ALREADY_EXISTS,
    }
}

/// The code for a name that is taken.
pub(crate) fn taken(os: Os) -> Code {
    match os {
        Os::Linux => linux::EEXIST,
        Os::Macos | Os::Freebsd => macos::EEXIST,
        Os::Windows => windows::ERROR_FILE_EXISTS,
    }
}

/// Whether the code says that the volume has no such feature (and not that it failed).
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

/// Whether a call that only makes a copy better (a reservation, an early write to the device) has failed for
/// the data itself: the volume or the memory is full, or the device failed. With any other code the call was
/// refused, and the copy does without.
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

/// Whether a filesystem says that it can't do this to a file, or lets nobody do it.
pub(crate) fn is_not_possible(os: Os, code: Code) -> bool {
    is_unsupported(os, code) || is_not_permitted(os, code) || is_access_denied(os, code)
}

/// Whether direct I/O was refused at a transfer, by a filesystem that took the flag (CIFS, some FUSE).
pub(crate) fn is_direct_refusal(os: Os, code: Code) -> bool {
    is_invalid_or_unsupported(os, code)
}

/// Whether a write may have been refused for its offset, by a mount that takes data in sequence only.
pub(crate) fn is_out_of_sequence(os: Os, code: Code) -> bool {
    let no_offsets = match os {
        Os::Linux => Some(linux::ESPIPE),
        Os::Macos | Os::Freebsd => Some(macos::ESPIPE),
        Os::Windows => None,
    };
    no_offsets == Some(code) || is_invalid_or_unsupported(os, code)
}

/// What btrfs says to a clone between a file that is copied on write and one that is not.
pub(crate) fn is_nocow_mismatch(os: Os, code: Code) -> bool {
    os == Os::Linux && code == linux::EINVAL
}

/// Whether the code says that a directory can't be flushed, since there is nothing to flush.
pub(crate) fn is_no_flush(os: Os, code: Code) -> bool {
    is_invalid_or_unsupported(os, code)
}

/// Whether a file was not flushed since it is open to be read only, as Windows wants it open for writing.
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

/// What the system says of what it doesn't have.
pub(crate) fn not_supported(os: Os) -> Code {
    match os {
        Os::Linux => linux::EOPNOTSUPP,
        Os::Macos | Os::Freebsd => macos::ENOTSUP,
        Os::Windows => windows::ERROR_NOT_SUPPORTED,
    }
}

/// Whether the code says that the process, or the volume, may not keep that attribute: cp passes
/// over it unless the attribute was asked for by name. CIFS, exFAT and NTFS-3G say EPERM to all.
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

/// What the system says of a name that its directory keeps.
pub(crate) fn kept_name(os: Os) -> Code {
    match os {
        Os::Linux => linux::EPERM,
        Os::Macos | Os::Freebsd => macos::EPERM,
        Os::Windows => windows::ERROR_ACCESS_DENIED,
    }
}

/// What the system says of symbolic links that lead nowhere.
pub(crate) fn link_loop(os: Os) -> Code {
    match os {
        Os::Linux => linux::ELOOP,
        Os::Macos | Os::Freebsd => macos::ELOOP,
        Os::Windows => windows::ERROR_CANT_RESOLVE_FILENAME,
    }
}

/// Whether the code says that symbolic links lead nowhere but to each other.
pub(crate) fn is_link_loop(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::ELOOP,
        Os::Macos | Os::Freebsd => code == macos::ELOOP,
        Os::Windows => code == windows::ERROR_CANT_RESOLVE_FILENAME,
    }
}

/// Whether the code says that a name can't be given to another file, here or by this process. The
/// file that has it may take data all the same.
pub(crate) fn is_irreplaceable(os: Os, code: Code) -> bool {
    let table = match os {
        Os::Linux => linux::IRREPLACEABLE,
        Os::Macos | Os::Freebsd => macos::IRREPLACEABLE,
        Os::Windows => windows::IRREPLACEABLE,
    };
    table.iter().any(|(it, _)| *it == code)
}

/// Whether the code says that a file can't lose its name while it is open: vboxsf, servers of Windows, FUSE.
pub(crate) fn is_open_elsewhere(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::EBUSY, linux::ETXTBSY].contains(&code),
        Os::Macos | Os::Freebsd => [macos::EBUSY, macos::ETXTBSY].contains(&code),
        Os::Windows => code == windows::ERROR_SHARING_VIOLATION,
    }
}

/// Whether the code may mean that an existing file opens for writing only if the call empties it
/// (O_TRUNC): FUSE servers that keep no old content of what is written to, such as those of object stores.
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

/// Whether the code says that a signal came before anything was done.
pub(crate) fn is_interrupted(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EINTR,
        Os::Macos | Os::Freebsd => code == macos::EINTR,
        Os::Windows => false, // it has no such thing
    }
}

/// Whether the code says that no more files can be open, here or in the whole system.
pub(crate) fn is_out_of_descriptors(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => [linux::EMFILE, linux::ENFILE].contains(&code),
        Os::Macos | Os::Freebsd => [macos::EMFILE, macos::ENFILE].contains(&code),
        Os::Windows => code == windows::ERROR_TOO_MANY_OPEN_FILES,
    }
}

/// Whether the code says that the volume is full, or what may be used of it.
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

/// Whether a link could not be made for a reason that lies in the filesystem, and which; a filesystem of
/// this kind has said so.
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
    // EPERM is what link(2) and symlink(2) say of a filesystem without links. One that has them says it of a
    // file that must not be changed.
    let has_none = is_unsupported(os, code) || code == not_permitted && kind.links() != Known::Yes;
    match code {
        _ if code == too_many => Some(NoLink::TooMany),
        _ if code == elsewhere => Some(NoLink::Elsewhere),
        _ => has_none.then_some(NoLink::Unsupported(kind)),
    }
}

/// What a system says of a hard or symbolic link on a filesystem that has none. macOS makes a file of
/// its own kind of a symbolic link there.
pub(crate) fn lacks_links(os: Os, kind: FsKind, is_symbolic: bool) -> Option<Code> {
    let none = kind.links() == Known::No && !(os == Os::Macos && is_symbolic);
    none.then_some(match os {
        Os::Linux => linux::EPERM,
        Os::Macos | Os::Freebsd | Os::Windows => not_supported(os),
    })
}

/// Whether the code says that permission is missing.
pub(crate) fn is_access_denied(os: Os, code: Code) -> bool {
    match os {
        Os::Linux => code == linux::EACCES,
        Os::Macos | Os::Freebsd => code == macos::EACCES,
        Os::Windows => code == windows::ERROR_ACCESS_DENIED,
    }
}

impl Error {
    /// Whether the file could not be published in one step, and [`crate::options::Atomic::No`] may do: it writes into
    /// what has the name.
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
