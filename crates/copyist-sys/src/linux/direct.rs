//! The calls of which a small file takes most, as rustix has them, but made without the C library.
//!
//! The compiler can inline such a call. A function of the C library has to return after it, and the first return
//! after a system call is expensive where the kernel's own returns have spoilt the processor's return prediction:
//! 0.33 µs on an AMD EPYC with the mitigation "Safe RET", and with six of them a sixth of the time of a small file
//! (docs/measurements.md).
//!
//! # References
//!  - [Linux](https://docs.kernel.org/admin-guide/hw-vuln/srso.html)

#![allow(
    clippy::inline_always,
    reason = "must be inlined; see the documentation of the module"
)]

use std::ffi::OsStr;
#[cfg(target_env = "gnu")]
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::fs::{self, AtFlags, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::{self, Errno};
use syscalls::Sysno;

/// A path of fewer bytes is copied to the stack; every name that a filesystem can store is shorter.
const NAME_BYTES: usize = 256;

#[cfg(target_arch = "x86_64")]
const FSTATAT: Sysno = Sysno::newfstatat;
#[cfg(target_arch = "aarch64")]
const FSTATAT: Sysno = Sysno::fstatat;

/// The current directory, in place of a descriptor.
const HERE: usize = libc::AT_FDCWD as usize;

/// How calls are made: one of the three below.
static WAY: AtomicU8 = AtomicU8::new(NOT_DECIDED);
const NOT_DECIDED: u8 = 0;
const DIRECTLY: u8 = 1;
const BY_THE_C_LIBRARY: u8 = 2;

/// Whether another library replaces one of the C library's functions (fakeroot, fakechroot, a sandbox, a
/// sanitizer) and must see every call: then these calls are made through the C library too.
#[inline(always)]
pub(super) fn is_replaced() -> bool {
    WAY.load(Ordering::Relaxed) != DIRECTLY && !decide()
}

/// Returns whether calls are made directly.
#[cold]
#[inline(never)]
fn decide() -> bool {
    let mut way = WAY.load(Ordering::Relaxed);
    if way == NOT_DECIDED {
        way = if is_the_library_its_own() {
            DIRECTLY
        } else {
            BY_THE_C_LIBRARY
        };
        // Other threads that decide at the same time get the same result.
        WAY.store(way, Ordering::Relaxed);
    }
    way == DIRECTLY
}

/// Whether the C library's functions are where the C library is. That of glibc before 2.34 was in several
/// libraries, so that it seems to be replaced.
#[cfg(target_env = "gnu")]
fn is_the_library_its_own() -> bool {
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
    let mut looked = Looked {
        functions: functions.map(|it| it as usize),
        are_its_own: false,
    };
    // SAFETY: the callback gets what it expects, which lasts as long as the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut looked).cast()) };
    looked.are_its_own
}

/// What [`look`] looks for, and what it has found.
#[cfg(target_env = "gnu")]
struct Looked {
    functions: [usize; 13],
    are_its_own: bool,
}

/// Checks whether a library is the C library, and contains all functions; returns 1 if it is the C library.
///
/// # Safety
///
/// `library` must be of dl_iterate_phdr(3), and `looked` a [`Looked`].
#[cfg(target_env = "gnu")]
unsafe extern "C" fn look(
    library: *mut libc::dl_phdr_info,
    _: libc::size_t,
    looked: *mut c_void,
) -> c_int {
    // SAFETY: as the caller guarantees; no other reference to either exists meanwhile.
    let (library, looked) = unsafe { (&*library, &mut *looked.cast::<Looked>()) };
    // SAFETY: the library has so many segments there.
    let segments =
        unsafe { std::slice::from_raw_parts(library.dlpi_phdr, usize::from(library.dlpi_phnum)) };
    let has = |address: usize| {
        segments.iter().any(|it| {
            let start = library.dlpi_addr.wrapping_add(it.p_vaddr) as usize;
            it.p_type == libc::PT_LOAD && address.wrapping_sub(start) < it.p_memsz as usize
        })
    };
    if !has(libc::gnu_get_libc_version as *const c_void as usize) {
        return 0;
    }
    // A static program, or one that is not position-independent, seems to have everything in one library.
    let is_alone = !has(decide as *const c_void as usize);
    looked.are_its_own = is_alone && looked.functions.iter().all(|&it| has(it));
    1
}

/// Other C libraries don't report where they are loaded; only if linked statically can no library replace their
/// functions.
#[cfg(not(target_env = "gnu"))]
fn is_the_library_its_own() -> bool {
    cfg!(target_feature = "crt-static")
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
        let start = self.0.as_mut_ptr().cast::<u8>();
        if name.len() >= NAME_BYTES {
            return None;
        }
        // Byte by byte, as most names are short, and a function that copies them would return.
        for (n, &byte) in name.iter().enumerate() {
            if byte == 0 {
                return None;
            }
            // SAFETY: there is room for the name and the zero after it.
            unsafe { start.add(n).write(byte) };
        }
        // SAFETY: as above.
        unsafe { start.add(name.len()).write(0) };
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
    let Some(path) = path.set(name).filter(|_| !is_replaced()) else {
        return fs::openat(dir, name, flags, mode);
    };
    let (flags, mode) = (flags.bits() as usize, mode.bits() as usize);
    // SAFETY: the descriptor is open, and the path ends in a zero.
    let file = unsafe { call(Sysno::openat, [number(dir), path, flags, mode, 0, 0]) }?;
    // SAFETY: the call has opened it, and it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(file as RawFd) })
}

/// `statx(fd, "", AT_EMPTY_PATH, mask)`, as [`fstat`]; not by the C library.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/statx.2.html)
///
/// # Errors
///
/// The call's errno; ENOSYS where something stands in for the C library's functions and is to see every call.
#[inline(always)]
pub fn statx<T>(
    file: &OwnedFd,
    mask: u32,
    look: impl FnOnce(&libc::statx) -> T,
) -> Result<T, Errno> {
    if is_replaced() {
        return Err(Errno::NOSYS);
    }
    let mut statx = MaybeUninit::<libc::statx>::uninit();
    let (path, address) = (c"".as_ptr() as usize, statx.as_mut_ptr() as usize);
    let flags = libc::AT_EMPTY_PATH as usize;
    // SAFETY: the descriptor is open, the path ends in a zero, and the structure is the kernel's.
    unsafe {
        call(
            Sysno::statx,
            [number(file), path, flags, mask as usize, address, 0],
        )?;
        Ok(look(statx.assume_init_ref()))
    }
}

/// `open(path, flags, mode)`: [`openat`] from the current directory.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/open.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn open(name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut path = Path::EMPTY;
    let Some(path) = path.set(name).filter(|_| !is_replaced()) else {
        return fs::open(name, flags, mode);
    };
    let (flags, mode) = (flags.bits() as usize, mode.bits() as usize);
    // SAFETY: the path ends in a zero.
    let file = unsafe { call(Sysno::openat, [HERE, path, flags, mode, 0, 0]) }?;
    // SAFETY: the call has opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(file as RawFd) })
}

