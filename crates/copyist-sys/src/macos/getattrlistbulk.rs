use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

use super::last_error;

/// The type of a directory entry: `vtype` of sys/vnode.h.
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

/// `getattrlistbulk(dir, { ATTR_CMN_RETURNED_ATTRS, ATTR_CMN_NAME, ATTR_CMN_OBJTYPE }, ...)`: the next names of a
/// directory, with their types, as many as fit in the buffer, without `.` and `..`. Returns how many there were; 0 is
/// the end.
///
/// The position in the directory is kept in the descriptor, as with getdents.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry as the kernel lays it out.
    fn entry(given: u32, name: &[u8], kind: u32) -> Vec<u8> {
        let len = (36 + name.len() + 1).next_multiple_of(8);
        let mut bytes = Vec::new();
        for number in [
            len as u32,
            given,
            0,
            0,
            0,
            0,
            12,
            name.len() as u32 + 1,
            kind,
        ] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(name);
        bytes.resize(len, 0);
        bytes
    }

    #[test]
    fn entries_are_read_as_they_are_laid_out() {
        let both = libc::ATTR_CMN_NAME | libc::ATTR_CMN_OBJTYPE;
        let mut bytes = entry(both, b"name", 2);
        bytes.extend(entry(libc::ATTR_CMN_NAME, b"other", 1));
        let (first, rest) = split_entry(&bytes).unwrap();
        assert_eq!(
            parse(first),
            Some((OsStr::new("name"), EntryKind::Directory))
        );
        let (second, rest) = split_entry(rest).unwrap();
        assert_eq!(
            parse(second),
            Some((OsStr::new("other"), EntryKind::Unknown))
        );
        assert!(rest.is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_no_entry() {
        let whole = entry(libc::ATTR_CMN_NAME, b"name", 1);
        assert_eq!(split_entry(&whole[..3]), None);
        assert_eq!(split_entry(&[0; 8]), None);
        assert_eq!(split_entry(&whole[..whole.len() - 1]), None);
        assert_eq!(parse(&whole[..30]), None);
        assert_eq!(parse(&entry(0, b"name", 1)), None);
    }

    #[test]
    fn a_directory_is_read_to_its_end() {
        let dir = std::env::temp_dir().join(format!("copyist-sys-bulk-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("sub")).unwrap();
        std::fs::write(dir.join("file"), b"").unwrap();
        let open = std::fs::File::open(&dir).unwrap();
        let mut seen = Vec::new();
        let mut buffer = vec![0; 4096];
        while getattrlistbulk(&open, &mut buffer, |name, kind| {
            seen.push((name.to_os_string(), kind));
        })
        .unwrap()
            > 0
        {}
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [
            ("file".into(), EntryKind::Regular),
            ("sub".into(), EntryKind::Directory),
        ];
        assert_eq!(seen, wanted);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
