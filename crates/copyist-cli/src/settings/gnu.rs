//! What GNU cp's options do.

use std::ffi::{OsStr, OsString};

use copyist::options::{Follow, Reflink, Sparse, Update, Want};

use super::choices::{choose, list};
use super::reader::Reader;
use super::values::Stop;
use crate::args::Cp;

const SPARSE: &[(&str, Sparse)] = &[
    ("never", Sparse::Never),
    ("auto", Sparse::Auto),
    ("always", Sparse::Always),
];

const REFLINK: &[(&str, Reflink)] = &[
    ("auto", Reflink::Auto),
    ("always", Reflink::Always),
    ("never", Reflink::Never),
];

const UPDATE: &[(&str, Update)] = &[
    ("all", Update::All),
    ("none", Update::None),
    ("none-fail", Update::NoneFail),
    ("older", Update::Older),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Mode,
    Timestamps,
    Ownership,
    Links,
    Context,
    Xattr,
    All,
}

const ATTRIBUTES: &[(&str, Attribute)] = &[
    ("mode", Attribute::Mode),
    ("timestamps", Attribute::Timestamps),
    ("ownership", Attribute::Ownership),
    ("links", Attribute::Links),
    ("context", Attribute::Context),
    ("xattr", Attribute::Xattr),
    ("all", Attribute::All),
];

