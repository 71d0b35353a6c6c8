//! The result of a probe as text.

use std::fmt::Write as _;

use copyist::error::Code;
use copyist::probe::{Answer, Choice, How, Probe, VolumeProbe};
use copyist::report::Known;
use indicatif::BinaryBytes;

use super::result::ProbeResult;
use crate::words::errors::code_name;
use crate::words::quoting::Quoter;

/// The whole text.
pub(super) fn render(found: &ProbeResult) -> String {
    let mut out = String::new();
    volume(&mut out, &found.src);
    if let Some((dst, _)) = &found.dst {
        out.push('\n');
        volume(&mut out, dst);
    }
    out.push_str("\nMethods");
    let pair = found.pair();
    if found.dst.is_some() {
        let one = if pair.is_one_volume {
            "one volume"
        } else {
            "two volumes"
        };
        out += &format!(" from the first to the second ({one})");
    }
    out.push('\n');
    methods(&mut out, pair);
    if let Some((dst, _)) = &found.dst {
        out.push_str("\nMethods within the first\n");
        methods(&mut out, &found.src);
        out.push_str("\nMethods within the second\n");
        methods(&mut out, dst);
    }
    out.push_str("\nDefault methods\n");
    let auto = pair.auto;
    for (what, choice) in [
        ("a file of 4 KiB", auto.small),
        ("a file of 1 GiB", auto.large),
        ("1 GiB, mostly holes", auto.sparse),
    ] {
        row(&mut out, what, &choice_words(pair, choice), "");
    }
    saved(&mut out, found);
    out
}

fn row(out: &mut String, name: &str, value: &str, how: &str) {
    let line = format!("  {name:<21} {how:<9} {value}");
    out.push_str(line.trim_end());
    out.push('\n');
}

fn volume(out: &mut String, probe: &Probe) {
    let volume = &probe.dst;
    let quoter = Quoter::from_environment();
    // Writing into a String can't fail.
    let _ = writeln!(
        out,
        "{}: {}",
        quoter.if_needed(&volume.path),
        mounted(volume)
    );
    if let (Some(free), Some(total)) = (volume.free_bytes, volume.total_bytes) {
        let space = format!("{} of {}", BinaryBytes(free), BinaryBytes(total));
        row(out, "free space", &space, reported());
    }
    if let Some(read_only) = volume.is_read_only {
        row(
            out,
            "read-only",
            if read_only { "yes" } else { "no" },
            reported(),
        );
    }
    let block = format!("{} bytes", volume.block_bytes);
    row(out, "block", &block, reported());
    let aligned = volume
        .direct_alignment
        .map_or(String::new(), |(memory, offset)| {
            format!(": memory at {memory}, offsets at {offset} bytes")
        });
    row(
        out,
        "direct I/O",
        &(words(&volume.direct) + &aligned),
        how(&volume.direct),
    );
    for (name, answer) in [
        ("holes", &volume.holes),
        ("preallocation", &volume.preallocation),
        ("extended attributes", &volume.xattrs),
        ("access control lists", &volume.acls),
    ] {
        row(out, name, &words(answer), how(answer));
    }
    let case = match volume.folds_case.known {
        Known::Yes => "names that differ only in case are the same",
        Known::No => "names that differ only in case are different",
        Known::Unknown => "unknown",
    };
    row(out, "case", case, how(&volume.folds_case));
    if let Some(name) = volume.name_bytes {
        row(out, "longest name", &format!("{name} bytes"), reported());
    }
    if let Some(limit) = volume.file_limit {
        let words = format!("{} bytes ({})", limit.bytes, BinaryBytes(limit.bytes));
        row(out, "largest file", &words, how_words(limit.how));
    } else {
        row(out, "largest file", "unknown", "");
    }
}

fn mounted(volume: &VolumeProbe) -> String {
    let quoter = Quoter::from_environment();
    let mut out = volume
        .type_name
        .clone()
        .unwrap_or_else(|| volume.kind.name().to_owned());
    if let Some(device) = &volume.device {
        out += &format!(" on {}", quoter.if_needed(device));
    }
    if let Some(point) = &volume.mounted_at {
        out += &format!(", mounted at {}", quoter.if_needed(point));
    }
    out
}

fn methods(out: &mut String, probe: &Probe) {
    for (method, answer) in &probe.methods {
        row(out, method.name(), &words(answer), how(answer));
    }
}

fn words(answer: &Answer) -> String {
    let word = match answer.known {
        Known::Yes => return "yes".to_owned(),
        Known::No => "no",
        Known::Unknown => "unknown",
    };
    let code = answer.code.filter(|code| *code != Code::CANCELLED);
    match (code.map(code_name), answer.why) {
        (Some(code), Some(why)) if answer.known == Known::No => format!("{word}: {code}, {why}"),
        (Some(code), _) if answer.known == Known::No => format!("{word}: {code}"),
        (Some(code), _) => format!("{word}: it could not be tried ({code})"),
        (None, Some(why)) => format!("{word}: {why}"),
        (None, None) => word.to_owned(),
    }
}

fn how(answer: &Answer) -> &'static str {
    if answer.known == Known::Unknown {
        return "";
    }
    how_words(answer.how)
}

pub(super) const fn how_words(how: How) -> &'static str {
    match how {
        How::Tried => "tried",
        How::Reported => "reported",
        How::Table => "table",
    }
}

const fn reported() -> &'static str {
    how_words(How::Reported)
}

fn choice_words(pair: &Probe, choice: Option<Choice>) -> String {
    if pair.dst.is_read_only == Some(true) {
        return "nothing: it is read-only".to_owned();
    }
    let Some(choice) = choice else {
        return "nothing".to_owned();
    };
    let mut out = choice.method.name().to_owned();
    if choice.threads > 1 {
        out += &format!(", {} threads", choice.threads);
    }
    if !choice.is_certain {
        out.push_str(", if it is not refused");
    }
    out
}

fn saved(out: &mut String, found: &ProbeResult) {
    for (pair, counts) in &found.saved {
        let from = BinaryBytes(pair.file_bytes / 2);
        let order: Vec<&str> = pair.methods.iter().map(|it| it.method.as_str()).collect();
        let order = order.join(", ");
        out.push('\n');
        let _ = if *counts {
            writeln!(out, "Saved by bench: files of {from} and more by {order}")
        } else {
            let system = &pair.system;
            writeln!(
                out,
                "Saved by bench on {system}, not this system, and not used: {order}"
            )
        };
    }
}
