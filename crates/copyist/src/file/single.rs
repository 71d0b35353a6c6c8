//! Copies one small file by its path: the most frequent call of programs that copy file after file.
//!
//! The engine would open the current directory and set up a walk. Here a file takes only the calls of its copy, and
//! the decisions of the last file are used again. A file that is not as expected is left to the engine, which starts
//! from the beginning; what was created here is removed before. So no failure is reported here.
//!
//! Like [`std::fs::copy`], and unlike the engine, it opens a source to see what it is: a stat before the open would
//! take a twelfth of the time. It never waits for the other end of a FIFO.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Instant;

use crate::run::buffers::BUFFER_BYTES;
use crate::run::volumes::{self, Learnt, VolumePair};
use crate::system::{Attribute, Move, Open, Platform, Target};
use crate::think::plan::SMALL_BYTES;
use crate::think::rules;
use crate::words::facts::{FileFacts, VolumeFacts};
use crate::words::method::{Method, Os};
use crate::words::options::{Atomic, Backup, Force, Fsync, Make, NewMode, Options, Update, Want};
use crate::words::report::{Attempt, Ended, Report};
use crate::words::stat::{FileKind, Stat};

/// Whether the options ask for nothing but a file's data and permission bits. Methods and holes are considered where
/// small files are planned ([`crate::think::plan::small_files`]).
pub(crate) fn suits(os: Os, options: &Options) -> bool {
    // All options are listed, so that a new one is not forgotten.
    let Options {
        reflink: _,
        sparse: _,
        methods: _,
        preserve,
        new_mode: _,
        follow: _,
        read_open_files: _,
        recursive: _,
        one_file_system: _,
        copy_contents,
        attributes_only,
        make,
        update,
        interactive,
        filtered,
        force,
        backup,
        backup_suffix: _,
        keep_directory_symlink: _,
        write_through_dangling: _,
        jobs: _,
        bench_results,
        prove,
        atomic,
        fsync,
        on_change: _,
        #[cfg(feature = "journal")]
            journal: _,
        flush,
        #[cfg(feature = "hash")]
            hash: _,
        #[cfg(feature = "verify")]
            verify: _,
        #[cfg(feature = "verify")]
            keep_bad: _,
        cache: _,
        ordered: _,
    } = options;
    // macOS copies by path in one call, and Windows prepares a destination before its first byte.
    matches!(os, Os::Linux | Os::Freebsd)
        && !(preserve.keeps_acl() || preserve.owner || preserve.times || preserve.flags)
        && (preserve.xattrs, preserve.context) == (Want::No, Want::No)
        && !(*copy_contents || *attributes_only || *interactive || *filtered || *prove)
        && *make == Make::Copy
        && *update == Update::All
        && *force != Force::RemoveFirst
        && *backup == Backup::None
        && bench_results.is_empty()
        && *atomic == Atomic::No
        && *fsync == Fsync::None
        && flush.is_none()
        && options.hash_wanted().is_none()
        && !options.has_journal()
}

/// Copies such a file; `None` leaves it to the engine. Follows a symbolic link to the source.
pub(crate) fn copy<P: Platform>(
    platform: &P,
    learnt: &Learnt,
    options: &Options,
    (src_path, dst_path): (&OsStr, &OsStr),
) -> Option<Report> {
    let start = Instant::now();
    let src = platform
        .open_path(src_path, Open::Read { follow: true })
        .ok()?;
    let copied = match platform.stat_open(&src) {
        Ok(stat) if is_plain(&stat) => {
            let single = Single {
                platform,
                learnt,
                options,
                start,
                src: (&src, &stat),
            };
            single.copy_to(dst_path)
        }
        _ => None,
    };
    platform.close_quietly(src);
    copied
}

fn is_plain(stat: &Stat) -> bool {
    let file = FileFacts::plain(stat.size, stat.allocated_bytes);
    stat.kind == FileKind::Regular && (1..=SMALL_BYTES).contains(&stat.size) && !file.looks_sparse()
}

struct Single<'a, P: Platform> {
    platform: &'a P,
    learnt: &'a Learnt,
    options: &'a Options,
    start: Instant,
    src: (&'a P::Handle, &'a Stat),
}

