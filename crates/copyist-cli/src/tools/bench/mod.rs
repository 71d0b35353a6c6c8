//! `copyist bench`: every method, measured beside the others.
//!
//! `field.rs` makes the data and the places, `race.rs` runs the methods on it, `stats.rs` makes
//! figures of the times, `judge.rs` words of the figures; `table.rs`, `json.rs` and `chart.rs` tell
//! them, and `plot.rs` can draw any bars.

mod chart;
mod field;
mod json;
mod judge;
mod plot;
mod race;
mod results;
mod run;
mod stats;
mod table;

pub(crate) use self::run::run;
