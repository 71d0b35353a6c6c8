//! Creating, renaming and removing names, and the targets of symbolic links and junctions.

use std::ffi::{OsStr, OsString};

use copyist_sys::reparse;
use copyist_sys::windows::{self as sys, How, constants as c};

use super::code::code;
use super::machine::Native;
use super::names::{ResolvedName, resolve};
use super::open;
use crate::system::{At, Node, Sys};
use crate::think::rules::windows::{
    ERROR_DIRECTORY, ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_FILENAME_EXCED_RANGE,
    ERROR_NOT_SUPPORTED, ERROR_PRIVILEGE_NOT_HELD,
};
use crate::words::code::Code;

pub(super) fn make(at: At<'_, Native>, node: &Node<'_, Native>) -> Sys<()> {
    let place = resolve(at)?;
    match node {
        Node::Directory { .. } => made(&place, c::FILE_LIST_DIRECTORY, true).map(|_| ()),
        Node::Symlink { target, to_dir } => symlink(&place, target, *to_dir),
        Node::HardLink { to, follow } => {
            let file = open::by_name(*to, c::FILE_WRITE_ATTRIBUTES, 0, *follow)?;
            sys::hard_link(&file, place.dir, &place.name).map_err(code)
        }
        Node::Special { .. } => Err(ERROR_NOT_SUPPORTED),
    }
}

fn made(
    place: &ResolvedName<'_>,
    access: u32,
    is_dir: bool,
) -> Sys<std::os::windows::io::OwnedHandle> {
    let kind = if is_dir {
        c::FILE_DIRECTORY_FILE
    } else {
        c::FILE_NON_DIRECTORY_FILE
    };
    let how = How {
        disposition: c::FILE_CREATE,
        ..How::open(access, kind | c::FILE_OPEN_REPARSE_POINT)
    };
    sys::ntcreatefile(place.dir, &place.name, &how).map_err(code)
}

/// Creates a symbolic link or, for a target in the kernel's form, a junction, which always leads to a directory.
fn symlink(place: &ResolvedName<'_>, target: &OsStr, to_dir: bool) -> Sys<()> {
    let target = sys::wide(target);
    let data = reparse::data(&target).ok_or(ERROR_FILENAME_EXCED_RANGE)?;
    let is_dir = to_dir || reparse::is_junction(&target);
    let file = made(place, c::FILE_WRITE_ATTRIBUTES | c::DELETE, is_dir)?;
    let Err(error) = sys::set_reparse_point(&file, &data) else {
        return Ok(());
    };
    // The file that was created for it is no link yet, and must not remain.
    sys::remove(&file).map_err(code)?;
    drop(file);
    if code(error) != ERROR_PRIVILEGE_NOT_HELD {
        return Err(code(error));
    }
    sys::create_symbolic_link(&path(place)?, &target, to_dir).map_err(code)
}

/// A path in Win32's form, beginning with `\\?\`.
pub(super) fn path(place: &ResolvedName<'_>) -> Sys<Vec<u16>> {
    let Some(dir) = place.dir else {
        let mut path: Vec<u16> = r"\\?\".encode_utf16().collect();
        path.extend(place.name.get(4..).unwrap_or_default());
        return Ok(path);
    };
    let mut path = sys::final_path(dir).map_err(code)?;
    if !place.name.is_empty() {
        path.push(u16::from(b'\\'));
        path.extend(&place.name);
    }
    Ok(path)
}

pub(super) fn read_link(at: At<'_, Native>) -> Sys<OsString> {
    let file = open::by_name(at, c::FILE_READ_ATTRIBUTES, 0, false)?;
    let data = sys::reparse_point(&file).map_err(code)?;
    let target = reparse::target(&data).ok_or(ERROR_NOT_SUPPORTED)?;
    Ok(sys::wtf8(&target))
}

/// A symbolic link to a directory is a directory to Windows, but not to the caller of this function.
pub(super) fn remove(at: At<'_, Native>, is_dir: bool) -> Sys<()> {
    let access = c::DELETE | c::FILE_READ_ATTRIBUTES | c::FILE_WRITE_ATTRIBUTES;
    let file = open::by_name(at, access, 0, false)?;
    let information = sys::information(&file).map_err(code)?;
    let is_plain_dir = information.attributes & c::FILE_ATTRIBUTE_DIRECTORY != 0
        && !reparse::is_surrogate(information.tag);
    match (is_dir, is_plain_dir) {
        (true, false) => return Err(ERROR_DIRECTORY),
        (false, true) => return Err(ERROR_DIRECTORY_NOT_SUPPORTED),
        _ => {}
    }
    match sys::remove(&file) {
        // If the read-only attribute prevents the removal, it is cleared; but not on a file with other names, which
        // share the attribute.
        Err(error) if is_read_only(information.attributes, error) && information.links == 1 => {
            let attributes = information.attributes & !c::FILE_ATTRIBUTE_READONLY;
            sys::set_attributes(&file, attributes.max(c::FILE_ATTRIBUTE_ARCHIVE))
                .and_then(|()| sys::remove(&file))
                .map_err(code)
        }
        removed => removed.map_err(code),
    }
}

fn is_read_only(attributes: u32, error: i32) -> bool {
    attributes & c::FILE_ATTRIBUTE_READONLY != 0
        && Code(error) == crate::think::rules::windows::ERROR_ACCESS_DENIED
}

pub(super) fn rename(from: At<'_, Native>, to: At<'_, Native>) -> Sys<()> {
    let file = open::by_name(from, c::DELETE | c::FILE_READ_ATTRIBUTES, 0, false)?;
    let place = resolve(to)?;
    sys::rename(&file, place.dir, &place.name).map_err(code)
}
