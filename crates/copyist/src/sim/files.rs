//! What the calls about open files and attributes do in a simulated world.

use super::data::{BLOCK, Data};
use super::faults::Effect;
use super::volume::{Direct, HoleMap, RangeCopy};
use super::world::{Body, OpenFile, World};
use crate::system::{Attribute, DirectAlignment, Move, Seek, Sys};
use crate::words::facts::{FsKind, Kernel};
use crate::words::method::Os;
use crate::words::stat::{FileKind, Timestamp};

/// FS_NOCOW_FL of linux/fs.h.
const NOCOW: u32 = 0x0080_0000;

/// FILE_ATTRIBUTE_SPARSE_FILE and FILE_ATTRIBUTE_INTEGRITY_STREAM of winnt.h.
const SPARSE: u32 = 0x200;
const INTEGRITY: u32 = 0x8000;

/// A time as the system keeps it: Windows counts units of 100 ns.
fn to_unit(os: Os, time: Timestamp) -> Timestamp {
    let unit = if os == Os::Windows { 100 } else { 1 };
    Timestamp {
        nanos: time.nanos - time.nanos % unit,
        ..time
    }
}

impl Effect {
    /// How much of `len` is left to be moved.
    fn limit(this: Option<&Effect>, len: u64) -> u64 {
        match this {
            Some(Effect::AtMost(bytes)) => len.min(*bytes),
            Some(Effect::Half) => len.div_ceil(2),
            Some(Effect::Nothing) => 0,
            _ => len,
        }
    }
}

impl World {
    pub(super) fn file(&self, handle: u64) -> Sys<&OpenFile> {
        self.open.get(&handle).ok_or(self.codes.badf)
    }

    pub(super) fn read_file(
        &mut self,
        handle: u64,
        offset: Option<u64>,
        buffer: &mut [u8],
        effect: Option<&Effect>,
    ) -> Sys<usize> {
        let file = self.file(handle)?.clone();
        if !file.reads {
            return Err(self.codes.badf);
        }
        let limit = Effect::limit(effect, buffer.len() as u64) as usize;
        self.check_direct(&file, offset, buffer.as_ptr().addr(), buffer.len())?;
        let now = self.now();
        let codes = self.codes;
        let node = self.node_mut(file.ino);
        node.accessed = now;
        match &mut node.body {
            Body::File(data) => {
                let read = data.read(offset.unwrap_or(file.position), &mut buffer[..limit]);
                if let (None, Some(file)) = (offset, self.open.get_mut(&handle)) {
                    file.position += read as u64;
                }
                Ok(read)
            }
            Body::Fifo(_) if offset.is_some() => Err(codes.spipe),
            Body::Fifo(content) => {
                let read = limit.min(content.len());
                buffer[..read].copy_from_slice(&content[..read]);
                content.drain(..read);
                Ok(read)
            }
            Body::Dir { .. } => Err(codes.isdir),
            Body::Link(_) | Body::MagicLink(..) | Body::Other(_) => Err(codes.inval),
        }
    }

    pub(super) fn write_file(
        &mut self,
        handle: u64,
        offset: Option<u64>,
        data: &[u8],
        effect: Option<&Effect>,
    ) -> Sys<usize> {
        let file = self.file(handle)?.clone();
        if !file.writes {
            return Err(self.codes.badf);
        }
        self.check_direct(&file, offset, data.as_ptr().addr(), data.len())?;
        let data = &data[..Effect::limit(effect, data.len() as u64) as usize];
        if data.is_empty() {
            return Ok(0);
        }
        let at = offset.unwrap_or(file.position);
        let written = match &mut self.node_mut(file.ino).body {
            Body::Fifo(content) => {
                content.extend_from_slice(data);
                return Ok(data.len());
            }
            Body::File(_) => self.put(file.ino, at, data)?,
            _ => return Err(self.codes.inval),
        };
        if let (None, Some(file)) = (offset, self.open.get_mut(&handle)) {
            file.position += written as u64;
        }
        Ok(written)
    }

