//! `copyist probe`: which features and methods a volume, or a pair of them, supports.

mod found;
mod json;
mod run;
mod text;

pub(crate) use self::run::run;
