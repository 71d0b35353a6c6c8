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
            // The full reason is in the table; the chart has one line.
            Outcome::Refused {
                code: Some(code), ..
            } => Value::Missing(format!("refused: {code}")),
            other => Value::Missing(words(other)),
        },
    });
    Chart {
        title: "Time to copy, by method".to_owned(),
        subtitle: headline(results),
        axis: "ms: the median, with the quartiles as a line; shorter is faster".to_owned(),
        bars: bars.collect(),
    }
}
