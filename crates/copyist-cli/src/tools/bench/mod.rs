//! `copyist bench`: measures every method.
//!
//! `test_data.rs` creates the data, `rounds.rs` runs the methods on it, `stats.rs` computes statistics of
//! the times, `judge.rs` remarks on them; `table.rs`, `json.rs` and `chart.rs` print them, and `plot.rs`
//! draws bar charts.

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
