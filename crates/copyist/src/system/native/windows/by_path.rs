//! Whole copies: CopyFileExW.

use std::sync::atomic::Ordering;

use copyist_sys::callback::{Callback, Stopped};
use copyist_sys::windows::{self as sys, CopyFlags};

use super::code::code;
use super::handle::Handle;
use super::machine::Native;
use super::make::path;
use super::names::resolve;
use super::stat;
use crate::system::{At, NotMade, Progress, Target, Whole, WholeCopy};
use crate::think::rules::windows::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_NOT_SUPPORTED,
};
use crate::words::code::Code;

pub(super) fn copy(
    build: u32,
    copy: &WholeCopy<'_, Native>,
    progress: &mut Progress<'_>,
) -> Result<u64, NotMade> {
    match (copy.how, copy.src, copy.dst) {
        (Whole::SystemCopy, Target::Open(src), Target::Named(dst)) => {
            by_paths(build, copy, src, dst, progress)
        }
        // No call clones a whole file, and the copier makes its destination itself.
        _ => Err(ERROR_NOT_SUPPORTED.into()),
    }
}

/// The directory that the destination is made in is open, and can't be renamed. The source's path
/// is asked of the open file, before and after: whatever took its place meanwhile is no copy of it.
fn by_paths(
    build: u32,
    copy: &WholeCopy<'_, Native>,
    src: &Handle,
    dst: At<'_, Native>,
    progress: &mut Progress<'_>,
) -> Result<u64, NotMade> {
    let from = sys::final_path(&src.file).map_err(code)?;
    let to = path(&resolve(dst)?)?;
    let flags = CopyFlags {
        // What is left of a failed copy is removed: there is nothing to restart from.
        restartable: false,
        // A symbolic link that took the source's place is not followed; and with this flag one
        // that has the destination's name already is a name that is taken.
        copy_symlink: true,
        no_buffering: copy.takes.unbuffered,
        compressed_traffic: copy.takes.over_network,
        sparse: copy.takes.holes,
    };
    let callback = Callback::new(progress);
    let copied = sys::copyfileexw(&from, &to, flags.known_to(build), copy.cancel, callback);
    let left = |code: Code| NotMade {
        code,
        is_left: ![ERROR_FILE_EXISTS, ERROR_ALREADY_EXISTS].contains(&code)
            && stat::by_name(dst, false).is_ok(),
    };
    match copied {
        Ok(()) => {}
        Err(Stopped::Cancelled) => return Err(left(Code::CANCELLED)),
        Err(Stopped::Failed(_)) if copy.cancel.load(Ordering::Acquire) != 0 => {
            return Err(left(Code::CANCELLED));
        }
        Err(Stopped::Failed(error)) => return Err(left(code(error))),
    }
    if sys::final_path(&src.file).map_err(code) != Ok(from) {
        return Err(left(ERROR_FILE_NOT_FOUND));
    }
    let made = stat::by_name(dst, false).map_err(left)?;
    Ok(made.size)
}
