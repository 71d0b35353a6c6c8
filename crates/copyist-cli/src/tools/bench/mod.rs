//! `copyist bench`: every method, measured beside the others.
//!
//! `test_data.rs` makes the data and the places, `rounds.rs` runs the methods on it, `stats.rs` makes
//! figures of the times, `judge.rs` words of the figures; `table.rs`, `json.rs` and `chart.rs` tell
//! them, and `plot.rs` can draw any bars.

mod chart;
mod json;
mod judge;
mod plot;
mod results;
mod rounds;
mod run;
mod stats;
mod table;
mod test_data;

pub(crate) use self::run::run;
