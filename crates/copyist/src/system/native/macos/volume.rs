//! Queries about volumes on macOS.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use copyist_sys::macos::{VolumeCapabilities, volume_capabilities};
use rustix::fs;

use super::super::unix;
use super::super::unix::code;
use crate::system::Sys;
use crate::words::facts::{FsKind, Known, VolumeFacts};

pub(super) fn facts(handle: &OwnedFd) -> Sys<VolumeFacts> {
    let stat = unix::of_stat(&fs::fstat(handle).map_err(code)?);
    let volume = fs::fstatfs(handle).map_err(code)?;
    let kind = fs_kind(&text(&volume.f_fstypename));
    // A volume that doesn't support the query reports no capability.
    let silent = VolumeCapabilities {
        clones: None,
        case_sensitive: None,
    };
    let says = CString::new(text(&volume.f_mntonname))
        .ok()
        .and_then(|mounted| volume_capabilities(&mounted).ok())
        .unwrap_or(silent);
    Ok(VolumeFacts {
        id: stat.id.volume,
        kind,
        block_bytes: volume.f_bsize.clamp(512, 1 << 20),
        clone: known(says.clones),
        folds_case: known(says.case_sensitive.map(|sensitive| !sensitive)),
        parallel_from_bytes: None,
    })
}

fn known(answer: Option<bool>) -> Known {
    match answer {
        Some(true) => Known::Yes,
        Some(false) => Known::No,
        None => Known::Unknown,
    }
}

/// A string in an array of fixed size, ended by its first NUL.
pub(super) fn text(name: &[std::ffi::c_char]) -> Vec<u8> {
    let bytes = name.iter().map(|&byte| byte.cast_unsigned());
    bytes.take_while(|&byte| byte != 0).collect()
}

/// `f_fstypename`: the names under which the filesystems of macOS, and those installed by users, register.
fn fs_kind(name: &[u8]) -> FsKind {
    match name {
        b"apfs" => FsKind::Apfs,
        b"hfs" => FsKind::HfsPlus,
        b"exfat" => FsKind::ExFat,
        b"msdos" => FsKind::Fat,
        b"ntfs" | b"ufsd_NTFS" | b"tuxera_ntfs" => FsKind::Ntfs,
        b"smbfs" => FsKind::Cifs,
        b"nfs" => FsKind::Nfs,
        b"zfs" => FsKind::Zfs,
        b"tmpfs" => FsKind::Tmpfs,
        b"macfuse" | b"osxfuse" | b"osxfusefs" | b"fusefs" => FsKind::Fuse,
        b"devfs" | b"autofs" => FsKind::Pseudo,
        _ => FsKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filesystems_are_known_by_their_names() {
        let name: Vec<_> = b"apfs\0\0junk".map(u8::cast_signed).to_vec();
        assert_eq!(fs_kind(&text(&name)), FsKind::Apfs);
        assert_eq!(fs_kind(b"unheard-of"), FsKind::Other);
    }

    #[test]
    fn the_root_volume_says_what_it_is() {
        let root = std::fs::File::open("/").unwrap();
        let facts = facts(&OwnedFd::from(root)).unwrap();
        assert_eq!(facts.kind, FsKind::Apfs);
        assert_eq!(facts.clone, Known::Yes);
        assert_ne!(facts.folds_case, Known::Unknown);
    }
}
