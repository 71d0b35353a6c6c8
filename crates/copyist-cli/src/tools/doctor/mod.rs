//! `copyist doctor`: which methods are safe on a filesystem.
//!
//! `patterns.rs` has files of known content, `live.rs` files that change during the copy; `judge.rs`
//! compares the copies. `report.rs` prints the result.

// Most files have one range of data.
#![allow(clippy::single_range_in_vec_init)]

mod finding;
mod judge;
mod live;
mod patterns;
mod report;
mod run;

pub(crate) use self::run::run;
