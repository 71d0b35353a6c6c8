//! The calls of which a small file takes most, as rustix has them, but made without the C library.
//!
//! A compiler can put such a call where it is made. A function of the C library has to return after it, and the
//! first return after a system call is expensive where the kernel's own returns have spoilt what the
//! processor predicts: 0.33 µs on an AMD EPYC with the mitigation "Safe RET", and with six of them a sixth of
//! the time of a small file (docs/measurements.md).
//!
//! # References
//!  - [Linux](https://docs.kernel.org/admin-guide/hw-vuln/srso.html)

#![allow(
    clippy::inline_always,
    reason = "a call that is not in its place costs a return"
)]

use std::ffi::{OsStr, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::LazyLock;

use rustix::fs::{self, AtFlags, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::{self, Errno};
use syscalls::Sysno;

/// A path of fewer bytes is copied to the stack: that of any name that a filesystem has is.
const NAME_BYTES: usize = 256;

#[cfg(target_arch = "x86_64")]
const FSTATAT: Sysno = Sysno::newfstatat;
#[cfg(target_arch = "aarch64")]
const FSTATAT: Sysno = Sysno::fstatat;

/// Whether something stands in for one of the C library's functions (fakeroot, fakechroot, a sandbox, a
/// sanitizer) and is to see every call: then these are made by the C library too.
static REPLACED: LazyLock<bool> = LazyLock::new(is_replaced);

/// That of glibc before 2.34 was in several libraries, so that it seems to be replaced.
#[cfg(target_env = "gnu")]
fn is_replaced() -> bool {
    let home = |function: *const c_void| {
        let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: the call writes the structure that it is given, and nothing is done at the address.
        let known = unsafe { libc::dladdr(function, found.as_mut_ptr()) } != 0;
        // SAFETY: it was written, or is all zeros, which are null pointers.
        let found = unsafe { found.assume_init() };
        known.then_some(found.dli_fbase)
    };
    let library = home(libc::gnu_get_libc_version as *const c_void);
    // Everything is here, or seems to be, in a program that is not made to lie anywhere.
    if library.is_some() && library == home(is_replaced as *const c_void) {
        return true;
    }
    let functions = [
        libc::openat as *const c_void,
        libc::openat64 as *const c_void,
        libc::fstat as *const c_void,
        libc::fstat64 as *const c_void,
        libc::fstatat as *const c_void,
        libc::fstatat64 as *const c_void,
        libc::futimens as *const c_void,
        libc::flistxattr as *const c_void,
        libc::pread64 as *const c_void,
        libc::pwrite64 as *const c_void,
        libc::close as *const c_void,
        libc::ioctl as *const c_void,
        libc::syscall as *const c_void, // by which rustix calls copy_file_range
    ];
    functions.into_iter().any(|it| home(it) != library)
}

/// Another C library doesn't tell where it is; only if it is a part of the program can nobody stand in for it.
#[cfg(not(target_env = "gnu"))]
fn is_replaced() -> bool {
    !cfg!(target_feature = "crt-static")
}

/// Makes a call.
///
/// # Safety
///
/// The arguments must be such as the call can have.
#[inline(always)]
unsafe fn call(number: Sysno, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: as the caller says.
    let answer = unsafe { syscalls::raw::syscall6(number as usize, a, b, c, d, e, f) };
    // Error numbers end at 4095: see syscall(2).
    if answer > usize::MAX - 4095 {
        return Err(Errno::from_raw_os_error(answer.wrapping_neg() as i32));
    }
    Ok(answer)
}

#[inline(always)]
fn number(file: &OwnedFd) -> usize {
    file.as_raw_fd() as usize
}

/// A path for the kernel.
struct Path(MaybeUninit<[u8; NAME_BYTES]>);

impl Path {
    const EMPTY: Path = Path(MaybeUninit::uninit());

    /// The address of the path, ended by a zero; `None` for one that is too long or has zeros in it.
    #[inline(always)]
    fn set(&mut self, name: &OsStr) -> Option<usize> {
        let name = name.as_bytes();
        if name.len() >= NAME_BYTES || name.contains(&0) {
            return None;
        }
        let start = self.0.as_mut_ptr().cast::<u8>();
        // SAFETY: there is room for the name and the zero after it.
        unsafe {
            ptr::copy_nonoverlapping(name.as_ptr(), start, name.len());
            start.add(name.len()).write(0);
        }
        Some(start as usize)
    }
}

/// `openat(dir, name, flags, mode)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/open.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn openat(dir: &OwnedFd, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut path = Path::EMPTY;
    let Some(path) = path.set(name).filter(|_| !*REPLACED) else {
        return fs::openat(dir, name, flags, mode);
    };
    let (flags, mode) = (flags.bits() as usize, mode.bits() as usize);
    // SAFETY: the descriptor is open, and the path ends in a zero.
    let file = unsafe { call(Sysno::openat, [number(dir), path, flags, mode, 0, 0]) }?;
    // SAFETY: the call has opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(file as RawFd) })
}

/// `fstat(fd)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn fstat(file: &OwnedFd) -> Result<Stat, Errno> {
    if *REPLACED {
        return fs::fstat(file);
    }
    let mut stat = MaybeUninit::<Stat>::uninit();
    let address = stat.as_mut_ptr() as usize;
    // SAFETY: the descriptor is open, and on these architectures the C library's structure is the kernel's.
    unsafe {
        call(Sysno::fstat, [number(file), address, 0, 0, 0, 0])?;
        Ok(stat.assume_init())
    }
}