/// `fstat(fd)`; what of the answer is wanted is taken with `look`, so that nothing else is copied.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn fstat<T>(file: &OwnedFd, look: impl FnOnce(&Stat) -> T) -> Result<T, Errno> {
    if is_replaced() {
        return fs::fstat(file).map(|it| look(&it));
    }
    let mut stat = MaybeUninit::uninit();
    let address = stat.as_mut_ptr() as usize;
    // SAFETY: the descriptor is open, and on these architectures the C library's structure is the kernel's.
    unsafe {
        call(Sysno::fstat, [number(file), address, 0, 0, 0, 0])?;
        Ok(look(stat.assume_init_ref()))
    }
}

/// `fstatat(dir, name, flags)`, as [`fstat`].
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn statat<T>(
    dir: &OwnedFd,
    name: &OsStr,
    flags: AtFlags,
    look: impl FnOnce(&Stat) -> T,
) -> Result<T, Errno> {
    let mut path = Path::EMPTY;
    let Some(path) = path.set(name).filter(|_| !is_replaced()) else {
        return fs::statat(dir, name, flags).map(|it| look(&it));
    };
    let mut stat = MaybeUninit::uninit();
    let address = stat.as_mut_ptr() as usize;
    let arguments = [number(dir), path, address, flags.bits() as usize, 0, 0];
    // SAFETY: as for `fstat`, and the path ends in a zero.
    unsafe {
        call(FSTATAT, arguments)?;
        Ok(look(stat.assume_init_ref()))
    }
}

/// `stat(path)` or `lstat(path)`: [`statat`] from the current directory.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
#[inline(always)]
pub fn stat<T>(name: &OsStr, flags: AtFlags, look: impl FnOnce(&Stat) -> T) -> Result<T, Errno> {
    let mut path = Path::EMPTY;
    let Some(path) = path.set(name).filter(|_| !is_replaced()) else {
        return fs::statat(fs::CWD, name, flags).map(|it| look(&it));
    };
    let mut stat = MaybeUninit::uninit();
    let address = stat.as_mut_ptr() as usize;
    // SAFETY: as for `fstat`, and the path ends in a zero.
    unsafe {
        call(FSTATAT, [HERE, path, address, flags.bits() as usize, 0, 0])?;
        Ok(look(stat.assume_init_ref()))
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
    if is_replaced() {
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
    if is_replaced() {
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
    if is_replaced() {
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
    if is_replaced() {
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
    if is_replaced() {
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
    if is_replaced() {
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
    if is_replaced() {
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

    /// They return the same as the C library's functions.
    #[test]
    fn direct_calls_are_those_of_the_c_library() -> Result<(), Box<dyn std::error::Error>> {
        assert!(!is_replaced(), "nobody stands in for the C library here");
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
        let (ours, theirs) = (fstat(&copy, Stat::clone)?, fs::fstat(&copy)?);
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert_eq!((ours.st_mtime, ours.st_size), (-7, 7));
        let inode = statx(&copy, libc::STATX_INO, |it| it.stx_ino);
        assert_eq!(inode, Ok(ours.st_ino));
        let by_name = statat(
            &here,
            "copy".as_ref(),
            AtFlags::SYMLINK_NOFOLLOW,
            Stat::clone,
        )?;
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
            let stat = statat(&here, name.as_ref(), flags, Stat::clone);
            assert_eq!(stat.unwrap_err(), errno);
        }
        let taken = open(&here, "copy", CREATE).unwrap_err();
        assert_eq!(taken, Errno::EXIST);
        Ok(std::fs::remove_dir_all(&path)?)
    }
}
