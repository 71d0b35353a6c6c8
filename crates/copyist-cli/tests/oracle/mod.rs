//! GNU cp as the oracle: the same command in two identical situations, and everything compared.
//!
//! - `plan`, `random`, `existing`, `acl`: what a situation holds, from a seed, before any of it exists
//! - `options`, `pairs`, `kinds`, `case`: the command line, and who runs it
//! - `make`, `remove`: trees on a real filesystem, deeper than PATH_MAX too
//! - `run`: one program in one situation
//! - `snapshot`, `diff`: every attribute of what it left
//! - `judge`, `meant`: whether the two did the same, and the differences that are meant
//! - `lab`: which filesystems there are to test on
//! - `harness`: all cases on one filesystem, and how to play one again

#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod acl;
pub(crate) mod case;
pub(crate) mod diff;
pub(crate) mod existing;
pub(crate) mod harness;
pub(crate) mod judge;
pub(crate) mod kinds;
pub(crate) mod lab;
pub(crate) mod make;
pub(crate) mod meant;
pub(crate) mod options;
pub(crate) mod pairs;
pub(crate) mod plan;
pub(crate) mod random;
pub(crate) mod remove;
pub(crate) mod run;
pub(crate) mod snapshot;

/// What a test's own machinery returns: any error ends the test with its text.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;
