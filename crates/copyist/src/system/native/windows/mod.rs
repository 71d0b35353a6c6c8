//! Windows: each method of the platform is one native call, or the few that Windows needs for it.
//!
//! Names are opened relative to open directories (`names.rs`), and never through a symbolic link or junction that was
//! not to be followed. The directories of a walk are opened without sharing for renames, so that where a call takes a
//! path (CopyFileExW), the path leads to that directory.

use std::ffi::{OsStr, OsString};

use copyist_sys::windows::{self as sys, constants as c};

use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Extent, Mounted, Move, Names, Node,
    NotMade, Open, Progress, Seek, Sys, Target, WholeCopy, XattrFailed,
};
use crate::think::rules::windows::{ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED};
use crate::words::facts::VolumeFacts;
use crate::words::options::Flush;
use crate::words::stat::Stat;

mod attributes;
mod by_path;
mod code;
mod data;
mod handle;
mod machine;
mod make;
mod names;
mod open;
mod stat;
mod volume;

use code::code;
pub(crate) use machine::Native;

pub(crate) use handle::Handle;

impl Names for Native {
    fn current_dir(&self) -> Sys<Handle> {
        open::current_dir()
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        stat::by_name(at, follow)
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<Handle> {
        open::open(at, how)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        make::make(at, &node)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        make::read_link(at)
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        make::remove(at, is_dir)
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        open::by_name(at, c::FILE_WRITE_DATA, 0, true).is_ok()
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        make::rename(from, to)
    }

    fn read_dir(&self, dir: &Handle, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        loop {
            let mut is_end = true;
            let add = |entry: sys::Entry| {
                is_end = false;
                let name = sys::wtf8(&entry.name);
                if name != OsStr::new(".") && name != OsStr::new("..") {
                    batch.push(&name, stat::entry_kind(entry.attributes, entry.tag));
                }
            };
            sys::query_directory(&dir.file, buffer, add).map_err(code)?;
            // A batch of only "." and ".." would look like the end of the directory.
            if is_end || !batch.is_empty() {
                return Ok(());
            }
        }
    }

    fn scratch(&self, dir: &Handle) -> Sys<Handle> {
        open::scratch(dir)
    }
}

impl Data for Native {
    fn stat_open(&self, handle: &Handle) -> Sys<Stat> {
        stat::of(&handle.file, handle.known_narrow())
    }

    fn volume(&self, handle: &Handle) -> Sys<VolumeFacts> {
        volume::facts(&handle.file)
    }

    fn read(&self, file: &Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        sys::read(file.for_data(), offset, buffer).map_err(code)
    }

    fn write(&self, file: &Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        sys::write(file.for_data(), offset, data).map_err(code)
    }

    fn move_data(&self, how: Move, src: &Handle, dst: &Handle, offset: u64, len: u64) -> Sys<u64> {
        match how {
            Move::CloneRange => data::clone_range(src, dst, offset, len),
            Move::Unbuffered => data::copy_unbuffered(src, dst, offset, len),
            Move::CloneFile | Move::CopyRange | Move::Sendfile => Err(ERROR_NOT_SUPPORTED),
        }
    }

    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Self>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        by_path::copy(self.build(), copy, progress)
    }

    fn seek(&self, file: &Handle, offset: u64, what: Seek) -> Sys<Option<u64>> {
        data::seek(file, offset, what)
    }

    fn allocate(&self, file: &Handle, offset: u64, len: u64) -> Sys<()> {
        if offset > 0 {
            return Err(ERROR_INVALID_PARAMETER); // space is reserved from the start of the file
        }
        sys::set_allocation(&file.file, len).map_err(code)
    }

    fn set_len(&self, file: &Handle, len: u64) -> Sys<()> {
        sys::set_end_of_file(&file.file, len).map_err(code)
    }

    fn direct_on(&self, file: &Handle) -> Sys<DirectAlignment> {
        file.direct_on()?;
        Ok(DirectAlignment {
            memory: handle::SECTOR_BYTES,
            offset: handle::SECTOR_BYTES,
        })
    }

    fn direct_off(&self, file: &Handle) -> Sys<()> {
        file.direct_off();
        Ok(())
    }

    /// Windows has one kind of flush, which goes to stable storage.
    fn flush(&self, file: &Handle, _: Flush) -> Sys<()> {
        sys::flush(&file.file).map_err(code)
    }

    fn lock(&self, file: &Handle) -> Sys<bool> {
        sys::lock(&file.file).map_err(code)
    }

    fn close(&self, file: Handle) -> Sys<()> {
        file.close()
    }

    fn extents(&self, file: &Handle, from: u64, found: &mut Vec<Extent>) -> Sys<bool> {
        data::extents(file, from, found)
    }

    fn describe(&self, handle: &Handle) -> Sys<Mounted> {
        volume::describe(&handle.file)
    }
}

impl Attributes for Native {
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        attributes::set(target, attribute)
    }

    fn flags(&self, file: &Handle) -> Sys<u32> {
        sys::attributes(&file.file).map_err(code)
    }

    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        attributes::stream_names(target, names)
    }

    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        attributes::value(target, name, value)
    }

    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()> {
        attributes::set_value(target, name, value)
    }

    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()> {
        attributes::remove_value(target, name)
    }

    fn copy_xattr(
        &self,
        src: Target<'_, Self>,
        dst: Target<'_, Self>,
        name: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<bool, XattrFailed> {
        attributes::copy_value(src, dst, name, buffer)
    }
}
