//! The figures as JSON: `docs/bench.md`.

use copyist::Method;
use serde_json::{Value, json};

use super::results::{Outcome, Results, Row};
use crate::words::json_path::json_path;

/// One object, on one line.
pub(super) fn render(results: &Results) -> String {
    let probe = &results.probe;
    let volume = |volume: &copyist::probe::VolumeProbe| {
        json!({
            "path": json_path(&volume.path),
            "filesystem": volume.kind.name(),
            "type": volume.type_name,
        })
    };
    let object = json!({
        "type": "bench",
        "system": probe.system,
        "src": volume(&probe.src),
        "dst": volume(&probe.dst),
        "bytes": results.size,
        "files": results.files,
        "runs": results.runs,
        "cold": results.cold,
        "methods": results.rows.iter().map(|row| line(results, row)).collect::<Value>(),
        "remarks": results.remarks,
        "left_bytes": results.left_bytes,
    });
    format!("{object}\n")
}

fn line(results: &Results, row: &Row) -> Value {
    let mut object = json!({
        "name": row.name,
        "method": row.method.map(Method::name),
        "baseline": row.is_baseline,
    });
    match &row.outcome {
        Outcome::Measured { stats, by, shared } => {
            object["outcome"] = "measured".into();
            object["by"] = by.map(Method::name).into();
            object["ns"] = stats.runs.iter().map(|&run| ns(run)).collect();
            object["median_ns"] = ns(stats.median).into();
            object["least_ns"] = ns(stats.least).into();
            object["most_ns"] = ns(stats.most).into();
            object["quartiles_ns"] = json!([ns(stats.quartiles.0), ns(stats.quartiles.1)]);
            object["outliers"] = stats.outliers.clone().into();
            object["ratio"] = results.ratio(stats).into();
            object["shared"] = (*shared).into();
        }
        Outcome::Refused { code, why } => {
            object["outcome"] = "refused".into();
            object["code"] = code.clone().into();
            object["why"] = why.clone().into();
        }
        Outcome::Failed(why) => {
            object["outcome"] = "failed".into();
            object["why"] = why.clone().into();
        }
        Outcome::Unmeasured => object["outcome"] = "unmeasured".into(),
    }
    object
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64 // a float becomes the nearest that there is
}
