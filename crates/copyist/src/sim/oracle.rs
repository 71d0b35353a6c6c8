//! What must be true after any run, whatever the calls returned.

use std::path::{Path, PathBuf};

use super::compare::has_copies;
use super::data::Data;
use super::faults::{Call, Effect, Record};
use super::scenarios::Scenario;
use super::snapshot::{Seen, Snapshot};
use super::sweep::{Failure, Outcome};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::hash::Hash;
use crate::words::method::Method;
use crate::words::options::{Atomic, Backup, Make, Update};
use crate::words::report::{Attempt, Ended, Report};
use crate::words::stat::FileKind;

/// A run, and what was there before and after it.
pub(super) struct Trial<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) outcome: &'a Outcome,
}

/// Everything that is wrong with a run; empty if nothing is.
pub(super) fn judge(trial: &Trial<'_>) -> Vec<String> {
    let mut wrong = trial.outcome.violations.clone();
    if trial.outcome.leaked > 0 {
        wrong.push(format!("{} handles leaked", trial.outcome.leaked));
    }
    trial.counts(&mut wrong);
    trial.real_errors(&mut wrong);
    trial.sources(&mut wrong);
    trial.strangers(&mut wrong);
    for (src, dst) in trial.pairs() {
        trial.entry(&src, &dst, &mut wrong);
    }
    trial.links(&mut wrong);
    trial.reports(&mut wrong);
    wrong
}

