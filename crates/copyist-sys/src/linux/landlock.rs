use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

/// `LANDLOCK_ACCESS_FS_*` of `linux/landlock.h`: what may be done below a directory.
pub mod access {
    /// Open a file for reading.
    pub const READ_FILE: u64 = 1 << 2;
    /// Open a directory, or list it.
    pub const READ_DIR: u64 = 1 << 3;
    /// The accesses that a rule for a file, and no directory, can have.
    pub const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
    /// Open a file for writing.
    pub const WRITE_FILE: u64 = 1 << 1;
    /// Cut an open file's length, or set it at its opening.
    pub const TRUNCATE: u64 = 1 << 14;
    /// Run a file.
    pub const EXECUTE: u64 = 1;
    /// Use the ioctls of a device that is opened from now on.
    pub const IOCTL_DEV: u64 = 1 << 15;
}

const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
const LANDLOCK_RULE_PATH_BENEATH: u32 = 1;

/// `struct landlock_ruleset_attr`; an older kernel accepts it if the fields that it does not know are 0.
#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
    handled_access_net: u64,
    scoped: u64,
}

/// `struct landlock_path_beneath_attr`, which is packed in the kernel.
#[repr(C, packed)]
struct PathBeneathAttr {
    allowed_access: u64,
    parent_fd: i32,
}

/// The rights that a process keeps: a set of rules for `landlock_restrict_self`.
#[derive(Debug)]
pub struct Landlock {
    ruleset: OwnedFd,
    handled: u64,
}

impl Landlock {
    /// `landlock_create_ruleset(&attr, sizeof attr, 0)`: restricts everything that this kernel can restrict: every
    /// access to files, TCP, and from ABI version 6 on signals and abstract sockets of other processes.
    ///
    /// # References
    ///  - [Linux](https://man7.org/linux/man-pages/man2/landlock_create_ruleset.2.html)
    ///
    /// # Errors
    ///
    /// The call's errno: ENOSYS before Linux 5.13, EOPNOTSUPP where it was switched off at boot.
    #[doc(alias = "landlock_create_ruleset")]
    pub fn new() -> Result<Landlock, Errno> {
        let version = version()?;
        // Bits 0 to 12; moving to another directory; truncating; ioctls of devices.
        let handled = match version {
            1 => (1 << 13) - 1,
            2 => (1 << 14) - 1,
            3 | 4 => (1 << 15) - 1,
            _ => (1 << 16) - 1,
        };
        let attr = RulesetAttr {
            handled_access_fs: handled,
            handled_access_net: if version >= 4 { 0b11 } else { 0 },
            scoped: if version >= 6 { 0b11 } else { 0 },
        };
        // SAFETY: the call reads the struct, whose size is passed to it, before it returns.
        let result = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                &raw const attr,
                size_of::<RulesetAttr>(),
                0_u32,
            )
        };
        let fd = i32::try_from(result).map_err(|_| Errno::OVERFLOW)?;
        if fd < 0 {
            return Err(super::last_error());
        }
        // SAFETY: the kernel has just created this descriptor, and it has no other owner.
        let ruleset = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Landlock { ruleset, handled })
    }

    /// `landlock_add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0)`: allows these accesses to a file
    /// or below a directory, which may be open with `O_PATH`. A file that is no directory takes
    /// [`access::OF_FILES`] only.
    ///
    /// # References
    ///  - [Linux](https://man7.org/linux/man-pages/man2/landlock_add_rule.2.html)
    ///
    /// # Errors
    ///
    /// The call's errno.
    #[doc(alias = "landlock_add_rule")]
    pub fn allow(&self, place: impl AsFd, access: u64) -> Result<(), Errno> {
        let attr = PathBeneathAttr {
            allowed_access: access & self.handled,
            parent_fd: place.as_fd().as_raw_fd(),
        };
        // SAFETY: the call reads the struct before it returns; both descriptors are borrowed for as
        // long.
        let result = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                self.ruleset.as_raw_fd(),
                LANDLOCK_RULE_PATH_BENEATH,
                &raw const attr,
                0_u32,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(super::last_error())
        }
    }

    /// `landlock_restrict_self(ruleset, 0)`: from here on this thread, and those that it starts, have only the
    /// allowed rights. This can't be undone. Open files stay open.
    ///
    /// It also sets `PR_SET_NO_NEW_PRIVS`, which the call requires: set-ID programs have no effect.
    ///
    /// # References
    ///  - [Linux](https://man7.org/linux/man-pages/man2/landlock_restrict_self.2.html)
    ///
    /// # Errors
    ///
    /// The call's errno.
    #[doc(alias = "landlock_restrict_self")]
    pub fn restrict_self(self) -> Result<(), Errno> {
        rustix::thread::set_no_new_privs(true)?;
        // SAFETY: the call takes a descriptor, which is open, and no memory.
        let result = unsafe {
            libc::syscall(
                libc::SYS_landlock_restrict_self,
                self.ruleset.as_raw_fd(),
                0_u32,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(super::last_error())
        }
    }
}

/// `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)`.
fn version() -> Result<i32, Errno> {
    // SAFETY: with this flag there is no struct to be read.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<RulesetAttr>(),
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    match i32::try_from(version) {
        Ok(version) if version >= 1 => Ok(version),
        _ => Err(super::last_error()),
    }
}
