//! Copies of whole files: CopyFileExW.

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
        // No call clones a whole file, and the copier creates its destination itself.
        _ => Err(ERROR_NOT_SUPPORTED.into()),
    }
}

/// The directory of the destination is open without sharing, so it can't be renamed. The source's path is queried
/// from the open file before and after the call: if it changed meanwhile, the call may have copied another file, and fails.
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
        // A partial destination is removed: a restart is never needed.
        restartable: false,
        // A symbolic link that replaced the source is not followed; and with this flag, a symbolic link that has the
        // destination's name makes the call fail.
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
