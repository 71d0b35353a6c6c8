use std::ffi::CStr;

use rustix::io::Errno;

use super::succeed;

/// The capabilities that a volume reports; `None` where it reports nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeCapabilities {
    /// VOL_CAP_INT_CLONE: clonefile.
    pub clones: Option<bool>,
    /// VOL_CAP_FMT_CASE_SENSITIVE: names that differ only in case are two.
    pub case_sensitive: Option<bool>,
}

/// The buffer for getattrlist's result, which begins with its length. See getattrlist(2).
#[repr(C, packed(4))]
struct Answer {
    length: u32,
    capabilities: libc::vol_capabilities_attr_t,
}

/// `getattrlist(path, { ATTR_VOL_INFO, ATTR_VOL_CAPABILITIES }, ...)`: the capabilities of a volume.
///
/// `mount_point` is its mount point: a volume's attributes can't be queried by any other path.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/getattrlist.2.html)
///
/// # Errors
///
/// The call's errno.
#[doc(alias = "getattrlist")]
pub fn volume_capabilities(mount_point: &CStr) -> Result<VolumeCapabilities, Errno> {
    let mut attributes = libc::attrlist {
        bitmapcount: libc::ATTR_BIT_MAP_COUNT,
        reserved: 0,
        commonattr: 0,
        volattr: libc::ATTR_VOL_INFO | libc::ATTR_VOL_CAPABILITIES,
        dirattr: 0,
        fileattr: 0,
        forkattr: 0,
    };
    let mut answer = Answer {
        length: 0,
        capabilities: libc::vol_capabilities_attr_t {
            capabilities: [0; 4],
            valid: [0; 4],
        },
    };
    // SAFETY: the path ends in a NUL; the list and the buffer live until the call returns, and
    // the size is the buffer's.
    succeed(unsafe {
        libc::getattrlist(
            mount_point.as_ptr(),
            (&raw mut attributes).cast(),
            (&raw mut answer).cast(),
            size_of::<Answer>(),
            0,
        )
    })?;
    if (answer.length as usize) < size_of::<Answer>() {
        return Err(Errno::IO); // it left something out
    }
    let all = answer.capabilities;
    let says = |set: usize, bit: u32| {
        (all.valid[set] & bit != 0).then_some(all.capabilities[set] & bit != 0)
    };
    Ok(VolumeCapabilities {
        clones: says(libc::VOL_CAPABILITIES_INTERFACES, libc::VOL_CAP_INT_CLONE),
        case_sensitive: says(
            libc::VOL_CAPABILITIES_FORMAT,
            libc::VOL_CAP_FMT_CASE_SENSITIVE,
        ),
    })
}
