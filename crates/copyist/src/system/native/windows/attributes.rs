//! Attributes, times, streams, access control lists and owners.

use std::os::windows::io::OwnedHandle;

use copyist_sys::windows::{self as sys, BasicTimes, CopyFailed, Security, constants as c};

use super::code::code;
use super::machine::Native;
use super::{open, stat};
use crate::system::{Attribute, Sys, Target, XattrFailed};
use crate::think::rules::windows::{ERROR_FILE_NOT_FOUND, ERROR_NOT_SUPPORTED};
use crate::words::method::Os;
use crate::words::xattr_names::{access_acl, owner_record};

/// The attributes that FileBasicInformation sets; the others have calls of their own, or describe a state.
const PLAIN: u32 = c::FILE_ATTRIBUTE_READONLY
    | c::FILE_ATTRIBUTE_HIDDEN
    | c::FILE_ATTRIBUTE_SYSTEM
    | c::FILE_ATTRIBUTE_ARCHIVE
    | c::FILE_ATTRIBUTE_NOT_CONTENT_INDEXED;

/// CHECKSUM_TYPE_NONE and CHECKSUM_TYPE_CRC64.
const NO_CHECKSUM: u16 = 0;
const CRC64: u16 = 2;

/// Calls `act` with the file, opened with these rights.
fn on<T>(
    target: Target<'_, Native>,
    access: u32,
    act: impl FnOnce(&OwnedHandle) -> Result<T, i32>,
) -> Sys<T> {
    match target {
        Target::Open(handle) => handle.with(access, act),
        Target::Named(at) => {
            let file = open::by_name(at, access, super::handle::intent(access), false)?;
            act(&file).map_err(code)
        }
    }
}

pub(super) fn set(target: Target<'_, Native>, attribute: Attribute) -> Sys<()> {
    let access = c::FILE_READ_ATTRIBUTES | c::FILE_WRITE_ATTRIBUTES;
    match attribute {
        Attribute::Mode(mode) => on(target, access, |file| {
            let now = sys::attributes(file)?;
            // On a directory the attribute is not about write permission: Explorer uses it otherwise.
            let is_read_only = mode & 0o200 == 0 && now & c::FILE_ATTRIBUTE_DIRECTORY == 0;
            let read_only = if is_read_only {
                c::FILE_ATTRIBUTE_READONLY
            } else {
                0
            };
            if now & c::FILE_ATTRIBUTE_DIRECTORY != 0 {
                return Ok(());
            }
            set_plain(
                file,
                now,
                now & PLAIN & !c::FILE_ATTRIBUTE_READONLY | read_only,
            )
        }),
        Attribute::Times { accessed, modified } => on(target, access, |file| {
            let times = BasicTimes {
                created: 0,
                accessed: stat::ticks(accessed),
                written: stat::ticks(modified),
            };
            sys::set_times(file, times)
        }),
        Attribute::Created(created) => on(target, access, |file| {
            let times = BasicTimes {
                created: stat::ticks(created),
                ..BasicTimes::default()
            };
            sys::set_times(file, times)
        }),
        Attribute::Flags(flags) => set_flags(target, flags),
        // An owner is not a number on Windows: see `owner_record`.
        Attribute::Owner { .. } => Err(ERROR_NOT_SUPPORTED),
    }
}

fn set_plain(file: &OwnedHandle, now: u32, plain: u32) -> Result<(), i32> {
    if now & PLAIN == plain {
        return Ok(());
    }
    // 0 would leave all attributes unchanged.
    let plain = if plain == 0 {
        c::FILE_ATTRIBUTE_NORMAL
    } else {
        plain
    };
    sys::set_attributes(file, plain)
}

fn set_flags(target: Target<'_, Native>, flags: u32) -> Sys<()> {
    let access = c::FILE_READ_ATTRIBUTES | c::FILE_WRITE_ATTRIBUTES;
    let now = on(target, access, |file| sys::attributes(file))?;
    let differs = |flag: u32| (now ^ flags) & flag != 0;
    if differs(c::FILE_ATTRIBUTE_SPARSE_FILE) {
        on(target, c::FILE_WRITE_DATA, |file| {
            sys::set_sparse(file, flags & c::FILE_ATTRIBUTE_SPARSE_FILE != 0)
        })?;
    }
    if differs(c::FILE_ATTRIBUTE_INTEGRITY_STREAM) {
        on(target, c::FILE_READ_DATA | c::FILE_WRITE_DATA, |file| {
            let wanted = flags & c::FILE_ATTRIBUTE_INTEGRITY_STREAM != 0;
            let (_, other_flags) = sys::integrity(file)?;
            let algorithm = if wanted { CRC64 } else { NO_CHECKSUM };
            sys::set_integrity(file, (algorithm, other_flags))
        })?;
    }
    on(target, access, |file| set_plain(file, now, flags & PLAIN))
}

