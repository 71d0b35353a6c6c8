//! The state while options are read.

use std::ffi::OsString;

use copyist::options::Follow;

use super::values::Settings;
use crate::process::environment::Environment;
use crate::words::quoting::Quoter;

/// The state while options are read. Most options take effect at once, some when all have been read.
pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    pub(super) quoter: Quoter,
    pub(super) settings: Settings,
    /// Set by the last of the options about links; the default depends on others.
    pub(super) follow: Option<Follow>,
    /// Whether that option copies links as links.
    pub(super) keeps_links: bool,
    pub(super) copy_contents: bool,
    pub(super) no_preserve_mode: bool,
    pub(super) no_clobber: bool,
    pub(super) hard_link: bool,
    pub(super) symbolic_link: bool,
    pub(super) remove_destination: bool,
    pub(super) backup: bool,
    pub(super) backup_control: Option<OsString>,
    pub(super) backup_suffix: Option<OsString>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment, quoter: Quoter) -> Reader<'a> {
        Reader {
            environment,
            quoter,
            settings: Settings::default(),
            follow: None,
            keeps_links: false,
            copy_contents: false,
            no_preserve_mode: false,
            no_clobber: false,
            hard_link: false,
            symbolic_link: false,
            remove_destination: false,
            backup: false,
            backup_control: None,
            backup_suffix: None,
        }
    }
}