/// `fstatat(dir, name, flags)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn statat(dir: &OwnedFd, name: &OsStr, flags: AtFlags) -> Result<Stat, Errno> {
    let mut path = Path::EMPTY;
    let Some(path) = path.set(name).filter(|_| !*REPLACED) else {
        return fs::statat(dir, name, flags);
    };
    let mut stat = MaybeUninit::<Stat>::uninit();
    let address = stat.as_mut_ptr() as usize;
    let arguments = [number(dir), path, address, flags.bits() as usize, 0, 0];
    // SAFETY: as for `fstat`, and the path ends in a zero.
    unsafe {
        call(FSTATAT, arguments)?;
        Ok(stat.assume_init())
    }
}

/// `futimens(fd, times)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/futimens.3.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn futimens(file: &OwnedFd, times: &Timestamps) -> Result<(), Errno> {
    if *REPLACED {
        return fs::futimens(file, times);
    }
    let time = |time: &Timespec| libc::timespec {
        tv_sec: time.tv_sec,
        tv_nsec: time.tv_nsec,
    };
    let times = [time(&times.last_access), time(&times.last_modification)];
    let arguments = [number(file), 0, times.as_ptr() as usize, 0, 0, 0];
    // SAFETY: the descriptor is open, the path is none, and the times are two.
    unsafe { call(Sysno::utimensat, arguments) }.map(drop)
}

/// `flistxattr(fd, names)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/listxattr.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn flistxattr(file: &OwnedFd, names: &mut [u8]) -> Result<usize, Errno> {
    if *REPLACED {
        return fs::flistxattr(file, names);
    }
    let (start, len) = (names.as_mut_ptr() as usize, names.len());
    // SAFETY: the descriptor is open, and the buffer has that length.
    unsafe { call(Sysno::flistxattr, [number(file), start, len, 0, 0, 0]) }
}

/// `pread(fd, buffer, offset)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/pread.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn pread(file: &OwnedFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    if *REPLACED {
        return io::pread(file, buffer, offset);
    }
    let (start, len) = (buffer.as_mut_ptr() as usize, buffer.len());
    let arguments = [number(file), start, len, offset as usize, 0, 0];
    // SAFETY: the descriptor is open, and the buffer has that length.
    unsafe { call(Sysno::pread64, arguments) }
}

/// `pwrite(fd, data, offset)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/pwrite.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn pwrite(file: &OwnedFd, data: &[u8], offset: u64) -> Result<usize, Errno> {
    if *REPLACED {
        return io::pwrite(file, data, offset);
    }
    let (start, len) = (data.as_ptr() as usize, data.len());
    let arguments = [number(file), start, len, offset as usize, 0, 0];
    // SAFETY: the descriptor is open, and the data has that length.
    unsafe { call(Sysno::pwrite64, arguments) }
}

