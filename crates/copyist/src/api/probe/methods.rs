//! Which methods work between two directories: each is tried on nameless files, and its result is compared.

use crate::run::clone_flags;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;

use super::{
    Answer, How, Place, Scratch, TRIAL_BYTES, check_names, scratch_name, try_direct,
    try_direct_write, write_all,
};
use crate::file::temp_file::remove_closed;
use crate::system::{At, Move, Open, Platform, Sys, Takes, Target, Whole, WholeCopy};
use crate::think::rules;
use crate::think::rules::Situation;
use crate::words::code::Code;
use crate::words::facts::{Kernel, Known};
use crate::words::method::{Method, Os};

/// Trials of the methods between two directories.
pub(super) struct Trial<'a, P: Platform> {
    platform: &'a P,
    from: &'a Place<P>,
    to: &'a Place<P>,
    /// The file to copy from, if one could be created.
    source: Sys<Scratch<'a, P>>,
    pattern: Vec<u8>,
}

impl<'a, P: Platform> Trial<'a, P> {
    pub(super) fn new(platform: &'a P, from: &'a Place<P>, to: &'a Place<P>) -> Trial<'a, P> {
        let pattern: Vec<u8> = (0..TRIAL_BYTES).map(|n| (n % 251) as u8).collect();
        let source = Scratch::make(platform, from).and_then(|file| {
            write_all(platform, &file, &pattern)?;
            Ok(file)
        });
        Trial {
            platform,
            from,
            to,
            source,
            pattern,
        }
    }

    pub(super) fn method(&self, method: Method) -> Answer {
        if method == Method::ReadWrite {
            return Answer::known(Known::Yes, How::Table);
        }
        if let Some(answer) = self.without_trial(method) {
            return answer;
        }
        let goes_on = !self.to.cancel.is_cancelled();
        if self.platform.os().creates_destination(method) && self.source.is_ok() && goes_on {
            return self.tried(method, self.try_whole(method));
        }
        let target = Scratch::make(self.platform, self.to);
        match (&self.source, &target) {
            (Ok(src), Ok(dst)) => self.tried(method, self.try_method(method, src, dst)),
            // No file may be created there: only what is known without a trial is left.
            (Err(code), _) | (_, Err(code)) => Answer {
                code: Some(*code),
                ..self.untried(method)
            },
        }
    }

    /// What is known without a trial.
    fn untried(&self, method: Method) -> Answer {
        let is_one = self.from.facts.id == self.to.facts.id;
        match method {
            Method::Clone if is_one => Answer::known(self.to.facts.clone, How::Table),
            _ => Answer::known(Known::Unknown, How::Table),
        }
    }

    /// What can be queried, or is known to be wrong although the call succeeds.
    fn without_trial(&self, method: Method) -> Option<Answer> {
        if method != Method::CopyRange {
            return None;
        }
        if let Err(code) = self.platform.has_copy_range() {
            return Some(Answer {
                how: How::Reported,
                ..self.tried(method, Err(code))
            });
        }
        let kernel = self.platform.kernel();
        let across = self.from.facts.id != self.to.facts.id;
        (self.platform.os() == Os::Linux
            && across
            && (Kernel(5, 3)..Kernel(5, 19)).contains(&kernel))
        .then_some(Answer::known(Known::No, How::Table))
    }

    fn try_method(&self, method: Method, src: &P::Handle, dst: &P::Handle) -> Sys<()> {
        let how = match method {
            Method::Clone if self.platform.os() == Os::Windows => {
                self.platform.set_len(dst, TRIAL_BYTES as u64)?;
                clone_flags::match_for_clone(self.platform, src, dst);
                Move::CloneRange
            }
            Method::Clone => Move::CloneFile,
            Method::CopyRange => Move::CopyRange,
            // On systems that have one, it copies whole files.
            Method::SystemCopy => return Err(rules::not_supported(self.platform.os())),
            Method::Sendfile => Move::Sendfile,
            Method::Direct => {
                // One side suffices: the other goes through the cache.
                let read = try_direct(self.platform, src, |buffer| {
                    self.platform.read(src, Some(0), buffer)
                });
                return read.or_else(|_| try_direct_write(self.platform, dst));
            }
            Method::ReadWrite => return Ok(()),
        };
        let mut done = 0;
        while done < TRIAL_BYTES as u64 {
            match self
                .platform
                .move_data(how, src, dst, done, TRIAL_BYTES as u64 - done)?
            {
                0 => return Err(Code::NO_PROGRESS),
                moved => done += moved,
            }
        }
        self.compare(dst)
    }

    /// Tries a method that names its destination: for a moment there are two hidden files, since a file without a
    /// name can't be cloned (clonefile: ENOENT).
    fn try_whole(&self, method: Method) -> Sys<()> {
        check_names(self.platform, self.from)?;
        check_names(self.platform, self.to)?;
        let (from, to) = (scratch_name("from"), scratch_name("to"));
        let src = At {
            dir: &self.from.dir,
            name: &from,
        };
        let dst = At {
            dir: &self.to.dir,
            name: &to,
        };
        let written = self.platform.open(src, Open::Create { mode: 0o600 })?;
        let result = write_all(self.platform, &written, &self.pattern);
        let result = result.and(self.platform.close(written)).and_then(|()| {
            let file = self.platform.open(src, Open::Read { follow: false })?;
            let result = self.try_whole_from(method, &file, dst);
            self.platform.close_quietly(file);
            result
        });
        remove_closed(self.platform, src)?;
        result
    }

    fn try_whole_from(&self, method: Method, src: &P::Handle, dst: At<'_, P>) -> Sys<()> {
        let copy = WholeCopy {
            how: if method == Method::Clone {
                Whole::Clone
            } else {
                Whole::SystemCopy
            },
            src: Target::Open(src),
            dst: Target::Named(dst),
            takes: Takes {
                mode: 0o600,
                ..Takes::default()
            },
            cancel: &AtomicUsize::new(0),
        };
        let made = self
            .platform
            .copy_by_path(&copy, &mut |_| ControlFlow::Continue(()));
        let is_there = made.map_or_else(|failed| failed.is_left, |_| true);
        if !is_there {
            return made.map(|_| ()).map_err(|failed| failed.code);
        }
        let compared = made.map_err(|failed| failed.code).and_then(|_| {
            let opened = self.platform.open(dst, Open::Read { follow: false })?;
            let result = self.compare(&opened);
            self.platform.close_quietly(opened);
            result
        });
        remove_closed(self.platform, dst)?;
        compared
    }

    /// A method that returns success and copies something else is worse than none.
    fn compare(&self, dst: &P::Handle) -> Sys<()> {
        let mut read = vec![0; TRIAL_BYTES];
        let mut at = 0;
        while at < read.len() {
            match self.platform.read(dst, Some(at as u64), &mut read[at..])? {
                0 => return Err(Code::NO_PROGRESS),
                more => at += more,
            }
        }
        if read == self.pattern {
            Ok(())
        } else {
            Err(Code::NO_PROGRESS)
        }
    }

    fn tried(&self, method: Method, result: Sys<()>) -> Answer {
        let situation = Situation {
            os: self.platform.os(),
            method,
            src_fs: self.from.facts.kind,
            dst_fs: self.to.facts.kind,
            touched: false,
        };
        let why = |code| rules::judge(situation, code).why;
        Answer {
            why: result.err().map(why),
            ..Answer::tried(result)
        }
    }
}
