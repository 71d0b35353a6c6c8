//! What a command line means, without a look at the system: options for the library and settings of the command.

mod choices;
mod copy;
mod gnu;
mod own;
mod read;
mod reader;
mod values;

pub(crate) use self::read::read;
pub(crate) use self::values::{FilterRule, Settings, Stop, When};
