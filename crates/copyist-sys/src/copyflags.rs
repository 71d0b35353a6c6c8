//! The flags of CopyFileExW, and the versions of Windows that know them. Pure, and tested on all systems.

/// The flags' values, by their names in winbase.h without `COPY_FILE_`.
pub mod bits {
    #![allow(missing_docs)] // the names are the documentation
    pub const FAIL_IF_EXISTS: u32 = 0x1;
    pub const RESTARTABLE: u32 = 0x2;
    pub const COPY_SYMLINK: u32 = 0x800;
    pub const NO_BUFFERING: u32 = 0x1000;
    pub const REQUEST_COMPRESSED_TRAFFIC: u32 = 0x1000_0000;
    pub const ENABLE_SPARSE_COPY: u32 = 0x2000_0000;
}

/// How CopyFileExW is to copy. COPY_FILE_FAIL_IF_EXISTS is always set: it must not replace an existing file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyFlags {
    /// COPY_FILE_RESTARTABLE: a partial copy is kept, and a copy with the same names continues from there; slower.
    pub restartable: bool,
    /// COPY_FILE_COPY_SYMLINK: a symbolic link is copied, and not followed.
    pub copy_symlink: bool,
    /// COPY_FILE_NO_BUFFERING: bypasses the cache, for very large files.
    pub no_buffering: bool,
    /// COPY_FILE_REQUEST_COMPRESSED_TRAFFIC: SMB compresses what it sends.
    pub compressed_traffic: bool,
    /// COPY_FILE_ENABLE_SPARSE_COPY: holes stay holes.
    pub sparse: bool,
}

impl CopyFlags {
    /// The flags as CopyFileExW takes them.
    pub fn bits(self) -> u32 {
        let chosen = [
            (self.restartable, bits::RESTARTABLE),
            (self.copy_symlink, bits::COPY_SYMLINK),
            (self.no_buffering, bits::NO_BUFFERING),
            (self.compressed_traffic, bits::REQUEST_COMPRESSED_TRAFFIC),
            (self.sparse, bits::ENABLE_SPARSE_COPY),
        ];
        let chosen = chosen.iter().filter(|(is_chosen, _)| *is_chosen);
        chosen.fold(bits::FAIL_IF_EXISTS, |flags, (_, flag)| flags | flag)
    }

    /// Without the flags that a Windows of this build number doesn't know: an unknown flag is
    /// ERROR_INVALID_PARAMETER, and there is no other way to query that.
    #[must_use]
    pub fn known_to(self, build: u32) -> CopyFlags {
        CopyFlags {
            compressed_traffic: self.compressed_traffic && build >= COMPRESSED_TRAFFIC_BUILD,
            sparse: self.sparse && build >= SPARSE_BUILD,
            ..self
        }
    }
}

/// Windows Server 2022, the first with compression in SMB. (winbase.h has the flag for all of Windows 10, where it
/// has no effect.)
const COMPRESSED_TRAFFIC_BUILD: u32 = 20_348;

/// Windows 11 22H2: NTDDI_WIN10_NI in winbase.h.
const SPARSE_BUILD: u32 = 22_621;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: CopyFlags = CopyFlags {
        restartable: true,
        copy_symlink: true,
        no_buffering: true,
        compressed_traffic: true,
        sparse: true,
    };

    #[test]
    fn flags_become_bits() {
        assert_eq!(CopyFlags::default().bits(), 1);
        assert_eq!(ALL.bits(), 0x3000_1803);
    }

    #[test]
    fn an_older_windows_is_not_told_what_it_does_not_know() {
        assert_eq!(ALL.known_to(10_240).bits(), 0x1803);
        assert_eq!(
            ALL.known_to(COMPRESSED_TRAFFIC_BUILD).bits() & 0x1000_0000,
            0x1000_0000
        );
        assert_eq!(ALL.known_to(SPARSE_BUILD), ALL);
    }
}