impl<P: Platform> Single<'_, P> {
    fn copy_to(&self, path: &OsStr) -> Option<Report> {
        let mode = match self.options.new_mode {
            NewMode::SystemDefault if !self.options.preserve.mode => 0o666,
            _ => self.src.1.mode & 0o777,
        };
        let (dst, is_new) = match self.open_as_last(path) {
            Some(dst) => (dst, false),
            None => match self.platform.open_path(path, Open::Create { mode }) {
                Ok(dst) => (dst, true),
                Err(code) if rules::is_taken(self.platform.os(), code) => {
                    (self.open_existing(path)?, false)
                }
                Err(_) => return None,
            },
        };
        self.learnt.set_overwrites(!is_new);
        let method = self.fill(&dst, is_new);
        let closed = self.platform.close(dst);
        match (method, closed) {
            (Some(method), Ok(())) => Some(self.report(method)),
            _ => {
                if is_new {
                    // If that fails, the engine finds an existing file, and writes into it.
                    let _ = self.platform.remove_path(path);
                }
                None
            }
        }
    }

    /// Opens the destination as an existing file, if the last one existed. It is examined when it is open.
    fn open_as_last(&self, path: &OsStr) -> Option<P::Handle> {
        let how = Open::Write { follow: false };
        let opened = || self.platform.open_path(path, how).ok();
        self.learnt.overwrites().then(opened)?
    }

    /// Opens an existing regular file that is not the source. It is not emptied yet.
    fn open_existing(&self, path: &OsStr) -> Option<P::Handle> {
        let seen = self.platform.stat_path(path, false).ok()?;
        if seen.kind != FileKind::Regular || seen.is_same_file(self.src.1) {
            return None;
        }
        let how = Open::Write { follow: false };
        self.platform.open_path(path, how).ok()
    }

    /// Copies data and permission bits; `None` if a part is missing.
    fn fill(&self, dst: &P::Handle, is_new: bool) -> Option<Method> {
        let (made, volume) = self.platform.stat_and_volume(dst).ok()?;
        if made.kind != FileKind::Regular || made.is_same_file(self.src.1) {
            return None;
        }
        let pair = self.pair(volume)?;
        let method = pair.small_files()?.method;
        if pair.refused().contains(method) {
            return None;
        }
        if !is_new {
            self.platform.set_len(dst, 0).ok()?;
        }
        // The call requests more than the size, so that its result shows the end.
        let size = self.src.1.size;
        if self.move_all(method, dst)? != size {
            return None;
        }
        // Writing may have cleared set-id bits.
        let mode = self.src.1.mode;
        if self.options.preserve.mode && (made.mode != mode || mode & 0o6000 != 0) {
            let mode = Attribute::Mode(mode);
            self.platform.set(Target::Open(dst), mode).ok()?;
        }
        Some(method)
    }

    /// The facts about the volumes: see [`Learnt`].
    fn pair(&self, dst_volume: VolumeFacts) -> Option<Arc<VolumePair>> {
        let (src, stat) = self.src;
        let src_volume = if stat.id.volume == dst_volume.id {
            dst_volume
        } else {
            self.platform.volume_of(src, stat).ok()?
        };
        let volumes = (src_volume, dst_volume);
        let (learnt, options) = (self.learnt, self.options);
        Some(
            learnt
                .find(&volumes, options, self.start)
                .unwrap_or_else(|| {
                    let asked = volumes::plan_for(self.platform, options, volumes, None);
                    learnt.keep(asked, options, self.start)
                }),
        )
    }

    fn move_all(&self, method: Method, dst: &P::Handle) -> Option<u64> {
        let asked = BUFFER_BYTES as u64;
        let src = self.src.0;
        match method {
            Method::Clone => self.platform.move_data(Move::CloneFile, src, dst, 0, asked),
            Method::CopyRange => self.platform.move_data(Move::CopyRange, src, dst, 0, asked),
            _ => return self.read_and_write(dst),
        }
        .ok()
    }

    fn read_and_write(&self, dst: &P::Handle) -> Option<u64> {
        let mut buffers = self.learnt.take_buffers();
        let buffer = buffers.plain();
        let read = self.platform.read(self.src.0, Some(0), buffer).ok();
        let written = read.map(|read| (read, self.platform.write(dst, Some(0), &buffer[..read])));
        self.learnt.return_buffers(buffers);
        match written? {
            (read, Ok(written)) if read == written => Some(read as u64),
            _ => None,
        }
    }

    fn report(&self, method: Method) -> Report {
        let elapsed = self.start.elapsed();
        let mut report = Report {
            elapsed,
            ..Report::default()
        };
        report.attempts.push(Attempt {
            method,
            offset: 0,
            bytes: self.src.1.size,
            holes: 0,
            ended: Ended::Done,
            why: None,
            elapsed,
        });
        report
    }
}
