//! What the options say about existing destinations.

use crate::words::options::{Backup, Force, Make, Options, Update};

/// What the options say about existing destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) make: Make,
    pub(crate) update: Update,
    pub(crate) interactive: bool,
    pub(crate) force: Force,
    pub(crate) backup: Backup,
    /// Files are written beside what they replace, and renamed.
    pub(crate) is_atomic: bool,
    pub(crate) recursive: bool,
    pub(crate) copy_contents: bool,
    pub(crate) attributes_only: bool,
    pub(crate) keeps_links: bool,
    pub(crate) keeps_times: bool,
    pub(crate) keep_directory_symlink: bool,
    pub(crate) write_through_dangling: bool,
}

impl Policy {
    pub(crate) fn of(options: &Options) -> Policy {
        Policy {
            make: options.make,
            update: options.update,
            interactive: options.interactive,
            force: options.force,
            backup: options.backup,
            is_atomic: options.atomic.wanted(),
            recursive: options.recursive,
            copy_contents: options.copy_contents,
            attributes_only: options.attributes_only,
            keeps_links: options.preserve.links,
            keeps_times: options.preserve.times,
            keep_directory_symlink: options.keep_directory_symlink,
            write_through_dangling: options.write_through_dangling,
        }
    }

    /// Nothing that exists is replaced.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self.update, Update::None | Update::NoneFail)
    }
}
