//! The platform interface: everything that the engine needs from a system, and nothing more.
//!
//! It is four traits: [`Machine`], [`Names`], [`Data`] and [`Attributes`]; together they are a [`Platform`].
//! [`native`] is the system that copyist runs on; the tests have another one, `sim`, which simulates Linux, macOS and
//! Windows with their faults. Each method is one operation of a system: no policy, no fallback, no loop, and an error
//! is a plain [`Code`](crate::words::code::Code).

mod attributes;
mod batch;
mod by_path;
mod data;
pub(crate) mod dry;
pub(crate) mod filesystem;
mod machine;
mod mounted;
mod names;
pub(crate) mod native;
pub(crate) mod parent;
mod platform;
pub(crate) mod sandbox;
mod start;

pub(crate) use attributes::{Attribute, Attributes, XattrFailed};
pub(crate) use batch::Batch;
pub(crate) use by_path::{NotMade, Progress, Takes, Whole, WholeCopy};
pub(crate) use data::{Data, DirectAlignment, Extent, Move, Seek};
pub(crate) use machine::{Machine, Sys, Used};
pub(crate) use mounted::{Mounted, Space, longest_name};
pub(crate) use names::{At, Names, Node, Open, Target};
pub(crate) use platform::Platform;
pub(crate) use start::start_dir;
