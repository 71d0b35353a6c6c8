//! Copies the plain files of a directory that has a recipe ([`crate::think::recipe`]): all calls of a file, in order, in
//! one function. A file that is not as the recipe expects is undone, and copied by the general path from the start.
//!
//! `inline(always)`: all of this is inlined into the loop over a directory's names ([`super::walk`]), so that no function
//! returns between two system calls of a file. On processors where that costs 0.33 µs, a second run takes 0.90 of the
//! time (docs/measurements.md, "Returns after system calls").

use std::time::Duration;

use super::dir::Entry;
use super::worker::Outcome;
use super::worker::Worker;
use crate::file::attributes;
use crate::file::attributes::{Attributes, CreateMode, CreatedState};
use crate::file::failure::{FileError, explain_stop};
use crate::file::source::Source;
use crate::file::target::Existing;
use crate::run::buffers::BUFFER_BYTES;
use crate::run::step::{Stop, since};
use crate::system::{Move, Open, Platform, Target};
use crate::think::recipe::{Create, Recipe, leaves_newer};
use crate::think::rules::{Situation, Verdict, judge};
use crate::words::code::Code;
use crate::words::error::{Error, Operation};
use crate::words::method::Method;
use crate::words::observer::Event;
use crate::words::report::{Attempt, Ended, Report};
use crate::words::stat::FileKind;

/// The result of a file.
enum Tried<P: Platform> {
    /// It was copied or skipped, or its failure was reported.
    Done,
    /// The general path must copy it, and it is open. Nothing that was created remains.
    Opened(Source<P>),
    /// The general path must copy it, and it is not open.
    ByName,
}

/// A file that was created, to be filled.
struct Created<P: Platform> {
    src: Source<P>,
    dst: P::Handle,
    method: Method,
    state: CreatedState,
    /// [`super::space_retry::SpaceRetry::ended`], before its creation.
    seen: u64,
}

impl<P: Platform> Worker<'_, '_, P> {
    /// Copies an entry whose directory entry says that it is a regular file.
    #[inline(always)]
    pub(super) fn by_recipe(&mut self, entry: Entry<'_, P>, recipe: &Recipe) -> Outcome {
        let tried = match recipe {
            Recipe::Create(recipe) => self.create(&entry, recipe),
            Recipe::Open => self.open(&entry).map_or(Tried::ByName, Tried::Opened),
            Recipe::LeaveNewer { one_name } => self.leave_newer(&entry, *one_name),
        };
        match tried {
            Tried::Done => Outcome::Done,
            Tried::Opened(source) => self.copy_opened(entry, source),
            Tried::ByName => self.entry_by_name(entry),
        }
    }

    #[inline(always)]
    fn leave_newer(&mut self, entry: &Entry<'_, P>, one_name: bool) -> Tried<P> {
        let platform = self.session.platform;
        let Ok(src) = platform.stat(entry.src_at(), false) else {
            return Tried::ByName;
        };
        let Ok(dst) = platform.stat(entry.dst_at(), false) else {
            return Tried::ByName;
        };
        if !leaves_newer(&src, &dst, one_name) {
            return Tried::ByName;
        }
        self.summary.skipped += 1;
        let skipped = Event::Skipped { paths: entry };
        self.session.context.observer.event(skipped);
        Tried::Done
    }

    /// Opens a file; `None` if it is not a regular file or can't be opened, which the general path reports.
    #[inline(always)]
    fn open(&self, entry: &Entry<'_, P>) -> Option<Source<P>> {
        let platform = self.session.platform;
        let handle = platform.open(entry.src_at(), Open::Read { follow: false });
        let handle = handle.ok()?;
        let stat = platform.stat_open(&handle).ok()?;
        (stat.kind == FileKind::Regular).then_some(Source { handle, stat })
    }

    #[inline(always)]
    fn create(&mut self, entry: &Entry<'_, P>, recipe: &Create) -> Tried<P> {
        let session = self.session;
        let (platform, options) = (session.platform, session.options);
        let start = session.context.now();
        let seen = session.space_retry.ended();
        let Some(src) = self.open(entry) else {
            return Tried::ByName;
        };
        let stat = src.stat;
        let method = recipe.method(&stat);
        if !recipe.covers(&stat) || !entry.dir.has_method(method, stat.id.volume) {
            return Tried::Opened(src);
        }
        let target = Target::Open(&src.handle);
        let listed = attributes::list(platform, &options.preserve, target, &mut self.buffers);
        let gives_acl = entry.dir.gives_acl;
        let mode = CreateMode::new(platform, options, (FileKind::Regular, stat.mode));
        let mode = mode.at_once(listed, gives_acl);
        if mode.chmod_after.is_some() {
            return Tried::Opened(src);
        }
        let how = Open::Create { mode: mode.mode };
        let Ok(dst) = platform.open(entry.dst_at(), how) else {
            return Tried::Opened(src);
        };
        let state = CreatedState {
            listed,
            ..mode.made(gives_acl)
        };
        let created = Created {
            src,
            dst,
            method,
            state,
            seen,
        };
        match self.fill(&created) {
            Ok(bytes) if bytes == stat.size => {}
            Ok(_) => return self.undo(entry, created, None),
            Err(error) => return self.undo(entry, created, Some(error)),
        }
        let failures = if recipe.sets_attributes {
            self.set_attributes(&created)
        } else {
            Vec::new()
        };
        if let Err(code) = platform.close(created.dst) {
            return self.fail_closed(entry, created.src, seen, code);
        }
        platform.close_quietly(created.src.handle);
        self.tell_created(entry, method, stat.size, failures, since(start));
        Tried::Done
    }

