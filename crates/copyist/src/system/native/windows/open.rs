//! Opening files: access rights, sharing, and which names are followed.

use std::os::windows::io::{AsHandle, OwnedHandle};
use std::sync::atomic::{AtomicU64, Ordering};

use copyist_sys::reparse;
use copyist_sys::windows::{self as sys, How, constants as c};

use super::code::code;
use super::handle::Handle;
use super::machine::Native;
use super::names::{ResolvedName, resolve};
use crate::system::{At, Open, Sys};
use crate::think::rules::windows::{
    ERROR_CANT_RESOLVE_FILENAME, ERROR_DIRECTORY, ERROR_FILE_NOT_FOUND, ERROR_NOT_SUPPORTED,
};

/// The rights to read or create a file include reading its security descriptor (FILE_GENERIC_READ,
/// FILE_GENERIC_WRITE).
const READ: u32 = c::FILE_READ_DATA | c::FILE_READ_ATTRIBUTES | c::READ_CONTROL;
const WRITE: u32 = c::FILE_WRITE_DATA | c::FILE_READ_ATTRIBUTES | c::FILE_WRITE_ATTRIBUTES;
const PLACE: u32 = c::FILE_TRAVERSE | c::FILE_READ_ATTRIBUTES;
const DIRECTORY: u32 = PLACE | c::FILE_LIST_DIRECTORY;

/// A directory of a walk is opened without sharing deletion, so that it can't be renamed or removed.
const PINNED: u32 = c::FILE_SHARE_READ | c::FILE_SHARE_WRITE;

pub(super) fn current_dir() -> Sys<Handle> {
    let path = sys::nt_path(&[u16::from(b'.')]).map_err(code)?;
    let how = How::open(PLACE, c::FILE_DIRECTORY_FILE);
    let dir = sys::ntcreatefile(None, &path, &how).map_err(code)?;
    Ok(Handle::current(dir, PLACE))
}

pub(super) fn open(at: At<'_, Native>, how: Open) -> Sys<Handle> {
    let place = resolve(at)?;
    let directory = |access, follow| {
        let how = How {
            share: PINNED,
            ..How::open(access, c::FILE_DIRECTORY_FILE)
        };
        (how, follow)
    };
    let (how, follow) = match how {
        Open::Read { follow } | Open::ReadStream { follow } => {
            (How::open(READ, c::FILE_SEQUENTIAL_ONLY), follow)
        }
        // No open waits on Windows.
        Open::Write { follow } | Open::WriteStream { follow } | Open::WriteEmptied { follow } => {
            (How::open(WRITE, c::FILE_NON_DIRECTORY_FILE), follow)
        }
        Open::Create { .. } | Open::CreateDraft { .. } => {
            let made = create(&place, c::FILE_CREATE, c::FILE_OPEN_REPARSE_POINT)?;
            let narrow = match place.dir {
                Some(_) if at.dir.is_current => at.dir.known_narrow(), // not worth a query
                Some(_) => at.dir.narrow(),
                None => None,
            };
            return Ok(made.on(narrow));
        }
        Open::CreateThrough { .. } => return create(&place, c::FILE_OPEN_IF, 0),
        Open::Draft => (How::open(READ | WRITE, c::FILE_NON_DIRECTORY_FILE), false),
        // Windows has none.
        Open::Nameless { .. } => return Err(ERROR_NOT_SUPPORTED),
        Open::Directory { follow } => directory(DIRECTORY, follow),
        Open::Path { follow } => directory(PLACE, follow),
    };
    let (file, is_itself) = opened(&place, how, follow)?;
    let stays = is_itself && place.dir.is_some();
    let narrow = if stays { at.dir.narrow() } else { None };
    Ok(Handle::new(file, how.access).on(narrow))
}

/// The read-only attribute is set at the end: until then, more than one handle writes to the file.
fn create(place: &ResolvedName<'_>, disposition: u32, options: u32) -> Sys<Handle> {
    if place.wants_dir {
        return Err(ERROR_DIRECTORY);
    }
    let access = READ | WRITE;
    let how = How {
        disposition,
        ..How::open(access, c::FILE_NON_DIRECTORY_FILE | options)
    };
    let file = sys::ntcreatefile(place.dir, &place.name, &how).map_err(code)?;
    Ok(Handle::new(file, access))
}

/// Opens a name itself, whatever its type; a symbolic link is followed only with `follow`.
pub(super) fn by_name(
    at: At<'_, Native>,
    access: u32,
    options: u32,
    follow: bool,
) -> Sys<OwnedHandle> {
    by_place(&resolve(at)?, access, options, follow)
}

pub(super) fn by_place(
    place: &ResolvedName<'_>,
    access: u32,
    options: u32,
    follow: bool,
) -> Sys<OwnedHandle> {
    let itself = if follow || place.wants_dir {
        0
    } else {
        c::FILE_OPEN_REPARSE_POINT
    };
    let dir = if place.wants_dir {
        c::FILE_DIRECTORY_FILE
    } else {
        0
    };
    let options = options | itself | dir | c::FILE_OPEN_NO_RECALL;
    sys::ntcreatefile(place.dir, &place.name, &How::open(access, options)).map_err(code)
}

/// Opens for reading or writing. Unless `follow` is set, a name surrogate (link, junction) is refused; other reparse
/// points (placeholders, deduplicated files) are opened as ordinary files. Also returns whether the name is certainly
/// no reparse point.
fn opened(place: &ResolvedName<'_>, how: How, follow: bool) -> Sys<(OwnedHandle, bool)> {
    let how = if place.wants_dir {
        How {
            options: how.options & !c::FILE_SEQUENTIAL_ONLY | c::FILE_DIRECTORY_FILE,
            ..how
        }
    } else {
        how
    };
    let open = |how: &How| sys::ntcreatefile(place.dir, &place.name, how).map_err(code);
    if follow || place.wants_dir {
        return Ok((open(&how)?, false));
    }
    let itself = open(&How {
        options: how.options | c::FILE_OPEN_REPARSE_POINT,
        ..how
    })?;
    // A device has no attributes, and is no link.
    let Ok(tag) = sys::reparse_tag(&itself) else {
        return Ok((itself, false));
    };
    if tag == 0 {
        return Ok((itself, true));
    }
    if reparse::is_surrogate(tag) {
        return Err(ERROR_CANT_RESOLVE_FILENAME);
    }
    let file = open(&how)?;
    let id = |file: &OwnedHandle| super::handle::id(file, None);
    if id(&file)? == id(&itself)? {
        Ok((file, false))
    } else {
        Err(ERROR_FILE_NOT_FOUND) // it was replaced between the two opens
    }
}

/// A file for trials, which is deleted when it is closed.
pub(super) fn scratch(dir: &Handle) -> Sys<Handle> {
    // It has a name until it is closed.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!(".copyist-scratch-{}-{n}", std::process::id());
    let access = READ | WRITE | c::DELETE;
    let how = How {
        disposition: c::FILE_CREATE,
        ..How::open(access, c::FILE_NON_DIRECTORY_FILE | c::FILE_DELETE_ON_CLOSE)
    };
    let name: Vec<u16> = name.encode_utf16().collect();
    let file = sys::ntcreatefile(Some(dir.file.as_handle()), &name, &how).map_err(code)?;
    Ok(Handle::new(file, access))
}
