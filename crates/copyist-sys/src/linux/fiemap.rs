use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// The location of a part of a file, as in `struct fiemap_extent` of linux/fiemap.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FiemapExtent {
    /// Where it begins in the file, bytes.
    pub logical: u64,
    /// Where it begins on the device, bytes (btrfs: in its own address space).
    pub physical: u64,
    /// Its length, bytes.
    pub length: u64,
    reserved64: [u64; 2],
    /// `FIEMAP_EXTENT_*`.
    pub flags: u32,
    reserved: [u32; 3],
}

impl FiemapExtent {
    /// The last extent of the file.
    pub const LAST: u32 = 0x1;
    /// The location is unknown, or not decided yet.
    pub const UNKNOWN: u32 = 0x2;
    /// Not allocated yet: it has no location.
    pub const DELALLOC: u32 = 0x4;
    /// Compressed or encrypted: `physical` is the start of the whole extent.
    pub const ENCODED: u32 = 0x8;
    /// Not in a block of its own.
    pub const NOT_ALIGNED: u32 = 0x100;
}

/// The most extents that one call returns.
const EXTENTS: usize = 64;

/// `struct fiemap`, with space for the result.
#[repr(C)]
struct Request {
    header: Header,
    extents: [FiemapExtent; EXTENTS],
}

#[repr(C)]
struct Header {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    count: u32,
    reserved: u32,
}

/// Data without a location is allocated first.
const FIEMAP_FLAG_SYNC: u32 = 0x1;

/// `_IOWR('f', 11, struct fiemap)`.
const FS_IOC_FIEMAP: rustix::ioctl::Opcode = rustix::ioctl::opcode::read_write::<Header>(b'f', 11);

/// `ioctl(file, FS_IOC_FIEMAP, ...)`: adds the next extents at or after `start` to `found`.
///
/// The file may be open for reading or for writing. With `sync`, dirty data without a location is written out first.
/// Returns whether there may be more extents.
///
/// # References
///  - [Linux](https://docs.kernel.org/filesystems/fiemap.html)
///
/// # Errors
///
/// The call's errno: EOPNOTSUPP where the filesystem has no such map.
#[doc(alias = "FS_IOC_FIEMAP")]
pub fn fiemap(
    file: impl AsFd,
    start: u64,
    sync: bool,
    found: &mut Vec<FiemapExtent>,
) -> Result<bool, Errno> {
    let mut request = Request {
        header: Header {
            start,
            length: u64::MAX - start,
            flags: if sync { FIEMAP_FLAG_SYNC } else { 0 },
            mapped: 0,
            count: EXTENTS as u32,
            reserved: 0,
        },
        extents: [FiemapExtent::default(); EXTENTS],
    };
    // SAFETY: the request takes a pointer to a struct fiemap with as many extents as its count
    // says, reads its header and writes both; it lives until the call returns, as the borrowed
    // descriptor does. The opcode's type differs between C libraries.
    let result = unsafe {
        libc::ioctl(
            file.as_fd().as_raw_fd(),
            FS_IOC_FIEMAP as _,
            &raw mut request,
        )
    };
    if result != 0 {
        return Err(super::last_error());
    }
    let mapped = (request.header.mapped as usize).min(EXTENTS);
    let extents = &request.extents[..mapped];
    found.extend_from_slice(extents);
    Ok(extents
        .last()
        .is_some_and(|last| last.flags & FiemapExtent::LAST == 0))
}
