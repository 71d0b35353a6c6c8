//! Copies of whole files in a simulated world: clonefile and copyfile of macOS, CopyFileExW of Windows.

use std::ffi::OsStr;

use super::data::Data;
use super::faults::Effect;
use super::world::{Body, Node, Resolved, World};
use crate::system::{NotMade, Progress, Sys, Takes, Whole};
use crate::words::method::Os;
use crate::words::stat::FileKind;
use crate::words::xattr_names::access_acl;

/// The system's copier reports its progress after so many bytes.
const STEP_BYTES: usize = 64 << 10;

/// Where the copy goes: an open file, or a name in a directory.
pub(super) enum Onto<'a> {
    Open(u64),
    Named(u64, &'a OsStr),
}

impl World {
    pub(super) fn copy_by_path(
        &mut self,
        how: Whole,
        src: u64,
        onto: &Onto<'_>,
        takes: Takes,
        effect: Option<&Effect>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        match (how, self.os, onto) {
            (_, Os::Linux | Os::Freebsd, _) => Err(self.codes.nosys.into()),
            (Whole::Clone, Os::Windows, _) | (Whole::Clone, _, Onto::Open(_)) => {
                Err(self.codes.notsup.into())
            }
            // CopyFileExW knows no open files.
            (_, Os::Windows, Onto::Open(_)) => Err(self.codes.notsup.into()),
            (Whole::Clone, Os::Macos, Onto::Named(dir, name)) => {
                let at = self.free_name(*dir, name)?;
                Ok(self.clone_node(src, &at, takes)?)
            }
            (Whole::SystemCopy, _, Onto::Named(dir, name)) => {
                let at = self.free_name(*dir, name)?;
                self.system_copy_to(src, &at, takes, effect, progress)
            }
            (Whole::SystemCopy, _, Onto::Open(dst)) => {
                self.check_system_copy(src, *dst)?;
                self.copy_bytes(src, *dst, effect, progress)
            }
        }
    }

    fn free_name(&self, dir: u64, name: &OsStr) -> Sys<Resolved> {
        let at = self.resolve(dir, name, false)?;
        if at.ino.is_some() {
            return Err(self.codes.exist);
        }
        self.check(at.dir, 3)?;
        Ok(at)
    }

    /// clonefile(2): everything but set-id bits, what `takes` leaves out, and hard links: in a
    /// directory each name becomes a file of its own.
    fn clone_node(&mut self, src: u64, at: &Resolved, takes: Takes) -> Sys<u64> {
        if self.node(src).volume != self.node(at.dir).volume {
            return Err(self.codes.xdev);
        }
        if !self.volume_of(src).clones {
            return Err(self.codes.notsup);
        }
        let node = self.node(src).clone();
        let (body, inner) = match node.body {
            Body::File(ref data) => {
                let mut shared = Data::default();
                shared.share(data, 0, data.size());
                shared.set_len(data.size());
                (Body::File(shared), Vec::new())
            }
            Body::Dir { ref names, .. } => {
                let inner: Vec<_> = names.iter().map(|(n, ino)| (n.clone(), *ino)).collect();
                let body = Body::Dir {
                    names: Default::default(),
                    parent: at.dir,
                };
                (body, inner)
            }
            Body::Link(ref target) => (Body::Link(target.clone()), Vec::new()),
            Body::Fifo(_) | Body::Other(_) | Body::MagicLink(..) => return Err(self.codes.notsup),
        };
        let len = match &body {
            Body::File(data) => data.size(),
            _ => 0,
        };
        let made = self.make_named(at, body, node.mode)?;
        for (name, ino) in inner {
            let below = Resolved {
                dir: made,
                name,
                ino: None,
            };
            self.clone_node(ino, &below, takes)?;
        }
        self.give_attributes(&node, made, takes);
        Ok(len)
    }

    fn give_attributes(&mut self, src: &Node, made: u64, takes: Takes) {
        let acl = access_acl(self.os);
        let takes_owner = takes.owner && self.privileged;
        let node = self.node_mut(made);
        let set_id = if src.kind() == FileKind::Regular {
            0o6000
        } else {
            0
        };
        node.mode = src.mode & !set_id;
        if takes_owner {
            (node.uid, node.gid) = (src.uid, src.gid);
        }
        let inherited = node.xattrs.remove(acl);
        node.xattrs = src.xattrs.clone();
        let list = if takes.acl {
            node.xattrs.remove(acl).or(inherited)
        } else {
            node.xattrs.remove(acl);
            inherited
        };
        if let Some(list) = list {
            node.xattrs.insert(acl.to_vec(), list);
        }
        (node.accessed, node.modified, node.created) = (src.accessed, src.modified, src.created);
        node.flags = src.flags;
    }

    fn check_system_copy(&self, src: u64, dst: u64) -> Sys<()> {
        if self.volume_of(src).system_copy && self.volume_of(dst).system_copy {
            Ok(())
        } else {
            Err(self.codes.notsup)
        }
    }

    fn system_copy_to(
        &mut self,
        src: u64,
        at: &Resolved,
        takes: Takes,
        effect: Option<&Effect>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        self.check_system_copy(src, at.dir)?;
        // COPYFILE_CLONE, which only copyfile by path takes; CopyFileExW clones by itself.
        let shares = match self.os {
            Os::Macos => takes.may_share && takes.by_path,
            _ => self.volume_of(at.dir).clones,
        };
        let may_clone =
            self.volume_of(src).clones && self.node(src).volume == self.node(at.dir).volume;
        if shares && may_clone && effect.is_none() {
            return Ok(self.clone_node(src, at, takes)?);
        }
        let node = self.node(src).clone();
        let mode = takes.mode & !self.umask;
        let made = self.make_named(at, Body::File(Data::default()), mode)?;
        let result = self.copy_bytes(src, made, effect, progress);
        match result {
            Ok(len) => {
                if self.os == Os::Windows || takes.by_path {
                    self.give_attributes(&node, made, takes);
                }
                Ok(len)
            }
            // CopyFileExW removes what it can't finish.
            Err(failed) if self.os == Os::Windows => {
                self.unname(at.dir, &at.name)?;
                self.forget_if_unused(made);
                Err(failed.code.into())
            }
            Err(failed) => Err(NotMade {
                is_left: true,
                ..failed
            }),
        }
    }

    fn copy_bytes(
        &mut self,
        src: u64,
        dst: u64,
        effect: Option<&Effect>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        let fails = match effect {
            Some(Effect::FailHalfWay(code)) => Some(*code),
            _ => None,
        };
        let mut buffer = vec![0; STEP_BYTES];
        let mut done = 0;
        loop {
            let data = self.data(src).ok_or(self.codes.inval)?;
            let half = data.size() / 2;
            let read = data.read(done, &mut buffer);
            if read == 0 {
                return Ok(done);
            }
            let mut written = 0;
            while written < read {
                written += self.put(dst, done + written as u64, &buffer[written..read])?;
            }
            done += read as u64;
            if progress(done).is_break() {
                return Err(crate::words::code::Code::CANCELLED.into());
            }
            if let Some(code) = fails.filter(|_| done >= half) {
                return Err(code.into());
            }
        }
    }
}
