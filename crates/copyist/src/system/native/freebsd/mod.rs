//! FreeBSD: the portable method. Files are copied by reading and writing, and keep owner, mode, times and flags;
//! extended attributes and ACLs are not kept yet, and are reported as unsupported.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::unix;
use super::unix::code;
use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Mounted, Move, Names, Node, NotMade,
    Open, Progress, Seek, Sys, Target, WholeCopy,
};
use crate::words::facts::{FsKind, Known, VolumeFacts};
use crate::words::options::Flush;
use crate::words::stat::{FileKind, KeptNames, Stat};

mod machine;

pub(crate) use machine::Native;
use machine::unsupported;

/// For a directory in which names are looked up, and which need not be readable: `O_SEARCH` of open(2).
const SEARCH: OFlags = OFlags::from_bits_retain(0x0004_0000);

/// The buffer for getdirentries, bytes.
const READ_DIR_BYTES: usize = 32 << 10;

impl Names for Native {
    fn current_dir(&self) -> Sys<OwnedFd> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c".", flags, Mode::empty()).map_err(code)
    }

    fn root_dir(&self) -> Sys<OwnedFd> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c"/", flags, Mode::empty()).map_err(code)
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        unix::stat(at.dir, at.name, follow)
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<OwnedFd> {
        unix::open(at.dir, at.name, how, SEARCH)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        match node {
            Node::Directory { mode } => fs::mkdirat(at.dir, at.name, unix::mode(mode)),
            Node::Symlink { target, .. } => fs::symlinkat(target, at.dir, at.name),
            Node::HardLink { to, follow } => {
                unix::hard_link((to.dir, to.name), (at.dir, at.name), follow)
            }
            Node::Special { kind, mode, device } => fs::mknodat(
                at.dir,
                at.name,
                unix::file_type(kind),
                unix::mode(mode),
                device,
            ),
        }
        .map_err(code)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        unix::read_link(at.dir, at.name)
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        unix::remove(at.dir, at.name, is_dir)
    }

    fn kept_names(&self, dir: At<'_, Self>) -> KeptNames {
        unix::kept_names(dir.dir, dir.name, self.privileged)
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        unix::may_write(at.dir, at.name)
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        fs::renameat(from.dir, from.name, to.dir, to.name).map_err(code)
    }

    fn read_dir(&self, dir: &OwnedFd, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        buffer.resize(READ_DIR_BYTES, 0);
        // A batch of only "." and ".." would look like the end of the directory.
        while batch.is_empty() {
            let read = copyist_sys::freebsd::getdirentries(dir, buffer, |name, kind| {
                if name != "." && name != ".." {
                    batch.push(name, entry_kind(kind));
                }
            })
            .map_err(code)?;
            if read == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Data for Native {
    fn stat_open(&self, handle: &OwnedFd) -> Sys<Stat> {
        let stat = fs::fstat(handle).map_err(code)?;
        Ok(unix::of_stat(&stat))
    }

    fn volume(&self, handle: &OwnedFd) -> Sys<VolumeFacts> {
        let stat = self.stat_open(handle)?;
        let volume = fs::fstatfs(handle).map_err(code)?;
        let name = volume.f_fstypename.map(std::ffi::c_char::cast_unsigned);
        Ok(VolumeFacts {
            id: stat.id.volume,
            kind: match name.split(|&byte| byte == 0).next() {
                Some(b"zfs") => FsKind::Zfs,
                Some(b"nfs") => FsKind::Nfs,
                Some(b"msdosfs") => FsKind::Fat,
                Some(b"tmpfs") => FsKind::Tmpfs,
                Some(b"procfs" | b"devfs" | b"fdescfs") => FsKind::Pseudo,
                _ => FsKind::Other,
            },
            block_bytes: u32::try_from(volume.f_bsize)
                .unwrap_or(4096)
                .clamp(512, 1 << 20),
            clone: Known::No,
            folds_case: Known::Unknown,
            parallel_from_bytes: None,
        })
    }

    fn read(&self, file: &OwnedFd, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        unix::read(file, offset, buffer)
    }

    fn write(&self, file: &OwnedFd, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        unix::write(file, offset, data)
    }

    fn move_data(&self, _: Move, _: &OwnedFd, _: &OwnedFd, _: u64, _: u64) -> Sys<u64> {
        Err(unsupported())
    }

    fn copy_by_path(&self, _: &WholeCopy<'_, Self>, _: &mut Progress<'_>) -> Result<u64, NotMade> {
        Err(unsupported().into())
    }

    fn seek(&self, file: &OwnedFd, offset: u64, what: Seek) -> Sys<Option<u64>> {
        unix::seek(file, offset, what)
    }

    fn allocate(&self, _: &OwnedFd, _: u64, _: u64) -> Sys<()> {
        Err(unsupported()) // posix_fallocate changes the size
    }

    fn set_len(&self, file: &OwnedFd, len: u64) -> Sys<()> {
        fs::ftruncate(file, len).map_err(code)
    }

    fn direct_on(&self, _: &OwnedFd) -> Sys<DirectAlignment> {
        Err(unsupported())
    }

    fn direct_off(&self, _: &OwnedFd) -> Sys<()> {
        Ok(())
    }

    fn uncache(&self, file: &OwnedFd) -> Sys<()> {
        fs::fadvise(file, 0, None, fs::Advice::DontNeed).map_err(code)
    }

    fn flush(&self, file: &OwnedFd, how: Flush) -> Sys<()> {
        match how {
            Flush::Ordered => fs::fdatasync(file),
            Flush::Durable => fs::fsync(file),
        }
        .map_err(code)
    }

    fn lock(&self, file: &OwnedFd) -> Sys<bool> {
        unix::lock(file)
    }

    fn check_close_errors(&self, file: &OwnedFd) -> Sys<()> {
        unix::check_close_errors(file)
    }

    fn close(&self, file: OwnedFd) -> Sys<()> {
        copyist_sys::unix::close(file).map_err(code)
    }

    fn describe(&self, handle: &OwnedFd) -> Sys<Mounted> {
        unix::describe(handle)
    }
}

impl Attributes for Native {
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        let set = match (attribute, target) {
            (Attribute::Flags(flags), Target::Open(file)) => {
                Some(copyist_sys::unix::fchflags(file, flags))
            }
            (Attribute::Mode(mode), Target::Named(at)) => Some(fs::chmodat(
                at.dir,
                at.name,
                unix::mode(mode),
                fs::AtFlags::SYMLINK_NOFOLLOW,
            )),
            (_, Target::Open(file)) => unix::set_open(file, attribute),
            (_, Target::Named(at)) => unix::set_by_name(at.dir, at.name, attribute),
        };
        set.unwrap_or(Err(Errno::OPNOTSUPP)).map_err(code)
    }

    fn flags(&self, file: &OwnedFd) -> Sys<u32> {
        let stat = fs::fstat(file).map_err(code)?;
        Ok(stat.st_flags)
    }

    fn xattr_names(&self, _: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        names.clear();
        Err(unsupported())
    }

    fn xattr(&self, _: Target<'_, Self>, _: &[u8], _: &mut Vec<u8>) -> Sys<bool> {
        Err(unsupported())
    }

    fn set_xattr(&self, _: Target<'_, Self>, _: &[u8], _: &[u8]) -> Sys<()> {
        Err(unsupported())
    }

    fn remove_xattr(&self, _: Target<'_, Self>, _: &[u8]) -> Sys<()> {
        Err(unsupported())
    }
}

/// `d_type` has the type bits of the mode, shifted right.
fn entry_kind(kind: u8) -> Option<FileKind> {
    let bits = u16::from(kind) << 12;
    Some(match FileType::from_raw_mode(bits) {
        FileType::RegularFile => FileKind::Regular,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Unknown => return None,
    })
}