    /// Writes as much as there is room for.
    pub(super) fn put(&mut self, ino: u64, offset: u64, data: &[u8]) -> Sys<usize> {
        self.check_order(ino, offset, data.len() as u64);
        let end = self.data(ino).map(Data::data_end);
        if self.volume_of(ino).wants_sequence && end.is_some_and(|end| end != offset) {
            return Err(self.codes.inval);
        }
        let (volume, limit) = (self.node(ino).volume, self.volume_of(ino).file_max_bytes);
        if offset >= limit {
            return Err(self.codes.fbig);
        }
        let mut len = data
            .len()
            .min(usize::try_from(limit - offset).unwrap_or(usize::MAX));
        let cost = |world: &World, len: usize| {
            world
                .data(ino)
                .map_or(0, |data| data.cost(offset, len as u64))
        };
        while len > 0 && cost(self, len) > self.volumes[volume].free_bytes {
            len = len.saturating_sub(BLOCK as usize);
        }
        if len == 0 {
            return Err(self.codes.nospc);
        }
        let taken = cost(self, len);
        self.take_room(volume, taken)?;
        self.change(ino, |content| content.write(offset, &data[..len]));
        Ok(len)
    }

    pub(super) fn change(&mut self, ino: u64, change: impl FnOnce(&mut Data)) {
        let now = self.now();
        let node = self.node_mut(ino);
        node.modified = now;
        if let Body::File(data) = &mut node.body {
            change(data);
        }
    }

    /// No method starts where there is something already. Several threads put their pieces in any
    /// order, and yet each only where nothing is.
    fn check_order(&mut self, ino: u64, offset: u64, len: u64) {
        let several = self.volume_of(ino).parallel_from_bytes.is_some();
        let end = self.data(ino).map_or(0, |data| {
            if several {
                data.last_block_end(offset..offset + len)
            } else {
                data.data_end()
            }
        });
        if offset < end {
            self.violations
                .push(format!("bytes put at {offset} of a file that has {end}"));
        }
    }

    fn check_direct(
        &self,
        file: &OpenFile,
        offset: Option<u64>,
        address: usize,
        len: usize,
    ) -> Sys<()> {
        if !file.direct {
            return Ok(());
        }
        match self.volume_of(file.ino).direct {
            Direct::Aligned(unit)
                if address.is_multiple_of(unit)
                    && len.is_multiple_of(unit)
                    && offset.unwrap_or(file.position).is_multiple_of(unit as u64) =>
            {
                Ok(())
            }
            _ => Err(self.codes.inval),
        }
    }

    pub(super) fn move_between(
        &mut self,
        how: Move,
        (src, dst): (u64, u64),
        (offset, len): (u64, u64),
        effect: Option<&Effect>,
    ) -> Sys<u64> {
        let (from, to) = (self.file(src)?.clone(), self.file(dst)?.clone());
        if !from.reads || !to.writes {
            return Err(self.codes.badf);
        }
        let (from, to) = (from.ino, to.ino);
        match how {
            Move::CloneFile | Move::CloneRange => self.clone_range(how, (from, to), (offset, len)),
            _ => {
                let len = Effect::limit(effect, len);
                self.check_move(how, from, to)?;
                let left = match self.data(from) {
                    _ if self.volume_of(from).range_copy == RangeCopy::Nothing => 0,
                    Some(data) => data.size().saturating_sub(offset),
                    None => return Err(self.codes.inval),
                };
                let loses = how == Move::CopyRange && self.loses_data(from, to);
                self.move_bytes((from, to), (offset, len.min(left)), loses)
            }
        }
    }

    /// Through a buffer of the simulator's own; blocks that are holes become zeros.
    fn move_bytes(
        &mut self,
        (from, to): (u64, u64),
        (offset, len): (u64, u64),
        loses: bool,
    ) -> Sys<u64> {
        let mut moved = 0;
        let mut buffer = vec![0; 1 << 16];
        while moved < len {
            let part = buffer
                .len()
                .min(usize::try_from(len - moved).unwrap_or(usize::MAX));
            let Some(data) = self.data(from) else { break };
            let read = data.read(offset + moved, &mut buffer[..part]);
            if loses {
                buffer[..read].fill(0);
            }
            match self.put(to, offset + moved, &buffer[..read]) {
                Ok(written) => moved += written as u64,
                Err(code) if moved == 0 => return Err(code),
                Err(_) => break,
            }
        }
        Ok(moved)
    }

    /// Linux 5.3 to 5.18 copied between any two filesystems, and lost data on the way.
    fn loses_data(&self, from: u64, to: u64) -> bool {
        self.node(from).volume != self.node(to).volume
            && self.kernel >= Kernel(5, 3)
            && self.kernel < Kernel(5, 19)
    }

