//! Queries about volumes on Windows.

use std::os::windows::io::OwnedHandle;

use copyist_sys::windows::{self as sys, constants as c};

use super::code::code;
use super::handle;
use crate::system::{Mounted, Space, Sys, longest_name};
use crate::words::facts::{FsKind, Known, VolumeFacts};

pub(super) fn facts(file: &OwnedHandle) -> Sys<VolumeFacts> {
    let volume = sys::volume(file).map_err(code)?;
    let clones = volume.flags & c::FILE_SUPPORTS_BLOCK_REFCOUNTING != 0;
    Ok(VolumeFacts {
        id: handle::id(file, None)?.volume,
        kind: kind(&volume.filesystem, volume.is_remote),
        block_bytes: volume.cluster_bytes.clamp(512, 2 << 20),
        clone: if clones { Known::Yes } else { Known::No },
        folds_case: Known::Yes,
        parallel_from_bytes: None,
    })
}

/// The names of the volume; also for Dev Drives and network volumes.
pub(super) fn describe(file: &OwnedHandle) -> Sys<Mounted> {
    let volume = sys::volume(file).map_err(code)?;
    let remark = match (volume.is_dev_drive, volume.is_remote) {
        (true, _) => " (Dev Drive)",
        (_, true) => " (SMB)",
        _ => "",
    };
    Ok(Mounted {
        type_name: Some(format!("{}{remark}", volume.filesystem)),
        device: None,
        point: None,
        id: handle::id(file, None)?.volume,
        is_read_only: volume.flags & c::FILE_READ_ONLY_VOLUME != 0,
        space: Space::of_blocks(1, volume.free_bytes, volume.total_bytes),
        name_bytes: longest_name(volume.name_units.into()),
    })
}

/// A network volume reports the filesystem of the server, which does the work.
fn kind(filesystem: &str, is_remote: bool) -> FsKind {
    match filesystem {
        _ if is_remote => FsKind::Cifs,
        "NTFS" => FsKind::Ntfs,
        "ReFS" => FsKind::Refs,
        "FAT" | "FAT12" | "FAT16" | "FAT32" => FsKind::Fat,
        "exFAT" => FsKind::ExFat,
        _ => FsKind::Other,
    }
}
