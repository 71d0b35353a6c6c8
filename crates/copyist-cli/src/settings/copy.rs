//! What is different in `copy`: what it sets by itself, and the options that only it takes.

use super::{Reader, When};
use crate::args::Copy;

impl Reader<'_> {
    /// What holds before the first option is read: as `cp -a`, with progress on a terminal.
    pub(super) fn copy_defaults(&mut self) {
        self.archive();
        self.settings.progress = When::Auto;
        self.settings.last_line = true;
    }

    /// What an option of `copy` does.
    pub(super) fn copy(&mut self, id: Copy) {
        let settings = &mut self.settings;
        match id {
            Copy::Json => settings.report = Some("-".into()),
            Copy::Quiet => {
                settings.progress = When::Never;
                settings.last_line = false;
            }
        }
    }
}