    fn check_move(&self, how: Move, from: u64, to: u64) -> Sys<()> {
        let (src, dst) = (self.volume_of(from), self.volume_of(to));
        match how {
            Move::CopyRange if src.range_copy == RangeCopy::No => Err(self.codes.notsup),
            Move::CopyRange if dst.range_copy == RangeCopy::No => Err(self.codes.notsup),
            Move::CopyRange if src.id != dst.id && src.kind != dst.kind => {
                if self.loses_data(from, to) {
                    Ok(())
                } else {
                    Err(self.codes.xdev)
                }
            }
            Move::Sendfile if !src.sendfile => Err(self.codes.inval),
            _ => Ok(()),
        }
    }

    fn clone_range(
        &mut self,
        how: Move,
        (from, to): (u64, u64),
        (offset, len): (u64, u64),
    ) -> Sys<u64> {
        let (src, dst) = (self.node(from), self.node(to));
        if src.volume != dst.volume {
            return Err(self.codes.xdev);
        }
        if !self.volume_of(from).clones {
            return Err(self.codes.notsup);
        }
        let (Body::File(data), Body::File(_)) = (&src.body, &dst.body) else {
            return Err(self.codes.inval);
        };
        if self.os == Os::Windows {
            return self.duplicate_extents(how, (from, to), (offset, len));
        }
        if self.volume_of(from).kind == FsKind::Btrfs && (src.flags ^ dst.flags) & NOCOW != 0 {
            return Err(self.codes.inval);
        }
        let size = data.size();
        let (offset, len) = if how == Move::CloneFile {
            (0, size)
        } else {
            (offset, len)
        };
        let whole = len.is_multiple_of(BLOCK) || offset + len == size;
        if !offset.is_multiple_of(BLOCK) || !whole || offset + len > size {
            return Err(self.codes.inval);
        }
        let data = data.clone();
        let shared = len.min(self.volume_of(from).most_cloned_bytes);
        self.check_order(to, offset, shared);
        self.change(to, |content| content.share(&data, offset, shared));
        let now = self.data(to).map_or(0, Data::size);
        Ok(match how {
            Move::CloneFile => now,
            _ => now.saturating_sub(offset).min(len),
        })
    }

    /// FSCTL_DUPLICATE_EXTENTS_TO_FILE, with what ReFS asks for: whole clusters, less than 4 GiB of
    /// them, within the lengths of both files, which agree in being sparse and in having checksums.
    fn duplicate_extents(
        &mut self,
        how: Move,
        (from, to): (u64, u64),
        (offset, len): (u64, u64),
    ) -> Sys<u64> {
        let (src, dst) = (self.node(from), self.node(to));
        let (Body::File(data), Body::File(old)) = (&src.body, &dst.body) else {
            return Err(self.codes.inval);
        };
        if how == Move::CloneFile || (src.flags ^ dst.flags) & (SPARSE | INTEGRITY) != 0 {
            return Err(self.codes.notsup);
        }
        let end = offset + len;
        let is_within = |data: &Data| end <= data.size().next_multiple_of(BLOCK);
        let aligned = offset.is_multiple_of(BLOCK) && len.is_multiple_of(BLOCK);
        if !aligned || len == 0 || len >= 4 << 30 || !is_within(data) || !is_within(old) {
            return Err(self.codes.inval);
        }
        let data = data.clone();
        let bytes = len.min(data.size().saturating_sub(offset));
        self.check_order(to, offset, bytes);
        self.change(to, |content| content.share(&data, offset, bytes));
        Ok(len)
    }

    pub(super) fn seek_file(&self, handle: u64, offset: u64, what: Seek) -> Sys<Option<u64>> {
        let file = self.file(handle)?;
        let data = self.data(file.ino).ok_or(self.codes.inval)?;
        match (self.volume_of(file.ino).hole_map, what) {
            (HoleMap::None, _) => Err(self.codes.inval),
            (HoleMap::Sound, what) => Ok(data.seek(offset, what == Seek::Data)),
            // Dirty data that has no blocks yet, taken for a hole.
            (HoleMap::Lying, Seek::Data) => Ok(None),
            (HoleMap::Lying, Seek::Hole) => Ok(Some(offset)),
        }
    }

