//! Copies of whole files: clonefile, copyfile and fcopyfile.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use copyist_sys::callback::{Callback, Stopped};
use copyist_sys::macos::{self as sys, Contents};
use rustix::fs;
use rustix::io::Errno;

use super::super::unix;
use super::super::unix::code;
use super::machine::{Native, SEARCH};
use crate::system::{At, NotMade, Open, Progress, Takes, Target, Whole, WholeCopy};
use crate::think::rules::macos::EEXIST;
use crate::words::code::Code;

pub(super) fn copy(
    copy: &WholeCopy<'_, Native>,
    progress: &mut Progress<'_>,
) -> Result<u64, NotMade> {
    let Takes {
        may_share, by_path, ..
    } = copy.takes;
    match (copy.how, copy.src, copy.dst) {
        (Whole::Clone, src, Target::Named(dst)) => clone(src, dst, copy.takes),
        (Whole::SystemCopy, Target::Open(src), Target::Open(dst)) => {
            fill(src, dst, copy.takes, progress).map_err(NotMade::from)
        }
        (Whole::SystemCopy, Target::Open(src), Target::Named(dst)) if may_share && by_path => {
            by_paths(src, dst, copy.takes, progress)
        }
        (Whole::SystemCopy, Target::Open(src), Target::Named(dst)) => {
            make(src, dst, copy.takes, progress)
        }
        // No clone is made of an open file, and the copier copies no directories for us.
        (Whole::Clone, _, Target::Open(_)) | (Whole::SystemCopy, Target::Named(_), _) => {
            Err(code(Errno::OPNOTSUPP).into())
        }
    }
}

fn clone(src: Target<'_, Native>, dst: At<'_, Native>, takes: Takes) -> Result<u64, NotMade> {
    let mut flags = sys::CLONE_NOFOLLOW;
    if !takes.owner {
        flags |= sys::CLONE_NOOWNERCOPY;
    }
    if takes.acl {
        flags |= sys::CLONE_ACL;
    }
    let clone = |flags| match src {
        Target::Open(file) => sys::fclonefileat(file, dst.dir, dst.name, flags),
        Target::Named(at) => sys::clonefileat(at.dir, at.name, dst.dir, dst.name, flags),
    };
    match clone(flags) {
        // Before macOS 12.5 the flag is unknown; ACLs are also set separately.
        Err(Errno::INVAL) if takes.acl => clone(flags & !sys::CLONE_ACL),
        cloned => cloned,
    }
    .map_err(code)?;
    match src {
        // The source may have grown between the clone and this stat: the copy has the length that was cloned.
        Target::Open(_) => length(dst),
        Target::Named(_) => Ok(0),
    }
}

fn length(at: At<'_, Native>) -> Result<u64, NotMade> {
    unix::stat(at.dir, at.name, false)
        .map(|stat| stat.size)
        .map_err(|code| NotMade {
            code,
            is_left: true,
        })
}

/// copyfile by path, the only call with COPYFILE_CLONE. The source's path is that of the open file, so it is no
/// symbolic link.
fn by_paths(
    src: &OwnedFd,
    dst: At<'_, Native>,
    takes: Takes,
    progress: &mut Progress<'_>,
) -> Result<u64, NotMade> {
    let from = fs::getpath(src).map_err(code)?;
    let to = CString::new(dst.name.as_bytes()).map_err(|_| code(Errno::INVAL))?;
    let callback = Callback::new(progress);
    match sys::copyfile(&from, &to, true, contents(takes), callback) {
        Ok(_) => length(dst),
        Err(stopped) => {
            let code = stopped_code(stopped);
            Err(NotMade {
                code,
                // copyfile usually removes a partial destination itself; what still exists is left.
                is_left: code != EEXIST && unix::stat(dst.dir, dst.name, false).is_ok(),
            })
        }
    }
}

/// Creates a new file and calls fcopyfile: no path is resolved except in the open directory.
fn make(
    src: &OwnedFd,
    dst: At<'_, Native>,
    takes: Takes,
    progress: &mut Progress<'_>,
) -> Result<u64, NotMade> {
    let how = Open::Create { mode: takes.mode };
    let file = unix::open(dst.dir, dst.name, how, SEARCH)?;
    let result = fill(src, &file, takes, progress);
    let closed = copyist_sys::unix::close(file).map_err(code);
    result
        .and_then(|len| closed.map(|()| len))
        .map_err(|code| NotMade {
            code,
            is_left: true,
        })
}

fn fill(
    src: &OwnedFd,
    dst: &OwnedFd,
    takes: Takes,
    progress: &mut Progress<'_>,
) -> Result<u64, Code> {
    // It reads from the descriptor's position, which an earlier attempt may have moved.
    fs::seek(src, fs::SeekFrom::Start(0)).map_err(code)?;
    let callback = Callback::new(progress);
    sys::fcopyfile(src, dst, contents(takes), callback).map_err(stopped_code)?;
    // A compressed file is copied in its compressed form, and its bytes are not counted.
    fs::fstat(dst)
        .map(|stat| stat.st_size.cast_unsigned())
        .map_err(code)
}

/// What is set separately after the copy (owner, mode, times, ACLs) is not requested.
fn contents(takes: Takes) -> Contents {
    Contents {
        acl: false,
        stat: false,
        xattrs: takes.xattrs,
        holes: takes.holes,
    }
}

fn stopped_code(stopped: Stopped) -> Code {
    match stopped {
        Stopped::Cancelled => Code::CANCELLED,
        Stopped::Failed(code) => Code(code),
    }
}
