//! `copyist bench`: measures every method.
//!
//! `test_data.rs` creates the data, `rounds.rs` runs the methods on it, `stats.rs` computes statistics of
//! the times, `remarks.rs` comments on them; `table.rs`, `json.rs` and `chart.rs` print them, and `plot.rs`
//! draws bar charts.

mod chart;
mod json;
mod plot;
mod remarks;
mod results;
mod rounds;
mod run;
mod stats;
mod table;
mod test_data;

pub(crate) use self::run::run;
