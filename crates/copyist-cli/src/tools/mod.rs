//! The other commands: `probe`, `bench`, `doctor`, `verify`, man pages and completions.

pub(crate) mod bench;
pub(crate) mod doctor;
pub(crate) mod guard;
pub(crate) mod pages;
pub(crate) mod probe;
pub(crate) mod verify;
pub(crate) mod work;
