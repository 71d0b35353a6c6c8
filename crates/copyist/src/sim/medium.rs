//! What is on the medium, and what a power failure leaves.

use super::faults::Call;
use super::world::{Body, World};
use crate::system::Sys;
use crate::words::stat::{FileKind, Stat};

impl World {
    /// What a file has now is on the medium.
    pub(super) fn flush_node(&mut self, ino: u64) {
        let node = self.node_mut(ino);
        if let Body::File(data) = &node.body {
            node.flushed = data.clone();
        }
    }

    /// One that is open, or a directory.
    pub(super) fn flush_open(&mut self, handle: u64) -> Sys<()> {
        let ino = self.file(handle)?.ino;
        self.enter(match self.node(ino).kind() {
            FileKind::Directory => Call::FlushDirectory,
            _ => Call::Flush,
        })?;
        self.flush_node(ino);
        Ok(())
    }

    /// The volume that an open file is on.
    pub(super) fn flush_volume_of(&mut self, handle: u64) -> Sys<()> {
        self.enter(Call::FlushVolume)?;
        let ino = self.file(handle)?.ino;
        self.flush_nodes(self.node(ino).volume);
        Ok(())
    }

    /// The same for all files of a volume.
    pub(super) fn flush_nodes(&mut self, volume: usize) {
        for node in self.nodes.values_mut().filter(|it| it.volume == volume) {
            if let Body::File(data) = &node.body {
                node.flushed = data.clone();
            }
        }
    }

    pub(super) fn flush_everything(&mut self) {
        (0..self.volumes.len()).for_each(|volume| self.flush_nodes(volume));
    }

    /// What is not on the medium is lost.
    pub(super) fn lose_power(&mut self) {
        self.mounts += 1;
        for node in self.nodes.values_mut() {
            if let Body::File(data) = &mut node.body {
                *data = node.flushed.clone();
            }
        }
    }

    /// What a process sees of a file: not every volume gives it the same number when it is mounted again.
    pub(super) fn seen(&self, ino: u64) -> Stat {
        let mut stat = self.stat(ino);
        if !self.volume_of(ino).kind.keeps_numbers() {
            stat.id.inode += self.mounts << 64;
        }
        stat
    }
}
