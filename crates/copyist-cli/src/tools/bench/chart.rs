//! The figures as bars.

use super::plot::{Bar, Chart, Value};
use super::results::{Outcome, Results};
use super::table::{headline, ratio, seconds, words};

pub(super) fn chart(results: &Results) -> Chart {
    let bars = results.rows.iter().map(|row| Bar {
        label: row.name.clone(),
        is_baseline: row.is_baseline,
        value: match &row.outcome {
            Outcome::Measured { stats, .. } => Value::Measured {
                middle: stats.median * 1e3,
                low: stats.quartiles.0 * 1e3,
                high: stats.quartiles.1 * 1e3,
                text: format!("{} · {}", seconds(stats.median), ratio(results, row)),
            },
            // The whole reason is in the table; a chart has a line for it.
            Outcome::Refused {
                code: Some(code), ..
            } => Value::Missing(format!("refused: {code}")),
            other => Value::Missing(words(other)),
        },
    });
    Chart {
        title: "Time to copy, by method".to_owned(),
        subtitle: headline(results),
        axis: "ms: the median, and as a line the middle half of the runs; shorter is faster"
            .to_owned(),
        bars: bars.collect(),
    }
}
