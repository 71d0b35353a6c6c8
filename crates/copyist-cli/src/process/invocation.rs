//! The name that the program was called by, as its messages use it.

use std::ffi::OsStr;
use std::path::Path;

/// How the program was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    typed: String,
    short: String,
}

impl Invocation {
    /// Called by the name of a command, such as `cp` or `/usr/bin/cp`.
    pub(crate) fn by_name(argument: &OsStr) -> Invocation {
        let short = Path::new(argument).file_name().unwrap_or(argument);
        Invocation {
            typed: argument.to_string_lossy().into_owned(),
            short: short.to_string_lossy().into_owned(),
        }
    }

    /// Called as `copyist COMMAND`.
    pub(crate) fn subcommand(command: &str) -> Invocation {
        let name = format!("copyist {command}");
        Invocation {
            typed: name.clone(),
            short: name,
        }
    }

    /// The name as typed. GNU uses it in usage errors, hints and questions.
    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    /// The name without directories. GNU begins its other messages with it.
    pub(crate) fn short(&self) -> &str {
        &self.short
    }
}

/// The two commands that copy. They share the engine and most options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Frontend {
    /// As GNU cp.
    #[default]
    Cp,
    /// With defaults of its own.
    Copy,
}

impl Frontend {
    /// The command's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Frontend::Cp => "cp",
            Frontend::Copy => "copy",
        }
    }
}