impl Trial<'_> {
    /// Each source, and where its copy is to be.
    fn pairs(&self) -> Vec<(PathBuf, PathBuf)> {
        let mut pairs = Vec::new();
        for operand in &self.scenario.operands {
            let (src, dst) = (relative(&operand.src), relative(&operand.dst));
            for path in self.before.keys() {
                if let Ok(rest) = path.strip_prefix(&src) {
                    let below = !rest.as_os_str().is_empty();
                    pairs.push((
                        path.clone(),
                        if below { dst.join(rest) } else { dst.clone() },
                    ));
                }
            }
        }
        pairs
    }

    /// Every failure is reported, with an operation and a path.
    fn counts(&self, wrong: &mut Vec<String>) {
        let Outcome {
            summary,
            failures,
            first,
            ..
        } = self.outcome;
        if summary.errors != failures.len() as u64 || first.is_some() != (summary.errors > 0) {
            wrong.push(format!(
                "{} errors counted, {} told, first: {first:?}",
                summary.errors,
                failures.len()
            ));
        }
        // Without a place to start from there is nothing to name.
        let began = self
            .failed_calls()
            .all(|(call, _)| call != Call::CurrentDir);
        for failure in failures {
            if failure.src.is_none() && failure.dst.is_none() && began {
                wrong.push(format!("an error names no path: {}", failure.text));
            }
        }
    }

    /// The device failed, the volume is full, the memory is gone, the close failed: never a
    /// success.
    fn real_errors(&self, wrong: &mut Vec<String>) {
        let codes = super::codes::Codes::of(self.scenario.os());
        for Record { call, effect } in &self.outcome.log {
            let Some(Effect::Fail(code) | Effect::FailHalfWay(code)) = effect else {
                continue;
            };
            // What `Direct` reads ahead, and then has no use for, is read again by the next method.
            let ahead = *call == Call::Read && self.reads_ahead();
            let counts = codes.is_real(*code) && call.is_about_data()
                || matches!(
                    call,
                    Call::Close | Call::Flush | Call::FlushVolume | Call::CheckCloseErrors
                );
            let counts = counts && !ahead && !self.scenario.may_fail(*call, *code);
            if counts && self.outcome.failures.is_empty() {
                wrong.push(format!(
                    "{call:?} failed with {code:?}, and nobody was told"
                ));
                return;
            }
        }
    }

    fn reads_ahead(&self) -> bool {
        let mut attempts = self
            .outcome
            .files
            .iter()
            .flat_map(|(_, report)| &report.attempts);
        attempts.any(|it| it.method == Method::Direct && matches!(it.ended, Ended::Next(_)))
    }

    /// Sources are as they were, and so is everything that the run was not about.
    fn sources(&self, wrong: &mut Vec<String>) {
        for (path, before) in self.before {
            if self.is_destination(path) || self.scenario.may_change.iter().any(|it| path == it) {
                continue;
            }
            let holds_destination = self.scenario.operands.iter().any(|operand| {
                let dst = relative(&operand.dst);
                dst.parent() == Some(path)
            });
            match self.after.get(path) {
                None => wrong.push(format!("{} is gone", path.display())),
                Some(_) if holds_destination => {}
                Some(after) if !after.is_as_before(before) && !self.gains_links(before) => {
                    wrong.push(format!("{} has changed", path.display()));
                }
                Some(_) => {}
            }
        }
    }

    fn gains_links(&self, before: &Seen) -> bool {
        self.scenario.options.make == Make::HardLink && before.stat.kind == FileKind::Regular
    }

    fn is_destination(&self, path: &Path) -> bool {
        self.scenario
            .operands
            .iter()
            .any(|it| path.starts_with(relative(&it.dst)))
            || self.is_backup(path)
    }

    fn is_backup(&self, path: &Path) -> bool {
        self.scenario.options.backup != Backup::None
            && path.as_os_str().as_encoded_bytes().ends_with(b"~")
    }

    /// No unexpected file was created, and no temporary file is left.
    fn strangers(&self, wrong: &mut Vec<String>) {
        let expected = self.pairs();
        for path in self.after.keys() {
            let known = self.before.contains_key(path)
                || self.is_backup(path)
                || self.scenario.may_change.iter().any(|it| path == it)
                || expected.iter().any(|(_, dst)| dst == path);
            if !known && !self.could_not_remove() {
                wrong.push(format!("{} was left behind", path.display()));
            }
        }
    }

    /// One source and its copy.
    fn entry(&self, src: &Path, dst: &Path, wrong: &mut Vec<String>) {
        if self
            .scenario
            .may_change
            .iter()
            .any(|it| dst == it || src == it)
        {
            return;
        }
        let (source, old) = (&self.before[src], self.before.get(dst));
        let options = &self.scenario.options;
        let now = self.after.get(dst);
        let told = self.is_told_of_any_name(src, dst);
        if let Some(old) = old
            && source.stat.kind != FileKind::Directory
        {
            self.old_version(dst, old, wrong);
            let newer = old.stat.modified >= source.stat.modified;
            if options.update == Update::None || options.update == Update::Older && newer {
                if !now.is_some_and(|now| now.is_as_before(old)) {
                    wrong.push(format!("{} was to be left alone", dst.display()));
                }
                return;
            }
        }
        let Some(now) = now else {
            if !told {
                wrong.push(format!("{} is missing, and nobody was told", dst.display()));
            }
            return;
        };
        if self.ended_early(src, source, now) {
            return;
        }
        if let Some(what) = self.wrong_content(source, old, now) {
            if !told {
                wrong.push(format!("{}: {what}, and nobody was told", dst.display()));
            }
            let is_old = old.is_some_and(|old| old.data.same_bytes(&now.data));
            if self.scenario.options.atomic == Atomic::Required
                && source.stat.kind == FileKind::Regular
                && now.stat.kind == FileKind::Regular
                && !is_old
            {
                wrong.push(format!("{}: {what}, under its name", dst.display()));
            }
            let is_made = old.is_none_or(|old| old.stat.id != now.stat.id);
            if is_made && !self.could_not_remove() {
                wrong.push(format!(
                    "{}: {what}, and it was left under its name",
                    dst.display()
                ));
            }
            if self
                .outcome
                .files
                .iter()
                .any(|(path, _)| relative(path) == dst)
            {
                wrong.push(format!(
                    "{}: {what}, and it was told to be done",
                    dst.display()
                ));
            }
        } else if let Some(what) = super::compare::wrong_attributes(self, source, old, now)
            && !told
            && !(what.starts_with("times ") && self.writes_in_place())
        {
            wrong.push(format!("{}: {what}, and nobody was told", dst.display()));
        }
    }

    /// Files were written in place, since they could not be replaced. They may be another user's, whose times
    /// only the owner sets.
    fn writes_in_place(&self) -> bool {
        let mut files = self.outcome.files.iter();
        files.any(|(_, report)| report.in_place.is_some())
    }

    /// A read reported that the source ends early: the copy is the part before that, and the observer was warned.
    fn ended_early(&self, src: &Path, source: &Seen, now: &Seen) -> bool {
        let said =
            |record: &Record| record.call == Call::Read && record.effect == Some(Effect::Nothing);
        let id = |path: &PathBuf| self.before.get(&relative(path)).map(|seen| seen.stat.id);
        let warned = |path: &Path| {
            self.outcome
                .changed
                .iter()
                .any(|it| id(it) == id(&path.to_path_buf()))
        };
        let whole = self.scenario.stream.as_ref().unwrap_or(&source.data);
        let is_part = now.data.size() < whole.size() && whole.first_difference(&now.data).is_none();
        // Of a stream, a file made as it is read, or one of a server, nothing but a read knows the end.
        let world = self.scenario.sim.world();
        let volume = world
            .volumes
            .iter()
            .find(|it| it.id == source.stat.id.volume);
        let is_sound = volume.is_some_and(|it| it.kind.stat_size_is_sound());
        let size_counts = source.stat.size > 0 && is_sound;
        is_part && (warned(src) || !size_counts) && self.outcome.log.iter().any(said)
    }

    /// With backups, the old version is somewhere at any time.
    fn old_version(&self, dst: &Path, old: &Seen, wrong: &mut Vec<String>) {
        if self.scenario.options.backup == Backup::None {
            return;
        }
        let kept = self.after.iter().any(|(path, seen)| {
            (path == dst || self.is_backup(path))
                && seen.stat.id == old.stat.id
                && seen.data.same_bytes(&old.data)
        });
        if !kept {
            wrong.push(format!("the old version of {} is lost", dst.display()));
        }
    }

    fn wrong_content(&self, src: &Seen, old: Option<&Seen>, now: &Seen) -> Option<String> {
        let options = &self.scenario.options;
        match options.make {
            Make::HardLink => {
                return (src.stat.id != now.stat.id).then(|| "no link to the source".to_owned());
            }
            Make::Symlink => {
                return (now.stat.kind != FileKind::Symlink).then(|| "no link".to_owned());
            }
            Make::Copy => {}
        }
        let kind = if self.scenario.reads_streams {
            FileKind::Regular
        } else {
            src.stat.kind
        };
        if kind != now.stat.kind {
            return Some(format!("a {:?} instead of a {kind:?}", now.stat.kind));
        }
        if src.target != now.target {
            return Some(format!("leads to {:?}", now.target));
        }
        let empty = Data::default();
        let wanted = match (options.attributes_only, old) {
            (true, Some(old)) => &old.data,
            (true, None) => &empty,
            (false, _) => self.scenario.stream.as_ref().unwrap_or(&src.data),
        };
        if wanted.same_bytes(&now.data) {
            return None;
        }
        Some(match wanted.first_difference(&now.data) {
            Some(at) => format!("other bytes from {at} on"),
            None => format!("{} bytes instead of {}", now.data.size(), wanted.size()),
        })
    }

    /// A fault hit the removal of what was half-made: then it can't be gone.
    fn could_not_remove(&self) -> bool {
        self.failed_calls().any(|(call, _)| call == Call::Remove)
    }

    pub(super) fn failed_calls(&self) -> impl Iterator<Item = (Call, Code)> {
        self.outcome
            .log
            .iter()
            .filter_map(|record| match record.effect {
                Some(Effect::Fail(code)) => Some((record.call, code)),
                _ => None,
            })
    }

    /// Whether some error is about this entry, or about a directory on the way to it that could
    /// not be read or made.
    fn is_told(&self, src: &Path, dst: &Path) -> bool {
        self.outcome.failures.iter().any(|failure| {
            let Failure {
                operation,
                src: from,
                dst: to,
                ..
            } = failure;
            let is_here = |named: &Option<PathBuf>, path: &Path| {
                named.as_ref().is_some_and(|named| relative(named) == path)
            };
            let is_above = |named: &Option<PathBuf>, path: &Path| {
                named
                    .as_ref()
                    .is_some_and(|named| path.starts_with(relative(named)))
            };
            is_here(from, src)
                || is_here(to, dst)
                || (stops_a_walk(*operation) && (is_above(from, src) || is_above(to, dst)))
                || (from.is_none() && to.is_none())
                // Where operands are named: nothing was begun.
                || from.as_deref() == Some(Path::new("."))
        })
    }

    /// The same, or about another name of the same copy.
    fn is_told_of_any_name(&self, src: &Path, dst: &Path) -> bool {
        let id = |path: &Path| self.after.get(path).map(|seen| seen.stat.id);
        self.is_told(src, dst)
            || self.pairs().iter().any(|(other_src, other_dst)| {
                other_dst != dst
                    && id(other_dst).is_some()
                    && id(other_dst) == id(dst)
                    && self.is_told(other_src, other_dst)
            })
    }

    /// Names of one source file are names of one copy.
    fn links(&self, wrong: &mut Vec<String>) {
        if !self.scenario.options.preserve.links || self.scenario.options.make != Make::Copy {
            return;
        }
        let pairs = self.pairs();
        for (n, (src, dst)) in pairs.iter().enumerate() {
            for (other_src, other_dst) in &pairs[..n] {
                let (Some(a), Some(b)) = (self.after.get(dst), self.after.get(other_dst)) else {
                    continue;
                };
                let wanted = self.before[src].stat.id == self.before[other_src].stat.id;
                let told = self.is_told(src, dst)
                    || self.is_told(other_src, other_dst)
                    || wanted && has_copies(self, src, &pairs);
                if wanted != (a.stat.id == b.stat.id) && !told {
                    wrong.push(format!(
                        "{} and {} linked: {}",
                        dst.display(),
                        other_dst.display(),
                        !wanted
                    ));
                }
            }
        }
    }

    /// A report is what happened, and adds up.
    fn reports(&self, wrong: &mut Vec<String>) {
        for failure in &self.outcome.failures {
            if !are_contiguous(&failure.attempts) {
                wrong.push(format!("attempts with a gap: {:?}", failure.attempts));
            }
        }
        for (path, report) in &self.outcome.files {
            let path = relative(path);
            if !are_contiguous_from(report.resumed, &report.attempts) {
                wrong.push(format!(
                    "{}: attempts with a gap: {report:?}",
                    path.display()
                ));
            }
            let sum = report.cloned() + report.offloaded() + report.moved() + report.holes();
            let Some(now) = self.after.get(&path) else {
                continue;
            };
            let is_plain = now.stat.kind == FileKind::Regular
                && !self.scenario.options.attributes_only
                && self.scenario.options.make == Make::Copy
                && !self.scenario.overwrites_itself;
            let all = report.resumed + sum;
            if is_plain && (sum != report.bytes() || all != now.data.size()) {
                wrong.push(format!(
                    "{}: reported {sum} bytes, and has {}",
                    path.display(),
                    now.data.size()
                ));
            }
            if let Some(what) = wrong_hash(report, &now.data).filter(|_| is_plain) {
                wrong.push(format!("{}: {what}", path.display()));
            }
            // A sparse file that is only verified is compared without its holes.
            let is_sparse = |src: &PathBuf| {
                let stat = self.before[src].stat;
                stat.allocated_bytes < stat.size
            };
            let src = self.pairs().into_iter().find(|(_, dst)| *dst == path);
            let hashes = self.scenario.options.hash.is_some()
                || self.scenario.options.verify
                    && !src.as_ref().is_some_and(|(src, _)| is_sparse(src));
            if is_plain && hashes && report.hash.is_none() == self.is_checked(&path) {
                let has = report.hash.is_some();
                wrong.push(format!("{}: it has a hash: {has}", path.display()));
            }
            let shared = src.map_or(0, |(src, _)| now.data.shared_bytes(&self.before[&src].data));
            if report.cloned() > shared && !self.scenario.may_change.contains(&path) {
                wrong.push(format!(
                    "{}: {} bytes reported as cloned, {shared} shared",
                    path.display(),
                    report.cloned()
                ));
            }
        }
    }
}

