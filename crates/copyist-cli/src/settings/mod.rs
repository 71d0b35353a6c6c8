//! Reads a command line into settings. Pure: no system call.

mod choices;
mod copy;
mod gnu;
mod own;
mod read;
mod reader;
mod values;

pub(crate) use self::read::read;
pub(crate) use self::values::{FilterRule, Settings, Stop, When};
