//! An open file or directory, and how it was opened.

use crate::words::stat::FileId;
use std::os::windows::io::OwnedHandle;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use copyist_sys::windows::{self as sys, constants as c};

use super::code::code;
use crate::system::Sys;

/// Transfers around the cache begin and end at multiples of this, bytes: no disk has larger sectors.
pub(super) const SECTOR_BYTES: usize = 4096;

/// An open file or directory.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(super) file: OwnedHandle,
    /// The rights that it was opened with.
    access: u32,
    /// It is the current directory; names relative to it are the caller's and follow the rules of Win32.
    pub(super) is_current: bool,
    /// The same file, opened without buffering. Buffering can't be turned off on an open handle.
    direct: OnceLock<OwnedHandle>,
    is_direct: AtomicBool,
    path: OnceLock<Vec<u16>>,
    narrow: OnceLock<Option<u64>>,
}

/// The option that makes a privilege (SeRestorePrivilege) effective: only to set an owner.
pub(super) fn intent(access: u32) -> u32 {
    if access & c::WRITE_OWNER == 0 {
        0
    } else {
        c::FILE_OPEN_FOR_BACKUP_INTENT
    }
}

impl Handle {
    pub(super) fn new(file: OwnedHandle, access: u32) -> Handle {
        Handle {
            file,
            access,
            is_current: false,
            direct: OnceLock::new(),
            is_direct: AtomicBool::new(false),
            path: OnceLock::new(),
            narrow: OnceLock::new(),
        }
    }

    /// Sets the volume of a file from that of the directory in which it was opened.
    pub(super) fn on(self, narrow: Option<u64>) -> Handle {
        Handle {
            narrow: narrow.map_or_else(OnceLock::new, |volume| Some(volume).into()),
            ..self
        }
    }

    /// The volume, if 64 bits identify a file on it: querying these is much cheaper than querying the 128-bit IDs of
    /// ReFS. What is opened in a directory takes it from there.
    pub(super) fn narrow(&self) -> Option<u64> {
        *self.narrow.get_or_init(|| narrow(&self.file))
    }

    /// The same, if it is already known.
    pub(super) fn known_narrow(&self) -> Option<u64> {
        self.narrow.get().copied().flatten()
    }

    pub(super) fn current(file: OwnedHandle, access: u32) -> Handle {
        Handle {
            is_current: true,
            ..Handle::new(file, access)
        }
    }

    /// The path of a directory, which can't be renamed while it is open.
    pub(super) fn dir_path(&self) -> Sys<&[u16]> {
        if let Some(path) = self.path.get() {
            return Ok(path);
        }
        let path = sys::final_path(&self.file).map_err(code)?;
        Ok(self.path.get_or_init(|| path))
    }

    /// Calls `act` with the file, which is opened again if it lacks these rights.
    pub(super) fn with<T>(
        &self,
        access: u32,
        act: impl FnOnce(&OwnedHandle) -> Result<T, i32>,
    ) -> Sys<T> {
        if self.access & access == access {
            return act(&self.file).map_err(code);
        }
        let options = c::FILE_OPEN_REPARSE_POINT | c::FILE_OPEN_NO_RECALL | intent(access);
        let file = sys::reopen(&self.file, access, options, true).map_err(code)?;
        act(&file).map_err(code)
    }

    fn data_access(&self) -> u32 {
        self.access & (c::FILE_READ_DATA | c::FILE_WRITE_DATA)
    }

    /// The same file without buffering, for overlapped requests.
    pub(super) fn overlapped(&self) -> Sys<OwnedHandle> {
        let options = c::FILE_NO_INTERMEDIATE_BUFFERING;
        sys::reopen(&self.file, self.data_access(), options, false).map_err(code)
    }

    /// The same file without buffering; opening it writes dirty data out and empties its cache.
    pub(super) fn unbuffered(&self) -> Sys<&OwnedHandle> {
        if let Some(file) = self.direct.get() {
            return Ok(file);
        }
        let options = c::FILE_NO_INTERMEDIATE_BUFFERING;
        let file = sys::reopen(&self.file, self.data_access(), options, true).map_err(code)?;
        // If another thread has been faster, its handle is used.
        Ok(self.direct.get_or_init(|| file))
    }

    pub(super) fn direct_on(&self) -> Sys<()> {
        self.unbuffered()?;
        self.is_direct.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) fn direct_off(&self) {
        self.is_direct.store(false, Ordering::Release);
    }

    /// The handle for reads and writes: buffered or not.
    pub(super) fn for_data(&self) -> &OwnedHandle {
        match self.direct.get() {
            Some(direct) if self.is_direct.load(Ordering::Acquire) => direct,
            _ => &self.file,
        }
    }

    /// Closes the file, and returns the errors that are reported only now.
    pub(super) fn close(self) -> Sys<()> {
        let direct = self.direct.into_inner().map_or(Ok(()), sys::close);
        sys::close(self.file).and(direct).map_err(code)
    }
}

/// The file's identity.
pub(super) fn id(file: &OwnedHandle, narrow: Option<u64>) -> Sys<FileId> {
    if let Some(volume) = narrow {
        let inode = sys::file_index(file).map_err(code)?.into();
        return Ok(FileId { volume, inode });
    }
    if let Ok((volume, inode)) = sys::file_id(file) {
        return Ok(FileId { volume, inode });
    }
    // FAT, and old servers.
    let volume = sys::volume(file).map_err(code)?;
    let inode = sys::file_index(file).map_err(code)?.into();
    Ok(FileId {
        volume: volume.serial.into(),
        inode,
    })
}

/// See [`super::Handle::narrow`]: for NTFS, if both numbers of the directory's ID agree.
fn narrow(dir: &OwnedHandle) -> Option<u64> {
    let (volume, inode) = sys::file_id(dir).ok()?;
    let is_one = sys::file_index(dir).is_ok_and(|index| inode == index.into());
    let is_ntfs = || sys::volume(dir).is_ok_and(|it| it.filesystem == "NTFS" && !it.is_remote);
    (is_one && is_ntfs()).then_some(volume)
}