/// `copy_file_range(src, from, dst, to, len, 0)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/copy_file_range.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn copy_file_range(
    src: &OwnedFd,
    from: Option<&mut u64>,
    dst: &OwnedFd,
    to: Option<&mut u64>,
    len: usize,
) -> Result<usize, Errno> {
    if *REPLACED {
        return fs::copy_file_range(src, from, dst, to, len);
    }
    let address = |offset: Option<&mut u64>| offset.map_or(0, |it| &raw mut *it as usize);
    let arguments = [number(src), address(from), number(dst), address(to), len, 0];
    // SAFETY: the descriptors are open, and the offsets can be written to, or are the files' own.
    unsafe { call(Sysno::copy_file_range, arguments) }
}

/// `ioctl(dst, FICLONE, src)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/ioctl_ficlonerange.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn ioctl_ficlone(dst: &OwnedFd, src: &OwnedFd) -> Result<(), Errno> {
    if *REPLACED {
        return fs::ioctl_ficlone(dst, src);
    }
    let arguments = [number(dst), libc::FICLONE as usize, number(src), 0, 0, 0];
    // SAFETY: the descriptors are open, and the call touches no memory.
    unsafe { call(Sysno::ioctl, arguments) }.map(drop)
}

/// `close(fd)`, with its error, as [`crate::unix::close`].
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn close(file: OwnedFd) -> Result<(), Errno> {
    if *REPLACED {
        return crate::unix::close(file);
    }
    let file = file.into_raw_fd() as usize;
    // SAFETY: the descriptor was owned, and `into_raw_fd` has given up that ownership to us.
    unsafe { call(Sysno::close, [file, 0, 0, 0, 0, 0]) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: OFlags = OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL);

    fn open(dir: &OwnedFd, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        openat(dir, name.as_ref(), flags, Mode::from_raw_mode(0o640))
    }

    /// They answer what the C library's functions answer.
    #[test]
    fn direct_calls_are_those_of_the_c_library() -> Result<(), Box<dyn std::error::Error>> {
        assert!(!*REPLACED, "nobody stands in for the C library here");
        let path = std::env::temp_dir().join(format!("copyist-direct-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        let here = fs::open(&path, OFlags::RDONLY, Mode::empty())?;
        let file = open(&here, "file", CREATE)?;
        assert_eq!(pwrite(&file, b"content", 3), Ok(7));
        let mut data = [1; 12];
        assert_eq!(pread(&file, &mut data, 1), Ok(9));
        assert_eq!(&data, b"\0\0content\x01\x01\x01");
        let copy = open(&here, "copy", CREATE)?;
        assert_eq!(
            copy_file_range(&file, Some(&mut 2), &copy, Some(&mut 2), 5),
            Ok(5)
        );
        assert_eq!(pread(&copy, &mut data, 0), Ok(7));
        assert_eq!(&data[..7], b"\0\0\0cont");
        let time = |tv_sec| Timespec { tv_sec, tv_nsec: 5 };
        let times = Timestamps {
            last_access: time(1_000_000_000),
            last_modification: time(-7),
        };
        assert_eq!(futimens(&copy, &times), Ok(()));
        let (ours, theirs) = (fstat(&copy)?, fs::fstat(&copy)?);
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert_eq!((ours.st_mtime, ours.st_size), (-7, 7));
        let by_name = statat(&here, "copy".as_ref(), AtFlags::SYMLINK_NOFOLLOW)?;
        assert_eq!(format!("{by_name:?}"), format!("{theirs:?}"));
        let mut names = [0; 100];
        let answer = fs::flistxattr(&copy, &mut names);
        assert_eq!(flistxattr(&copy, &mut names), answer);
        assert_eq!(ioctl_ficlone(&copy, &here), fs::ioctl_ficlone(&copy, &here));
        assert_eq!(close(file), Ok(()));
        let long = "a".repeat(300);
        for (name, errno) in [
            ("missing", Errno::NOENT),
            ("", Errno::NOENT),
            ("with\0zero", Errno::INVAL),
            (&long, Errno::NAMETOOLONG),
        ] {
            assert_eq!(open(&here, name, OFlags::RDONLY).unwrap_err(), errno);
            let flags = AtFlags::empty();
            assert_eq!(statat(&here, name.as_ref(), flags).unwrap_err(), errno);
        }
        let taken = open(&here, "copy", CREATE).unwrap_err();
        assert_eq!(taken, Errno::EXIST);
        Ok(std::fs::remove_dir_all(&path)?)
    }
}
