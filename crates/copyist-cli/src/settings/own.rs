//! What the options of copyist's own do, which `cp` and `copy` both take.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;

use copyist::Method;
use copyist::hash::HashKind;
use copyist::options::{Atomic, Cache, Fsync, MethodSet, OnChange};

use super::choices::{choose, list};
use super::reader::Reader;
use super::values::{Stop, When};
use crate::args::Own;
use crate::words::errors::current_os;
use crate::words::quoting::Quoter;

/// The values of `--progress` and `--sandbox`.
const WHEN: &[(&str, When)] = &[
    ("auto", When::Auto),
    ("always", When::Always),
    ("never", When::Never),
];

const HASH: &[(&str, HashKind)] = &[
    ("blake3", HashKind::Blake3),
    ("xxh3", HashKind::Xxh3),
    ("sha256", HashKind::Sha256),
];

const CACHE: &[(&str, Cache)] = &[
    ("auto", Cache::Auto),
    ("keep", Cache::Keep),
    ("drop", Cache::DropBehind),
    ("direct", Cache::Direct),
];

const ATOMIC: &[(&str, Atomic)] = &[
    ("yes", Atomic::Required),
    ("auto", Atomic::BestEffort),
    ("no", Atomic::No),
];

const FSYNC: &[(&str, Fsync)] = &[
    ("none", Fsync::None),
    ("file", Fsync::File),
    ("end", Fsync::End),
];

const ON_CHANGE: &[(&str, OnChange)] = &[
    ("retry", OnChange::Retry),
    ("report", OnChange::Report),
    ("fail", OnChange::Fail),
];

impl Reader<'_> {
    /// What an option of copyist's own does.
    pub(super) fn own(&mut self, id: Own, value: Option<OsString>) -> Result<(), Stop> {
        let quoter = self.quoter;
        let settings = &mut self.settings;
        // The value of an option that requires one.
        let required = || value.clone().unwrap_or_default();
        match id {
            Own::Cache => {
                settings.options.cache = choose(quoter, "--cache", &required(), CACHE)?;
            }
            Own::Explain => settings.explain = true,
            Own::Hash => settings.hash = Some(choose(quoter, "--hash", &required(), HASH)?),
            Own::KeepBad => settings.options.keep_bad = true,
            Own::Manifest => settings.manifest = value,
            Own::Verify => settings.options.verify = true,
            Own::Atomic => {
                settings.options.atomic = match &value {
                    Some(when) => choose(quoter, "--atomic", when, ATOMIC)?,
                    None => Atomic::Required,
                };
            }
            Own::Fsync => {
                settings.options.fsync = choose(quoter, "--fsync", &required(), FSYNC)?;
            }
            Own::OnChange => {
                settings.options.on_change = choose(quoter, "--on-change", &required(), ON_CHANGE)?;
            }
            Own::Jobs => settings.options.jobs = Some(count(quoter, &required(), "jobs")?),
            Own::Journal => (settings.resume, settings.journal) = (true, value),
            Own::Resume => settings.resume = true,
            Own::Method => settings.options.methods = Some(methods(quoter, &required())?),
            Own::Progress => {
                settings.progress = when(quoter, "--progress", value.as_deref())?;
            }
            Own::Prove => settings.options.prove = true,
            Own::Sandbox => settings.sandbox = when(quoter, "--sandbox", value.as_deref())?,
            Own::Report => settings.report = value,
        }
        Ok(())
    }

    /// What copyist's own options mean together.
    pub(super) fn finish_own(&mut self) {
        let settings = &mut self.settings;
        if settings.manifest.is_some() || settings.hash.is_some() {
            settings.options.hash = Some(settings.hash.unwrap_or_default());
        }
    }
}

/// An option without a value means `always`.
fn when(quoter: Quoter, option: &str, value: Option<&OsStr>) -> Result<When, Stop> {
    value.map_or(Ok(When::Always), |when| choose(quoter, option, when, WHEN))
}

/// A number, at least 1.
fn count(quoter: Quoter, value: &OsStr, what: &str) -> Result<NonZeroUsize, Stop> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    let message = || format!("invalid number of {what} {}", quoter.word(value));
    number.ok_or_else(|| Stop::Usage(message()))
}

fn methods(quoter: Quoter, value: &OsStr) -> Result<MethodSet, Stop> {
    let order = current_os().order().iter();
    let choices: Vec<_> = order.map(|method| (method.name(), *method)).collect();
    let mut methods = MethodSet::EMPTY;
    for name in list(value) {
        let method: Method = choose(quoter, "--method", &name, &choices)?;
        methods = methods.with(method);
    }
    if methods.contains(Method::Direct) {
        // A side that refuses direct I/O is read or written through the cache; if both do, that is read-write.
        methods = methods.with(Method::ReadWrite);
    }
    Ok(methods)
}
