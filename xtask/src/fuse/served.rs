//! The FUSE protocol's side: each request is handed to the mirror, and its result sent back.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, CopyFileRangeFlags, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, InitFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags,
    ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyLseek,
    ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};

use super::behaviour::Op;
use super::mirror::{Changes, Mirror};
use super::names::Creator;

/// Requests of read-ahead and write-back that may wait at once; fewer would serialise latency.
const MAX_BACKGROUND: u16 = 64;

type Answer<T> = Result<T, rustix::io::Errno>;

/// A [`Mirror`] that the kernel can talk to.
#[derive(Debug)]
pub(super) struct Served(pub(super) Mirror);

impl Served {
    /// How long the kernel may trust an answer. It caches names by their spelling, so where two
    /// spellings mean one file it may not cache at all.
    fn ttl(&self) -> Duration {
        if self.0.behaviour.fold_case {
            Duration::ZERO
        } else {
            Duration::from_secs(1)
        }
    }

    fn entry(&self, reply: ReplyEntry, answer: Answer<FileAttr>) {
        match answer {
            Ok(attr) => reply.entry(&self.ttl(), &self.reported(attr), Generation(0)),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn attr(&self, reply: ReplyAttr, answer: Answer<FileAttr>) {
        match answer {
            Ok(attr) => reply.attr(&self.ttl(), &self.reported(attr)),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    /// The attributes of a file as the kernel gets them.
    fn reported(&self, attr: FileAttr) -> FileAttr {
        match self.0.behaviour.stat_size {
            Some(size) if attr.kind == FileType::RegularFile => FileAttr { size, ..attr },
            _ => attr,
        }
    }
}

fn wire(errno: rustix::io::Errno) -> Errno {
    Errno::from_i32(errno.raw_os_error())
}

fn done(reply: ReplyEmpty, answer: Answer<()>) {
    match answer {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(wire(errno)),
    }
}

fn opened(reply: ReplyOpen, answer: Answer<FileHandle>, flags: FopenFlags) {
    match answer {
        Ok(handle) => reply.opened(handle, flags),
        Err(errno) => reply.error(wire(errno)),
    }
}

/// The protocol asks for the length first, with a size of 0.
fn xattr(reply: ReplyXattr, answer: Answer<Vec<u8>>, size: u32) {
    match answer {
        Ok(data) if size == 0 => reply.size(data.len() as u32), // at most 64 KiB
        Ok(data) if data.len() > size as usize => reply.error(Errno::ERANGE),
        Ok(data) => reply.data(&data),
        Err(errno) => reply.error(wire(errno)),
    }
}

impl Served {
    /// The kernel's cache would hide short transfers, since it asks again until a page is full, and content
    /// behind the size that is reported.
    fn file_flags(&self) -> FopenFlags {
        let behaviour = &self.0.behaviour;
        if behaviour.short || behaviour.stat_size.is_some() {
            FopenFlags::FOPEN_DIRECT_IO
        } else {
            FopenFlags::empty()
        }
    }
}

impl Filesystem for Served {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let wanted = [
            // Lookups in one directory would otherwise wait for each other.
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_ASYNC_DIO,
            InitFlags::FUSE_POSIX_ACL,
            // With ACLs, only the backing filesystem knows whether the umask applies.
            InitFlags::FUSE_DONT_MASK,
        ];
        for flag in wanted {
            config
                .add_capabilities(flag)
                .map_err(|flag| io::Error::other(format!("the kernel's FUSE lacks {flag:?}")))?;
        }
        config
            .set_max_background(MAX_BACKGROUND)
            .map_err(|_| io::Error::other("the kernel refuses the number of waiting requests"))?;
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(reply, self.0.lookup(parent, name));
    }

    fn forget(&self, _: &Request, ino: INodeNo, lookups: u64) {
        self.0.nodes.forget(ino, lookups);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.attr(reply, self.0.getattr(ino));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changes = Changes {
            mode,
            uid,
            gid,
            size,
            atime,
            mtime,
        };
        self.attr(reply, self.0.setattr(ino, handle, &changes));
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match self.0.readlink(ino) {
            Ok(target) => reply.data(&target),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let creator = Creator::new(request, mode, umask);
        self.entry(reply, self.0.mknod(parent, name, creator, rdev));
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        self.entry(
            reply,
            self.0
                .mkdir(parent, name, Creator::new(request, mode, umask)),
        );
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.0.unlink(parent, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.0.rmdir(parent, name));
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        link_name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let creator = Creator::new(request, 0o777, 0);
        self.entry(reply, self.0.symlink(parent, link_name, target, creator));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        done(
            reply,
            self.0
                .rename((parent, name), (newparent, newname), flags.bits()),
        );
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        self.entry(reply, self.0.link(ino, newparent, newname));
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        opened(reply, self.0.open(ino, flags), self.file_flags());
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        match self
            .0
            .create(parent, name, Creator::new(request, mode, umask), flags)
        {
            Ok((attr, handle)) => {
                let attr = self.reported(attr);
                reply.created(&self.ttl(), &attr, Generation(0), handle, self.file_flags());
            }
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn read(
        &self,
        _: &Request,
        _ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.0.read(handle, offset, size) {
            Ok(data) => reply.data(&data),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn write(
        &self,
        _: &Request,
        _ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.0.write(handle, offset, data) {
            Ok(count) => reply.written(count),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn copy_file_range(
        &self,
        _: &Request,
        _src: INodeNo,
        src: FileHandle,
        src_offset: u64,
        _dst: INodeNo,
        dst: FileHandle,
        dst_offset: u64,
        bytes: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        match self
            .0
            .copy_file_range((src, src_offset), (dst, dst_offset), bytes)
        {
            Ok(count) => reply.written(count),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        done(reply, self.0.behaviour.enter(Op::Flush));
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        handle: FileHandle,
        flags: OpenFlags,
        _owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.0.release(ino, handle, flags.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, handle: FileHandle, data: bool, reply: ReplyEmpty) {
        done(reply, self.0.fsync(handle, data));
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        opened(reply, self.0.opendir(), FopenFlags::empty());
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let answer = self.0.readdir(ino, handle, offset, |next, listed| {
            reply.add(listed.ino, next, listed.kind, &listed.name)
        });
        match answer {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.0.handles.remove(handle);
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(reply, self.0.fsync_directory(ino));
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match self.0.statfs() {
            Ok(fs) => reply.statfs(
                fs.f_blocks,
                fs.f_bfree,
                fs.f_bavail,
                fs.f_files,
                fs.f_ffree,
                u32::try_from(fs.f_bsize).unwrap_or(4096),
                u32::try_from(fs.f_namemax).unwrap_or(255),
                u32::try_from(fs.f_frsize).unwrap_or(4096),
            ),
            Err(errno) => reply.error(wire(errno)),
        }
    }

    fn setxattr(
        &self,
        _: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        done(reply, self.0.setxattr(ino, name, value, flags));
    }

    fn getxattr(&self, _: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        xattr(reply, self.0.getxattr(ino, name), size);
    }

    fn listxattr(&self, _: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        xattr(reply, self.0.listxattr(ino), size);
    }

    fn removexattr(&self, _: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.0.removexattr(ino, name));
    }

    fn lseek(
        &self,
        _: &Request,
        _ino: INodeNo,
        handle: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        match self.0.lseek(handle, offset, whence) {
            Ok(offset) => reply.offset(offset),
            Err(errno) => reply.error(wire(errno)),
        }
    }
}
