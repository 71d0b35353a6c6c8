use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

use super::last_error;

/// What a directory says of an entry: `vtype` of sys/vnode.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation
pub enum EntryKind {
    Regular,
    Directory,
    BlockDevice,
    CharDevice,
    Symlink,
    Socket,
    Fifo,
    Unknown,
}

/// `getattrlistbulk(dir, { ATTR_CMN_RETURNED_ATTRS, ATTR_CMN_NAME, ATTR_CMN_OBJTYPE }, ...)`: the
/// next names of a directory, with their kinds, as many as fit the buffer. `.` and `..` are not
/// among them. Answers how many there were; 0 is the end.
///
/// Where the directory has come to is kept in the descriptor, as with getdents.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/getattrlistbulk.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn getattrlistbulk(
    dir: impl AsFd,
    buffer: &mut [u8],
    mut entry: impl FnMut(&OsStr, EntryKind),
) -> Result<usize, Errno> {
    let mut attributes = libc::attrlist {
        bitmapcount: libc::ATTR_BIT_MAP_COUNT,
        reserved: 0,
        commonattr: libc::ATTR_CMN_RETURNED_ATTRS | libc::ATTR_CMN_NAME | libc::ATTR_CMN_OBJTYPE,
        volattr: 0,
        dirattr: 0,
        fileattr: 0,
        forkattr: 0,
    };
    // SAFETY: the list and the buffer live until the call returns, and the size is the buffer's.
    let count = unsafe {
        libc::getattrlistbulk(
            dir.as_fd().as_raw_fd(),
            (&raw mut attributes).cast(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            0,
        )
    };
    let count = usize::try_from(count).map_err(|_| last_error())?;
    let mut rest = &*buffer;
    for _ in 0..count {
        let (this, next) = split_entry(rest).ok_or(Errno::IO)?;
        let (name, kind) = parse(this).ok_or(Errno::IO)?;
        entry(name, kind);
        rest = next;
    }
    Ok(count)
}

/// An entry begins with its length, which counts itself.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::try_from(number(bytes, 0)?).ok()?;
    (len >= 4).then_some(())?;
    bytes.split_at_checked(len)
}

/// Length; which attributes follow (five sets of 32 bits); then those, in the order of their bits:
/// a reference to the name (where it is, counted from the reference itself, and its length with
/// the NUL), the kind.
fn parse(entry: &[u8]) -> Option<(&OsStr, EntryKind)> {
    const SETS: usize = 4;
    const NAME: usize = SETS + 5 * 4;
    const KIND: usize = NAME + 8;
    let given = number(entry, SETS)?;
    (given & libc::ATTR_CMN_NAME != 0).then_some(())?;
    let start = NAME.checked_add_signed(number(entry, NAME)?.cast_signed() as isize)?;
    let len = number(entry, NAME + 4)? as usize;
    let name = entry.get(start..start.checked_add(len)?)?;
    let name = name.strip_suffix(b"\0").unwrap_or(name);
    let kind = if given & libc::ATTR_CMN_OBJTYPE == 0 {
        EntryKind::Unknown
    } else {
        match number(entry, KIND)? {
            1 => EntryKind::Regular,
            2 => EntryKind::Directory,
            3 => EntryKind::BlockDevice,
            4 => EntryKind::CharDevice,
            5 => EntryKind::Symlink,
            6 => EntryKind::Socket,
            7 => EntryKind::Fifo,
            _ => EntryKind::Unknown,
        }
    };
    Some((OsStr::from_bytes(name), kind))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}
