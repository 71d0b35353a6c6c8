//! Error codes of systems, as plain values.

use std::fmt;

use crate::words::method::Os;

pub(crate) mod linux;
pub(crate) mod macos;
mod pins;
pub(crate) mod windows;

/// A system's error number, as a plain value: errno on Unix, GetLastError on Windows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub i32);

impl Code {
    /// copyist's own code for a call that moved nothing where data was expected: a first return of 0 bytes is not the
    /// end of the file until a read returns 0 too.
    pub const NO_PROGRESS: Code = Code(0);

    /// The code of an attempt that was cancelled.
    pub const CANCELLED: Code = Code(-1);

    /// The constant's name on `os`, such as `EOPNOTSUPP`; `None` for a code that copyist has no name for.
    pub fn name(self, os: Os) -> Option<&'static str> {
        let names = match os {
            Os::Linux => linux::NAMES,
            // Both use the numbers of 4.4BSD for the codes that are used here.
            Os::Macos | Os::Freebsd => macos::NAMES,
            Os::Windows => windows::NAMES,
        };
        if self == Code::NO_PROGRESS {
            return Some("no progress");
        }
        let found = names.iter().find(|(code, _)| *code == self);
        found.map(|(_, name)| *name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_their_system() {
        assert_eq!(linux::EOPNOTSUPP.name(Os::Linux), Some("EOPNOTSUPP"));
        assert_eq!(macos::ENOTSUP.name(Os::Macos), Some("ENOTSUP"));
        let too_many = Some("ERROR_BLOCK_TOO_MANY_REFERENCES");
        assert_eq!(Code(347).name(Os::Windows), too_many);
        assert_eq!(Code(9999).name(Os::Linux), None);
    }
}
