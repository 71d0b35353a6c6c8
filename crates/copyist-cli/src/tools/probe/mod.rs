//! `copyist probe`: what a volume, or a pair of them, can do.

mod found;
mod json;
mod run;
mod text;

pub(crate) use self::run::run;