/// A hash is that of the written data, whatever interfered.
fn wrong_hash(report: &Report, data: &Data) -> Option<String> {
    let hash = report.hash?;
    let mut all = vec![0; usize::try_from(data.size()).ok()?];
    data.read(0, &mut all);
    let right = Hash::of(hash.kind(), &all);
    (right != hash).then(|| format!("its hash is {right:?}, and {hash:?} was reported"))
}

/// Each attempt begins where the one before it ended, and only the last is done.
fn are_contiguous(attempts: &[Attempt]) -> bool {
    are_contiguous_from(attempts.first().map_or(0, |it| it.offset), attempts)
}

fn are_contiguous_from(resumed: u64, attempts: &[Attempt]) -> bool {
    let mut offset = resumed;
    attempts.iter().enumerate().all(|(n, attempt)| {
        let follows = attempt.offset == offset;
        offset += attempt.bytes + attempt.holes;
        follows && (matches!(attempt.ended, Ended::Next(_)) || n + 1 == attempts.len())
    })
}

/// What is below is not reached.
fn stops_a_walk(operation: Operation) -> bool {
    use Operation::{
        CreateDirectory, OpenDestination, OpenDirectory, Plan, ReadDirectory, SetMode,
        StatDestination, StatSource, Volume,
    };
    matches!(
        operation,
        CreateDirectory
            | OpenDestination
            | OpenDirectory
            | Plan
            | ReadDirectory
            | SetMode
            | StatDestination
            | StatSource
            | Volume
    )
}

/// A path as snapshots have it.
pub(super) fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/")
        .unwrap_or(path)
        .components()
        .collect()
}
