//! The result of a probe as JSON: `docs/probe.md`.

use copyist::error::Code;
use copyist::probe::{Answer, Choice, Probe, VolumeProbe};
use copyist::report::Known;
use serde_json::{Value, json};

use super::result::ProbeResult;
use super::text::how_words;
use crate::words::errors::code_name;
use crate::words::json_path::json_path;

/// One object, on one line.
pub(super) fn render(found: &ProbeResult) -> String {
    let pair = found.pair();
    let mut object = json!({
        "type": "probe",
        "system": pair.system,
        "src": volume(&found.src.dst),
        "methods": methods(pair),
        "auto": {
            "small": choice(pair, pair.auto.small),
            "large": choice(pair, pair.auto.large),
            "sparse": choice(pair, pair.auto.sparse),
        },
        "learnt": found.saved.iter().map(|(pair, counts)| json!({
            "counts": counts,
            "system": pair.system,
            "file_bytes": pair.file_bytes,
            "methods": pair.methods,
        })).collect::<Vec<_>>(),
    });
    if let Some((dst, pair)) = &found.dst {
        object["dst"] = volume(&dst.dst);
        object["one_volume"] = pair.is_one_volume.into();
        object["methods_within_src"] = methods(&found.src);
        object["methods_within_dst"] = methods(dst);
    }
    format!("{object}\n")
}

fn volume(volume: &VolumeProbe) -> Value {
    let alignment = volume.direct_alignment;
    json!({
        "path": json_path(&volume.path),
        "filesystem": volume.kind.name(),
        "type": volume.type_name,
        "device": volume.device.as_deref().map(|it| json_path(it.as_ref())),
        "mounted_at": volume.mounted_at.as_deref().map(json_path),
        "read_only": volume.is_read_only,
        "block_bytes": volume.block_bytes,
        "free_bytes": volume.free_bytes,
        "total_bytes": volume.total_bytes,
        "name_bytes_max": volume.name_bytes,
        "file_bytes_max": volume.file_limit.map(|limit| json!({
            "bytes": limit.bytes,
            "how": how_words(limit.how),
        })),
        "folds_case": answer(&volume.folds_case),
        "holes": answer(&volume.holes),
        "preallocation": answer(&volume.preallocation),
        "xattrs": answer(&volume.xattrs),
        "acls": answer(&volume.acls),
        "direct": answer(&volume.direct),
        "direct_memory_align_bytes": alignment.map(|it| it.0),
        "direct_offset_align_bytes": alignment.map(|it| it.1),
    })
}

fn methods(probe: &Probe) -> Value {
    let methods = probe.methods.iter().map(|(method, found)| {
        let mut object = answer(found);
        object["method"] = method.name().into();
        object
    });
    methods.collect()
}

fn answer(answer: &Answer) -> Value {
    let mut object = json!({
        "answer": match answer.known {
            Known::Yes => "yes",
            Known::No => "no",
            Known::Unknown => "unknown",
        },
        "how": how_words(answer.how),
    });
    if let Some(code) = answer.code.filter(|code| *code != Code::CANCELLED) {
        object["code"] = code_name(code).into();
    }
    if let Some(why) = answer.why {
        object["why"] = why.into();
    }
    object
}

fn choice(pair: &Probe, choice: Option<Choice>) -> Value {
    match choice {
        Some(choice) if pair.dst.is_read_only != Some(true) => json!({
            "method": choice.method.name(),
            "threads": choice.threads,
            "certain": choice.is_certain,
        }),
        _ => Value::Null,
    }
}