impl Reader<'_> {
    /// What an option of GNU cp does.
    pub(super) fn gnu(
        &mut self,
        id: Cp,
        value: Option<OsString>,
        warn: &mut dyn FnMut(&str),
    ) -> Result<(), Stop> {
        match id {
            Cp::Help => return Err(Stop::Help),
            Cp::Version => return Err(Stop::Version),
            Cp::Archive => self.archive(),
            Cp::Links => {
                (self.follow, self.keeps_links) = (Some(Follow::Never), true);
                self.settings.options.preserve.links = true;
            }
            Cp::Dereference => (self.follow, self.keeps_links) = (Some(Follow::Always), false),
            Cp::DereferenceOperands => {
                (self.follow, self.keeps_links) = (Some(Follow::Operands), false);
            }
            Cp::NoDereference => (self.follow, self.keeps_links) = (Some(Follow::Never), true),
            Cp::CopyContents => self.copy_contents = true,
            Cp::Link => self.hard_link = true,
            Cp::SymbolicLink => self.symbolic_link = true,
            Cp::RemoveDestination => self.remove_destination = true,
            Cp::Force => self.settings.force = true,
            Cp::Interactive => (self.settings.options.interactive, self.no_clobber) = (true, false),
            Cp::NoClobber => (self.settings.options.interactive, self.no_clobber) = (false, true),
            Cp::Preserve => match value {
                Some(list) => self.attributes("--preserve", &list, true)?,
                None => self.preserve_basics(),
            },
            Cp::NoPreserve => {
                self.attributes("--no-preserve", &value.unwrap_or_default(), false)?;
            }
            Cp::Backup => {
                self.backup = true;
                self.backup_control = value.or(self.backup_control.take());
            }
            Cp::Suffix => (self.backup, self.backup_suffix) = (true, value),
            Cp::Context => self.context(value.is_some(), warn),
            Cp::TargetDirectory => {
                if self.settings.target_directory.is_some() {
                    let message = "multiple target directories specified";
                    return Err(Stop::Fatal(message.to_owned()));
                }
                self.settings.target_directory = value;
            }
            Cp::Reflink | Cp::Sparse | Cp::Update => self.valued(id, value)?,
            _ => self.switch(id),
        }
        Ok(())
    }

    /// The options that only set a flag.
    fn switch(&mut self, id: Cp) {
        let settings = &mut self.settings;
        let field = match id {
            Cp::AttributesOnly => &mut settings.options.attributes_only,
            Cp::KeepDirectorySymlink => &mut settings.options.keep_directory_symlink,
            Cp::NoTargetDirectory => &mut settings.no_target_directory,
            Cp::OneFileSystem => &mut settings.options.one_file_system,
            Cp::Parents => &mut settings.parents,
            Cp::Recursive => &mut settings.options.recursive,
            Cp::StripTrailingSlashes => &mut settings.strip_trailing_slashes,
            Cp::Debug => {
                settings.verbose = true;
                &mut settings.debug
            }
            Cp::Verbose => &mut settings.verbose,
            _ => unreachable!("Reader::gnu handles {id:?}"),
        };
        *field = true;
    }

    /// The options with a value from a list.
    fn valued(&mut self, id: Cp, value: Option<OsString>) -> Result<(), Stop> {
        let quoter = self.quoter;
        let options = &mut self.settings.options;
        match (id, value) {
            (Cp::Reflink, None) => options.reflink = Reflink::Always,
            (Cp::Update, None) => options.update = Update::Older,
            (Cp::Reflink, Some(value)) => {
                options.reflink = choose(quoter, "--reflink", &value, REFLINK)?;
            }
            (Cp::Update, Some(value)) => {
                options.update = choose(quoter, "--update", &value, UPDATE)?;
            }
            (Cp::Sparse, Some(value)) => {
                options.sparse = choose(quoter, "--sparse", &value, SPARSE)?;
            }
            (id, value) => unreachable!("{id:?} with {value:?} is not in the table"),
        }
        Ok(())
    }

    pub(super) fn archive(&mut self) {
        self.follow = Some(Follow::Never);
        self.settings.options.recursive = true;
        self.preserve_basics();
        let preserve = &mut self.settings.options.preserve;
        preserve.links = true;
        if self.environment.selinux && preserve.context == Want::No {
            preserve.context = Want::BestEffort;
        }
        if preserve.xattrs == Want::No {
            preserve.xattrs = Want::BestEffort;
        }
    }

    fn preserve_basics(&mut self) {
        let preserve = &mut self.settings.options.preserve;
        (preserve.mode, preserve.acl) = (true, true);
        preserve.owner = true;
        preserve.times = true;
    }

    fn attributes(&mut self, context: &str, value: &OsStr, on: bool) -> Result<(), Stop> {
        let selinux = self.environment.selinux;
        for name in list(value) {
            let attribute = choose(self.quoter, context, &name, ATTRIBUTES)?;
            let preserve = &mut self.settings.options.preserve;
            let is = |one| attribute == one || attribute == Attribute::All;
            if is(Attribute::Mode) {
                (preserve.mode, preserve.acl) = (on, on);
                self.no_preserve_mode = !on;
            }
            if is(Attribute::Timestamps) {
                preserve.times = on;
            }
            if is(Attribute::Ownership) {
                preserve.owner = on;
            }
            if is(Attribute::Links) {
                preserve.links = on;
            }
            match (attribute, on) {
                (Attribute::Xattr, true) => preserve.xattrs = Want::Required,
                (Attribute::Xattr | Attribute::All, false) => preserve.xattrs = Want::No,
                (Attribute::All, true) if preserve.xattrs == Want::No => {
                    preserve.xattrs = Want::BestEffort;
                }
                _ => {}
            }
            match (attribute, on) {
                (Attribute::Context, true) => preserve.context = Want::Required,
                (Attribute::Context, false) => preserve.context = Want::No,
                (Attribute::All, false) if selinux => preserve.context = Want::No,
                (Attribute::All, true) if selinux && preserve.context == Want::No => {
                    preserve.context = Want::BestEffort;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// GNU ignores `-Z` without SELinux, and `--context=CONTEXT` with a warning.
    fn context(&mut self, has_value: bool, warn: &mut dyn FnMut(&str)) {
        if self.environment.selinux {
            warn("warning: ignoring --context; copyist does not set security contexts");
        } else if has_value {
            warn("warning: ignoring --context; it requires an SELinux-enabled kernel");
        }
    }
}