pub(super) fn stream_names(target: Target<'_, Native>, names: &mut Vec<u8>) -> Sys<()> {
    names.clear();
    let streams = on(target, c::FILE_READ_ATTRIBUTES, |file| sys::streams(file))?;
    for name in streams {
        names.extend(sys::name_bytes(&name));
        names.push(0);
    }
    Ok(())
}

/// The security record that an attribute name stands for; such a name has colons, so it is not that of a stream.
fn record(name: &[u8]) -> Option<Security> {
    if name == access_acl(Os::Windows) {
        Some(Security::AccessList)
    } else if Some(name) == owner_record(Os::Windows) {
        Some(Security::Owner)
    } else {
        None
    }
}

pub(super) fn value(target: Target<'_, Native>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
    value.clear();
    if let Some(part) = record(name) {
        on(target, c::READ_CONTROL, |file| {
            sys::security(file, part, value)
        })?;
        return Ok(part == Security::Owner || has_list(value));
    }
    let name = sys::bytes_name(name);
    match on(target, c::FILE_READ_ATTRIBUTES, |file| {
        sys::read_stream(file, &name, value)
    }) {
        Ok(()) => Ok(true),
        Err(code) if code == ERROR_FILE_NOT_FOUND => Ok(false),
        Err(code) => Err(code),
    }
}

/// Whether a self-relative descriptor has an ACL: its offset (the last of four, after four bytes) is not 0. A file on
/// FAT has none, and every user has all rights: that is not to be applied to its copy.
fn has_list(descriptor: &[u8]) -> bool {
    descriptor
        .get(16..20)
        .is_some_and(|offset| offset != [0; 4])
}

pub(super) fn set_value(target: Target<'_, Native>, name: &[u8], value: &[u8]) -> Sys<()> {
    match record(name) {
        Some(Security::AccessList) => {
            // What a file inherits from its directory is often what the source inherited too.
            let mut now = Vec::new();
            let read = on(target, c::READ_CONTROL, |file| {
                sys::security(file, Security::AccessList, &mut now)
            });
            if read.is_ok() && now == value {
                return Ok(());
            }
            on(target, c::WRITE_DAC, |file| {
                sys::set_security(file, Security::AccessList, value)
            })
        }
        Some(Security::Owner) => on(target, c::WRITE_OWNER, |file| {
            sys::set_security(file, Security::Owner, value)
        }),
        None => {
            let name = sys::bytes_name(name);
            on(target, c::FILE_READ_ATTRIBUTES, |file| {
                sys::write_stream(file, &name, value)
            })
        }
    }
}

/// A stream is copied piece by piece: it may be as large as a file.
pub(super) fn copy_value(
    src: Target<'_, Native>,
    dst: Target<'_, Native>,
    stream: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<bool, XattrFailed> {
    let name = sys::bytes_name(stream);
    let mut copied = Ok(());
    let both = on(src, c::FILE_READ_ATTRIBUTES, |from| {
        let to_it = on(dst, c::FILE_READ_ATTRIBUTES, |to| {
            copied = sys::copy_stream(from, to, &name, buffer);
            Ok(())
        });
        Ok(to_it)
    });
    both.map_err(XattrFailed::Reading)?
        .map_err(XattrFailed::Writing)?;
    match copied {
        Ok(()) => Ok(true),
        Err(CopyFailed::Reading(error)) if code(error) == ERROR_FILE_NOT_FOUND => Ok(false),
        Err(CopyFailed::Reading(error)) => Err(XattrFailed::Reading(code(error))),
        Err(CopyFailed::Writing(error)) => Err(XattrFailed::Writing(code(error))),
    }
}

pub(super) fn remove_value(target: Target<'_, Native>, name: &[u8]) -> Sys<()> {
    if record(name).is_some() {
        return Err(ERROR_NOT_SUPPORTED); // every file has an owner and an ACL
    }
    let name = sys::bytes_name(name);
    match on(target, c::FILE_READ_ATTRIBUTES, |file| {
        sys::remove_stream(file, &name)
    }) {
        Err(code) if code == ERROR_FILE_NOT_FOUND => Ok(()),
        removed => removed,
    }
}
