//! What the doctor found, in words and as JSON (`docs/doctor.md`).

use std::fmt::Write as _;

use copyist::Method;
use copyist::probe::{KnownBug, VolumeProbe};
use serde_json::{Value, json};

use super::{Examination, Finding};
use crate::quoting::Quoter;
use crate::report::name;

/// How many wrong copies of one method are told; the first says most.
const TOLD: usize = 3;

pub(super) fn text(found: &Examination) -> String {
    let volume = &found.probe.dst;
    let path = Quoter::from_environment().if_needed(&volume.path);
    let mut out = format!("{path}: {}, {}\n", kind(volume), found.probe.system);
    for finding in &found.findings {
        method(&mut out, finding, volume);
    }
    for what in &found.left_out {
        // Writing into a String can't fail.
        let _ = writeln!(out, "not tried: {what}");
    }
    let bugs = found.probe.known_bugs();
    if bugs.is_empty() {
        let _ = writeln!(
            out,
            "Nothing is known against {} on this kernel.",
            kind(volume)
        );
    } else {
        let _ = writeln!(out, "Known of {} on this kernel:", kind(volume));
    }
    for bug in bugs {
        let _ = writeln!(out, "* {}: {}; so {}", about(bug), bug.what, bug.guard);
    }
    out
}

fn kind(volume: &VolumeProbe) -> &str {
    volume.type_name.as_deref().unwrap_or(volume.kind.name())
}

fn about(bug: &KnownBug) -> &'static str {
    bug.method.map_or("sizes and holes", Method::name)
}

/// What the map of holes is called.
const MAP: &str = "hole-map";

fn title(finding: &Finding) -> &'static str {
    finding.method.map_or(MAP, Method::name)
}

fn verdict(finding: &Finding) -> &'static str {
    if finding.is_unsafe() {
        "unsafe"
    } else if !finding.failed.is_empty() {
        "fails"
    } else if finding.untested > 0 {
        "unfinished"
    } else if finding.good == 0 {
        "refused"
    } else {
        "safe"
    }
}

fn method(out: &mut String, finding: &Finding, volume: &VolumeProbe) {
    let (title, verdict) = (title(finding), verdict(finding));
    let shown = if verdict == "safe" || verdict == "refused" {
        verdict.to_owned()
    } else {
        verdict.to_uppercase()
    };
    let mut rest = format!("{} of {} files right", finding.good, finding.tried());
    let refused = finding.refused.len();
    if finding.untested > 0 {
        rest += &format!("; {} not tested", finding.untested);
    }
    if finding.method.is_none() {
        let believed = volume.kind.hole_map_is_sound();
        rest += if believed {
            "; copyist believes it"
        } else {
            "; copyist doesn't believe it on this filesystem, and looks for holes itself"
        };
    } else if verdict == "refused" {
        rest = finding.refused[0].1.clone();
    } else if refused > 0 {
        let (name, why) = &finding.refused[0];
        rest += &format!("; {refused} declined ({name}: {why})");
    }
    let _ = writeln!(out, "  {title:<12} {shown:<8} {rest}");
    for (name, fault) in finding.wrong.iter().take(TOLD) {
        let _ = writeln!(out, "  {:<12}   {name}: {fault}", "");
    }
    if finding.wrong.len() > TOLD {
        let _ = writeln!(
            out,
            "  {:<12}   and {} more",
            "",
            finding.wrong.len() - TOLD
        );
    }
    for (name, error) in finding.failed.iter().take(TOLD) {
        let _ = writeln!(out, "  {:<12}   {name}: {error}", "");
    }
}

impl Finding {
    pub(super) fn tried(&self) -> usize {
        self.good as usize + self.wrong.len() + self.failed.len()
    }
}

pub(super) fn json(found: &Examination) -> String {
    let volume = &found.probe.dst;
    let object = json!({
        "type": "doctor",
        "system": found.probe.system,
        "path": name(&volume.path),
        "filesystem": volume.kind.name(),
        "type_name": volume.type_name,
        "findings": found.findings.iter().map(finding).collect::<Value>(),
        "not_tried": found.left_out,
        "known_bugs": found.probe.known_bugs().iter().map(|bug| json!({
            "about": about(bug),
            "what": bug.what,
            "guard": bug.guard,
        })).collect::<Value>(),
    });
    format!("{object}\n")
}

fn finding(finding: &Finding) -> Value {
    let told = |(file, why): &(&'static str, String)| json!({ "file": file, "why": why });
    json!({
        "about": title(finding),
        "verdict": verdict(finding),
        "right": finding.good,
        "wrong": finding.wrong.iter()
            .map(|(file, fault)| json!({ "file": file, "why": fault.to_string() }))
            .collect::<Value>(),
        "failed": finding.failed.iter().map(told).collect::<Value>(),
        "untested": finding.untested,
        "refused": finding.refused.iter().map(told).collect::<Value>(),
    })
}
