//! `--explain`: for each source its properties, which methods would be tried in which order, and why
//! others would not. Files with the same plan are one entry.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use copyist::Report;
use copyist::observer::PathSource;
use copyist::report::{Known, Planned};
use indicatif::{HumanBytes, HumanCount};

use crate::words::quoting::Quoter;
use crate::words::sync::lock;

/// Plans, grouped by their text.
#[derive(Debug)]
pub(crate) struct Explainer {
    quoter: Quoter,
    groups: Mutex<BTreeMap<String, Group>>,
}

#[derive(Debug)]
struct Group {
    files: u64,
    bytes: u64,
    /// The first of them.
    src: PathBuf,
    dst: PathBuf,
}

impl Explainer {
    pub(crate) fn new(quoter: Quoter) -> Explainer {
        Explainer {
            quoter,
            groups: Mutex::default(),
        }
    }

    /// Adds the plan of a file.
    pub(crate) fn add(&self, paths: &dyn PathSource, report: &Report) {
        let Some(planned) = &report.planned() else {
            return;
        };
        let mut groups = lock(&self.groups);
        let group = groups.entry(plan(planned)).or_insert_with(|| Group {
            files: 0,
            bytes: 0,
            src: paths.src(),
            dst: paths.dst(),
        });
        group.files += 1;
        group.bytes = group.bytes.saturating_add(planned.size());
    }

    /// All plans as text.
    pub(crate) fn text(&self) -> String {
        let groups = lock(&self.groups);
        let mut text = String::new();
        for (plan, group) in &*groups {
            let Group {
                files,
                bytes,
                src,
                dst,
            } = group;
            let (src, dst) = (self.quoter.always(src), self.quoter.always(dst));
            let bytes = HumanBytes(*bytes);
            // Writing to a string can't fail.
            let _ = match files {
                1 => write!(text, "{src} -> {dst} ({bytes})\n{plan}"),
                n => write!(
                    text,
                    "{} files ({bytes}), such as {src} -> {dst}\n{plan}",
                    HumanCount(*n)
                ),
            };
        }
        text
    }
}

fn plan(planned: &Planned) -> String {
    let where_ = match planned.same_volume() {
        Known::Yes => "on the same volume".to_owned(),
        Known::No => format!("to {}, on another volume", planned.dst_kind().name()),
        Known::Unknown => format!("to {}", planned.dst_kind().name()),
    };
    let mut facts = vec![format!("from {} {where_}", planned.src_kind().name())];
    if !planned.is_regular() {
        facts.push("read as a stream".to_owned());
    }
    if planned.looks_sparse() {
        facts.push("with holes".to_owned());
    }
    if planned.threads() > 1 {
        facts.push(format!("by {} threads", planned.threads()));
    }
    if planned.preallocates() {
        facts.push("space reserved first".to_owned());
    }
    let mut text = format!("  {}\n", facts.join(", "));
    for (n, method) in planned.methods().iter().enumerate() {
        let begin = if n == 0 { "try" } else { "then" };
        let _ = writeln!(text, "  {begin} {method}");
    }
    for (method, why) in planned.skipped() {
        let _ = writeln!(text, "  not {method}: {why}");
    }
    text
}