    /// Copies the data. Each call requests more than the size, so that its result shows the end. (A clone contains
    /// everything.)
    #[inline(always)]
    fn fill(&mut self, created: &Created<P>) -> Result<u64, (Operation, Code)> {
        let platform = self.session.platform;
        let (src, dst) = (&created.src.handle, &created.dst);
        let asked = BUFFER_BYTES as u64;
        match created.method {
            Method::Clone => platform
                .move_data(Move::CloneFile, src, dst, 0, asked)
                .map_err(|code| (Operation::Transfer, code)),
            Method::CopyRange => platform
                .move_data(Move::CopyRange, src, dst, 0, asked)
                .map_err(|code| (Operation::Transfer, code)),
            _ => {
                let buffer = self.buffers.plain();
                match platform.read(src, Some(0), buffer) {
                    Ok(read) if read > 0 && read as u64 == created.src.stat.size => platform
                        .write(dst, Some(0), &buffer[..read])
                        .map(|written| written as u64)
                        .map_err(|code| (Operation::Write, code)),
                    Ok(read) => Ok(read as u64),
                    Err(code) => Err((Operation::Read, code)),
                }
            }
        }
    }

    /// Sets the attributes that the file was not created with. Returns the failures.
    fn set_attributes(&mut self, created: &Created<P>) -> Vec<FileError> {
        let mut failures = Vec::new();
        Attributes {
            platform: self.session.platform,
            options: self.session.options,
            src: Target::Open(&created.src.handle),
            src_stat: &created.src.stat,
            dst: Target::Open(&created.dst),
            made: created.state,
            buffers: &mut self.buffers,
        }
        .apply(&mut |failed| failures.push(FileError::from(failed)));
        failures
    }

    /// Counts and reports a copy.
    fn tell_created(
        &mut self,
        entry: &Entry<'_, P>,
        method: Method,
        bytes: u64,
        failures: Vec<FileError>,
        elapsed: Duration,
    ) {
        let observer = self.session.context.observer;
        self.begin(entry, None, FileKind::Regular);
        if bytes > 0 {
            observer.event(Event::Bytes(bytes));
        }
        let mut report = Report::default();
        report.attempts.push(Attempt {
            method,
            offset: 0,
            bytes,
            holes: 0,
            ended: Ended::Done,
            why: None,
            elapsed,
        });
        report.elapsed = elapsed;
        self.summary.files += 1;
        self.summary.add_report(&report);
        self.tell_failures(entry, failures);
        observer.event(Event::File {
            paths: entry,
            report: &report,
        });
    }

    /// Removes a file that was not filled. An error that neither another method nor a retry can fix is reported. After
    /// other errors, or a short count, the general path copies the file from the start, with the first result of stat:
    /// our own read may have changed the access time.
    #[cold]
    #[inline(never)]
    fn undo(
        &mut self,
        entry: &Entry<'_, P>,
        created: Created<P>,
        error: Option<(Operation, Code)>,
    ) -> Tried<P> {
        let (platform, method) = (self.session.platform, created.method);
        if let Err(code) = platform.close(created.dst) {
            return self.fail_closed(entry, created.src, created.seen, code);
        }
        // If the file remains, the general path reports that its name exists.
        let _ = platform.remove(entry.dst_at(), false);
        if let (Some((operation, code)), Some(pair)) = (error, &entry.dir.pair) {
            let situation = Situation {
                os: platform.os(),
                method,
                src_fs: pair.src.kind,
                dst_fs: pair.dst.kind,
                touched: false,
            };
            let rule = judge(situation, code);
            if rule.verdict == Verdict::Fatal {
                let attempt = Attempt {
                    method,
                    offset: 0,
                    bytes: 0,
                    holes: 0,
                    ended: Ended::Failed(code),
                    why: Some(rule.why),
                    elapsed: Duration::ZERO,
                };
                let stop = Stop::Code { operation, code };
                let error = explain_stop(stop, Some(method), 0);
                let error = self.session.file_error(entry, error);
                let error = error.with_attempts(&[attempt]);
                return self.fail_unless_room(entry, created.src, created.seen, error);
            }
        }
        entry.dir.drop_recipe();
        Tried::Opened(created.src)
    }

    /// Removes a file whose close has failed, and reports that, whatever failed before.
    #[cold]
    #[inline(never)]
    fn fail_closed(
        &mut self,
        entry: &Entry<'_, P>,
        src: Source<P>,
        seen: u64,
        code: Code,
    ) -> Tried<P> {
        // A failure to remove it is less important than that of the close.
        let _ = self.session.platform.remove(entry.dst_at(), false);
        let error = FileError::system(Operation::CloseDestination, code);
        let error = self.session.file_error(entry, error);
        self.fail_unless_room(entry, src, seen, error)
    }

    /// Reports a failure, unless it was a lack of space and there may be space now.
    fn fail_unless_room(
        &mut self,
        entry: &Entry<'_, P>,
        src: Source<P>,
        seen: u64,
        error: Error,
    ) -> Tried<P> {
        let mut tries = self.session.space_retry.tries_since(seen);
        if self.retry_after_enospc(entry, (&src.stat, Existing::Nothing), &error, &mut tries) {
            return Tried::Opened(src);
        }
        self.begin(entry, None, FileKind::Regular);
        self.session.fail(error);
        Tried::Done
    }
}
