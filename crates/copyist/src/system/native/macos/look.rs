//! Queries on macOS: mounts and extents.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use copyist_sys::macos::log2phys;
use rustix::fs;
use rustix::io::Errno;

use super::unix;
use super::unix::code;
use super::volume::text;
use crate::system::{Extent, Mounted, Sys};

pub(super) fn describe(handle: &OwnedFd) -> Sys<Mounted> {
    let volume = fs::fstatfs(handle).map_err(code)?;
    let name = |bytes: &[std::ffi::c_char]| OsString::from_vec(text(bytes));
    Ok(Mounted {
        type_name: Some(String::from_utf8_lossy(&text(&volume.f_fstypename)).into_owned()),
        device: Some(name(&volume.f_mntfromname)),
        point: Some(PathBuf::from(name(&volume.f_mntonname))),
        ..unix::describe(handle)?
    })
}

/// One extent per call. For a hole the call returns ERANGE or no location; it is skipped block by block.
pub(super) fn extents(file: &OwnedFd, from: u64, found: &mut Vec<Extent>) -> Result<bool, Errno> {
    let stat = fs::fstat(file)?;
    let size = stat.st_size.cast_unsigned();
    if from >= size {
        return Ok(false);
    }
    let block = u64::from(stat.st_blksize.cast_unsigned()).max(512);
    let extent = match log2phys(file, from, size - from) {
        Ok((place, len)) => Extent {
            offset: from,
            len: len.clamp(1, size - from),
            place: Some(place),
            is_encoded: false,
        },
        Err(Errno::RANGE) => Extent {
            offset: from,
            len: block - from % block,
            place: None,
            is_encoded: false,
        },
        Err(errno) => return Err(errno),
    };
    found.push(extent);
    Ok(from + extent.len < size)
}
