//! `copyist doctor`: which methods are safe on a filesystem.
//!
//! `patterns.rs` has files of known content, `live.rs` files that change meanwhile; `judge.rs`
//! compares what was made of them. `report.rs` says what came out.

// Most files have one range of data.
#![allow(clippy::single_range_in_vec_init)]

mod finding;
mod judge;
mod live;
mod patterns;
mod report;
mod run;

pub(crate) use self::run::run;
