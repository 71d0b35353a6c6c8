//! Values and texts that every room uses: names, quoting, sizes, dates, error codes, text files.

pub(crate) mod errors;
pub(crate) mod json_path;
pub(crate) mod manifest_line;
pub(crate) mod names;
pub(crate) mod quoting;
pub(crate) mod size;
pub(crate) mod suggest;
pub(crate) mod sync;
pub(crate) mod text_file;
pub(crate) mod time;
