//! Linux.

mod copy_file_range;
mod ficlonerange;
mod fiemap;
mod landlock;
mod sync_file_range;

pub use copy_file_range::has_copy_file_range;
pub use ficlonerange::ficlonerange;
pub use fiemap::{FiemapExtent, fiemap};
pub use landlock::{Landlock, access};
pub use sync_file_range::sync_file_range;

use rustix::io::Errno;

/// The errno of the call that has just failed on this thread.
fn last_error() -> Errno {
    let code = std::io::Error::last_os_error().raw_os_error();
    Errno::from_raw_os_error(code.unwrap_or(libc::EIO))
}
