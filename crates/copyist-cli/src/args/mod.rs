//! The command lines of copyist as tables, from which the reader of command lines, the help, the man
//! pages and the completions come, so that they agree.
//!
//! `cp` takes GNU's options and copyist's own; `copy` takes some more. The tables:
//! `gnu.rs`, `own.rs`, `copy.rs`.

pub(crate) mod argmatch;
mod commands;
mod copy;
pub(crate) mod getopt;
mod gnu;
mod option;
mod own;
mod tools;
mod verify;

pub(crate) use self::commands::{copyist_command, flags, frontend_command};
pub(crate) use self::option::{Copy, Cp, Opt, Own};
pub(crate) use self::tools::{BenchArgs, DoctorArgs, ProbeArgs, Tool, read};
pub(crate) use self::verify::{VerifyArgs, command as verify_command};
