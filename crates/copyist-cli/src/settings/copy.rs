//! The defaults of `copy`, and the options that only `copy` takes.

use std::ffi::OsString;

use copyist::options::{Atomic, Make};

use super::reader::Reader;
use super::values::{FilterRule, When};
use crate::args::Copy;

impl Reader<'_> {
    /// The defaults: `-a --atomic=auto --progress=auto`, a preflight check, a last line, and `/dev/stdin` is read.
    pub(super) fn copy_defaults(&mut self) {
        self.archive();
        self.settings.options.atomic = Atomic::BestEffort;
        self.settings.options.read_open_files = true;
        self.settings.progress = When::Auto;
        self.settings.last_line = true;
        self.settings.preflight = true;
    }

    /// What an option of `copy` does.
    pub(super) fn copy(&mut self, id: Copy, value: Option<OsString>) {
        let settings = &mut self.settings;
        let mut filter = |rule: fn(OsString) -> FilterRule| {
            settings
                .filters
                .push(rule(value.clone().unwrap_or_default()));
        };
        match id {
            Copy::Exclude => filter(FilterRule::Exclude),
            Copy::ExcludeFrom => filter(FilterRule::ExcludeFrom),
            Copy::IgnoreFile => filter(FilterRule::IgnoreFile),
            Copy::Include => filter(FilterRule::Include),
            Copy::DryRun => settings.dry_run = true,
            Copy::NoPreflight => settings.preflight = false,
            Copy::Json => settings.report = Some("-".into()),
            Copy::Quiet => {
                settings.progress = When::Never;
                settings.last_line = false;
                settings.quiet = true;
            }
        }
    }

    /// What they mean together.
    pub(super) fn finish_copy(&mut self) {
        let settings = &mut self.settings;
        settings.options.filtered = !settings.filters.is_empty();
        let reads = !self.keeps_links && settings.options.make == Make::Copy;
        settings.options.read_open_files &= reads;
        let is_dry = settings.dry_run || settings.explain;
        if is_dry {
            settings.progress = When::Never;
            settings.manifest = None;
        }
        // A dry run lists each entry, unless other output shows them.
        let json = settings.report.as_deref() == Some("-".as_ref());
        settings.verbose |= settings.dry_run && !settings.explain && !settings.quiet && !json;
    }
}