    pub(super) fn allocate_range(&mut self, handle: u64, offset: u64, len: u64) -> Sys<()> {
        let ino = self.file(handle)?.ino;
        if !self.volume_of(ino).reserves {
            return Err(self.codes.notsup);
        }
        let cost = self.data(ino).ok_or(self.codes.inval)?.cost(offset, len);
        self.take_room(self.node(ino).volume, cost)?;
        self.change(ino, |data| data.reserve(offset, len));
        Ok(())
    }

    pub(super) fn set_file_len(&mut self, handle: u64, len: u64) -> Sys<()> {
        let file = self.file(handle)?.clone();
        if !file.writes || self.data(file.ino).is_none() {
            return Err(self.codes.inval);
        }
        if len > self.volume_of(file.ino).file_max_bytes {
            return Err(self.codes.fbig);
        }
        let size = self.data(file.ino).map_or(0, Data::size);
        if len < size && self.volume_of(file.ino).odd.ignores_truncation {
            return Ok(());
        }
        // A file of Windows that was not said to be sparse has no holes.
        let fills = self.os == Os::Windows
            && self.node(file.ino).flags & SPARSE == 0
            && self.volume_of(file.ino).flags
            && len > size;
        if fills {
            let volume = self.node(file.ino).volume;
            let more = len - size;
            let cost = self.data(file.ino).map_or(0, |data| data.cost(size, more));
            self.take_room(volume, cost)?;
            self.change(file.ino, |data| data.reserve(size, more));
        }
        let before = self.data(file.ino).map_or(0, Data::allocated_bytes);
        self.change(file.ino, |data| data.set_len(len));
        let after = self.data(file.ino).map_or(0, Data::allocated_bytes);
        let volume = self.node(file.ino).volume;
        self.volumes[volume].free_bytes += before.saturating_sub(after);
        Ok(())
    }

    pub(super) fn turn_direct(&mut self, handle: u64, on: bool) -> Sys<DirectAlignment> {
        let ino = self.file(handle)?.ino;
        let alignment = match self.volume_of(ino).direct {
            Direct::Aligned(unit) => unit,
            Direct::RefusedLater => BLOCK as usize,
            Direct::Refused if on => return Err(self.codes.inval),
            Direct::Refused => 1,
        };
        if let Some(file) = self.open.get_mut(&handle) {
            file.direct = on;
        }
        Ok(DirectAlignment {
            memory: alignment,
            offset: alignment,
        })
    }

    pub(super) fn set_attribute(&mut self, ino: u64, attribute: Attribute) -> Sys<()> {
        if !matches!(attribute, Attribute::Flags(_)) {
            self.check_unlocked(ino)?;
        }
        let os = self.os;
        let owners = self.volume_of(ino).owners;
        let flags = self.volume_of(ino).flags;
        let volume = self.volume_of(ino).clone();
        let kept = |time| volume.kept(time);
        let (codes, privileged, me, my_group) = (self.codes, self.privileged, self.uid, self.gid);
        let node = self.node_mut(ino);
        if !privileged && node.uid != me {
            return Err(codes.perm);
        }
        match attribute {
            Attribute::Mode(_) | Attribute::Owner { .. } if !owners => return Err(codes.perm),
            Attribute::Mode(_) if node.kind() == FileKind::Symlink => return Err(codes.notsup),
            Attribute::Mode(mode) => node.mode = mode & 0o7777,
            Attribute::Owner { uid, gid } => {
                let gives = uid.is_some_and(|uid| uid != node.uid)
                    || gid.is_some_and(|gid| gid != node.gid && gid != my_group);
                if !privileged && gives {
                    return Err(codes.perm);
                }
                node.uid = uid.unwrap_or(node.uid);
                node.gid = gid.unwrap_or(node.gid);
                if node.kind() == FileKind::Regular {
                    node.mode &= !0o6000;
                }
            }
            Attribute::Times { accessed, modified } => {
                [node.accessed, node.modified] =
                    [accessed, modified].map(|it| to_unit(os, kept(it)));
                if os == Os::Macos {
                    node.created = node.created.min(modified); // as HFS+ and APFS have it
                }
            }
            Attribute::Created(_) if os == Os::Linux => return Err(codes.notsup),
            Attribute::Created(time) => node.created = to_unit(os, time),
            Attribute::Flags(_) if !flags => return Err(codes.notsup),
            Attribute::Flags(flags) => node.flags = flags,
        }
        Ok(())
    }
}
