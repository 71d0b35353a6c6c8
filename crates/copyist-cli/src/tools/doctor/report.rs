//! The result as text and as JSON (`docs/doctor.md`).

use std::fmt::Write as _;

use copyist::Method;
use copyist::probe::{KnownBug, VolumeProbe};
use serde_json::{Value, json};

use super::finding::{Examination, Finding};
use crate::words::json_path::json_path;
use crate::words::quoting::Quoter;

/// How many wrong copies of a method are listed.
const SHOWN_MAX: usize = 3;

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
        let _ = writeln!(out, "No bug of {} on this kernel is known.", kind(volume));
    } else {
        let _ = writeln!(out, "Known bugs of {} on this kernel:", kind(volume));
    }
    for bug in bugs {
        let _ = writeln!(
            out,
            "* {}: {}; therefore {}",
            about(bug),
            bug.what,
            bug.guard
        );
    }
    out
}

fn kind(volume: &VolumeProbe) -> &str {
    volume.type_name.as_deref().unwrap_or(volume.kind.name())
}

fn about(bug: &KnownBug) -> &'static str {
    bug.method.map_or("sizes and holes", Method::name)
}

/// The name of the map of holes.
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
            "; copyist uses it"
        } else {
            "; copyist does not use it on this filesystem, and finds holes by reading"
        };
    } else if verdict == "refused" {
        rest = finding.refused[0].1.clone();
    } else if refused > 0 {
        let (name, why) = &finding.refused[0];
        rest += &format!("; {refused} refused ({name}: {why})");
    }
    let _ = writeln!(out, "  {title:<12} {shown:<8} {rest}");
    for (name, fault) in finding.wrong.iter().take(SHOWN_MAX) {
        let _ = writeln!(out, "  {:<12}   {name}: {fault}", "");
    }
    if finding.wrong.len() > SHOWN_MAX {
        let _ = writeln!(
            out,
            "  {:<12}   and {} more",
            "",
            finding.wrong.len() - SHOWN_MAX
        );
    }
    for (name, error) in finding.failed.iter().take(SHOWN_MAX) {
        let _ = writeln!(out, "  {:<12}   {name}: {error}", "");
    }
}

pub(super) fn json(found: &Examination) -> String {
    let volume = &found.probe.dst;
    let object = json!({
        "type": "doctor",
        "system": found.probe.system,
        "path": json_path(&volume.path),
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
    let with_reason = |(file, why): &(&'static str, String)| json!({ "file": file, "why": why });
    json!({
        "about": title(finding),
        "verdict": verdict(finding),
        "right": finding.good,
        "wrong": finding.wrong.iter()
            .map(|(file, fault)| json!({ "file": file, "why": fault.to_string() }))
            .collect::<Value>(),
        "failed": finding.failed.iter().map(with_reason).collect::<Value>(),
        "untested": finding.untested,
        "refused": finding.refused.iter().map(with_reason).collect::<Value>(),
    })
}
