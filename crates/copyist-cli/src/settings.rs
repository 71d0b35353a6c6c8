//! What the options of a `cp` command line mean together: cp's rules on which option wins, which
//! exclude each other, and what the environment adds.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;

use copyist::{
    Backup, Follow, Force, Make, Method, MethodSet, NewMode, Options, Reflink, Sparse, Update, Want,
};

use crate::argmatch::argmatch;
use crate::args::{CP, Cp};
use crate::getopt::{Found, Getopt};
use crate::quoting::Quoter;
use crate::report::current_os;

/// When something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum When {
    #[default]
    Never,
    /// If it goes to a terminal.
    Auto,
    Always,
}

/// A command line that has been understood.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// For the library.
    pub(crate) options: Options,
    /// Sources and, unless `target_directory` is set, the destination.
    pub(crate) operands: Vec<OsString>,
    pub(crate) target_directory: Option<OsString>,
    pub(crate) no_target_directory: bool,
    pub(crate) parents: bool,
    pub(crate) strip_trailing_slashes: bool,
    /// `-f` was given (`options.force` may say `RemoveFirst` all the same).
    pub(crate) force: bool,
    pub(crate) verbose: bool,
    pub(crate) debug: bool,
    pub(crate) progress: When,
    pub(crate) report: Option<OsString>,
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// A command line that can't be read. GNU's getopt names the program as typed.
    Syntax(String),
    /// A command line that makes no sense; the help is pointed to.
    Usage(String),
    /// Another error.
    Fatal(String),
}

/// What of the environment matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) posixly_correct: bool,
    pub(crate) version_control: Option<OsString>,
    pub(crate) simple_backup_suffix: Option<OsString>,
    pub(crate) selinux: bool,
}

impl Environment {
    /// This process's.
    pub(crate) fn current() -> Environment {
        let exists = |path: &str| std::path::Path::new(path).exists();
        Environment {
            posixly_correct: std::env::var_os("POSIXLY_CORRECT").is_some(),
            version_control: std::env::var_os("VERSION_CONTROL"),
            simple_backup_suffix: std::env::var_os("SIMPLE_BACKUP_SUFFIX"),
            // As libselinux judges: mounted, and configured.
            selinux: exists("/sys/fs/selinux/enforce") && exists("/etc/selinux/config"),
        }
    }
}

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

const BACKUP: &[(&str, Backup)] = &[
    ("none", Backup::None),
    ("off", Backup::None),
    ("simple", Backup::Simple),
    ("never", Backup::Simple),
    ("existing", Backup::Existing),
    ("nil", Backup::Existing),
    ("numbered", Backup::Numbered),
    ("t", Backup::Numbered),
];

const PROGRESS: &[(&str, When)] = &[
    ("auto", When::Auto),
    ("always", When::Always),
    ("never", When::Never),
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

/// What has been read so far. Most options act at once; some only when all have been read.
struct Reader<'a> {
    environment: &'a Environment,
    quoter: Quoter,
    settings: Settings,
    /// Set by the last of the options about links; the default depends on others.
    follow: Option<Follow>,
    copy_contents: bool,
    no_preserve_mode: bool,
    no_clobber: bool,
    hard_link: bool,
    symbolic_link: bool,
    remove_destination: bool,
    backup: bool,
    backup_control: Option<OsString>,
    backup_suffix: Option<OsString>,
}

/// Reads the arguments that follow the program's name. `warn` is told of what is no error.
pub(crate) fn read(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    quoter: Quoter,
    warn: &mut dyn FnMut(&str),
) -> Result<Settings, Stop> {
    let mut getopt = Getopt::new(CP, arguments, environment.posixly_correct);
    let mut reader = Reader::new(environment, quoter);
    while let Some(found) = getopt.next().map_err(Stop::Syntax)? {
        match found {
            Found::Operand(operand) => reader.settings.operands.push(operand),
            Found::Option { id, value } => reader.option(id, value, warn)?,
        }
    }
    reader.finish()
}

impl<'a> Reader<'a> {
    fn new(environment: &'a Environment, quoter: Quoter) -> Reader<'a> {
        Reader {
            environment,
            quoter,
            settings: Settings::default(),
            follow: None,
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

    fn option(
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
                self.follow = Some(Follow::Never);
                self.settings.options.preserve.links = true;
            }
            Cp::Dereference => self.follow = Some(Follow::Always),
            Cp::DereferenceOperands => self.follow = Some(Follow::Operands),
            Cp::NoDereference => self.follow = Some(Follow::Never),
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
            Cp::Jobs | Cp::Method | Cp::Reflink | Cp::Sparse | Cp::Update | Cp::Progress => {
                self.valued(id, value)?;
            }
            Cp::Report => self.settings.report = value,
            _ => self.switch(id),
        }
        Ok(())
    }

    /// The options that do no more than switch something on.
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
            _ => unreachable!("Reader::option handles {id:?}"),
        };
        *field = true;
    }

    /// The options with a value out of a list.
    fn valued(&mut self, id: Cp, value: Option<OsString>) -> Result<(), Stop> {
        let quoter = self.quoter;
        let options = &mut self.settings.options;
        match (id, value) {
            (Cp::Reflink, None) => options.reflink = Reflink::Always,
            (Cp::Update, None) => options.update = Update::Older,
            (Cp::Progress, None) => self.settings.progress = When::Always,
            (Cp::Reflink, Some(value)) => {
                options.reflink = choose(quoter, "--reflink", &value, REFLINK)?;
            }
            (Cp::Update, Some(value)) => {
                options.update = choose(quoter, "--update", &value, UPDATE)?;
            }
            (Cp::Progress, Some(value)) => {
                self.settings.progress = choose(quoter, "--progress", &value, PROGRESS)?;
            }
            (Cp::Sparse, Some(value)) => {
                options.sparse = choose(quoter, "--sparse", &value, SPARSE)?;
            }
            (Cp::Jobs, Some(value)) => {
                let jobs = value
                    .to_str()
                    .and_then(|text| text.parse::<NonZeroUsize>().ok());
                let message = || format!("invalid number of jobs {}", quoter.word(&value));
                options.jobs = Some(jobs.ok_or_else(|| Stop::Usage(message()))?);
            }
            (Cp::Method, Some(value)) => {
                let order = current_os().order().iter();
                let choices: Vec<_> = order.map(|method| (method.name(), *method)).collect();
                let mut methods = MethodSet::EMPTY;
                for name in list(&value) {
                    let method: Method = choose(quoter, "--method", &name, &choices)?;
                    methods = methods.with(method);
                }
                options.methods = Some(methods);
            }
            (id, value) => unreachable!("{id:?} with {value:?} is not in the table"),
        }
        Ok(())
    }

    fn archive(&mut self) {
        self.follow = Some(Follow::Never);
        self.settings.options.recursive = true;
        self.preserve_basics();
        let preserve = &mut self.settings.options.preserve;
        preserve.links = true;
        if self.environment.selinux && preserve.context == Want::No {
            preserve.context = Want::Try;
        }
        if preserve.xattrs == Want::No {
            preserve.xattrs = Want::Try;
        }
    }

    fn preserve_basics(&mut self) {
        let preserve = &mut self.settings.options.preserve;
        preserve.mode = true;
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
                preserve.mode = on;
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
                (Attribute::Xattr, true) => preserve.xattrs = Want::Must,
                (Attribute::Xattr | Attribute::All, false) => preserve.xattrs = Want::No,
                (Attribute::All, true) if preserve.xattrs == Want::No => {
                    preserve.xattrs = Want::Try;
                }
                _ => {}
            }
            match (attribute, on) {
                (Attribute::Context, true) => preserve.context = Want::Must,
                (Attribute::Context, false) => preserve.context = Want::No,
                (Attribute::All, false) if selinux => preserve.context = Want::No,
                (Attribute::All, true) if selinux && preserve.context == Want::No => {
                    preserve.context = Want::Try;
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

    fn finish(mut self) -> Result<Settings, Stop> {
        let usage = |message: &str| Err(Stop::Usage(message.to_owned()));
        let options = &mut self.settings.options;
        // The copy must have no hole, so it can't share the source's extents.
        if options.reflink == Reflink::Auto && options.sparse == Sparse::Never {
            options.reflink = Reflink::Never;
        }
        options.make = match (self.hard_link, self.symbolic_link) {
            (true, true) => return usage("cannot make both hard and symbolic links"),
            (true, false) => Make::HardLink,
            (false, true) => Make::Symlink,
            (false, false) => Make::Copy,
        };
        if self.no_clobber {
            options.update = Update::None;
        }
        if self.backup && matches!(options.update, Update::None | Update::NoneFail) {
            return usage("--backup is mutually exclusive with -n or --update=none-fail");
        }
        if options.reflink == Reflink::Always && options.sparse != Sparse::Auto {
            return usage("--reflink can be used only with --sparse=auto");
        }
        self.finish_backup()?;
        let options = &mut self.settings.options;
        options.follow = self
            .follow
            .unwrap_or(if options.recursive && !self.hard_link {
                Follow::Never
            } else {
                Follow::Always
            });
        options.copy_contents = self.copy_contents || !options.recursive;
        if options.preserve.context == Want::Must && !self.environment.selinux {
            let message = "cannot preserve security context without an SELinux-enabled kernel";
            return Err(Stop::Fatal(message.to_owned()));
        }
        if self.no_preserve_mode && !options.preserve.mode {
            options.new_mode = NewMode::SystemDefault;
        }
        options.force = match (self.remove_destination, self.settings.force) {
            (true, _) => Force::RemoveFirst,
            (false, true) => Force::IfNeeded,
            (false, false) => Force::No,
        };
        options.write_through_dangling = self.environment.posixly_correct;
        options.ordered = self.settings.verbose || options.interactive;
        Ok(self.settings)
    }

    /// Which backups, and their suffix.
    fn finish_backup(&mut self) -> Result<(), Stop> {
        let named = |value: &&OsString| !value.is_empty();
        let options = &mut self.settings.options;
        if self.backup {
            let given = self.backup_control.as_ref().filter(named);
            let variable = self.environment.version_control.as_ref().filter(named);
            options.backup = match (given, variable) {
                (Some(value), _) => choose(self.quoter, "backup type", value, BACKUP)?,
                (None, Some(value)) => choose(self.quoter, "$VERSION_CONTROL", value, BACKUP)?,
                (None, None) => Backup::Existing,
            };
        }
        let suffix = self.backup_suffix.take();
        let suffix = suffix.or_else(|| self.environment.simple_backup_suffix.clone());
        if let Some(suffix) = suffix.filter(|suffix| is_suffix(suffix)) {
            options.backup_suffix = suffix;
        }
        Ok(())
    }
}

/// A suffix must not lead into another directory; GNU takes `~` instead of such a one.
fn is_suffix(suffix: &OsStr) -> bool {
    let bytes = suffix.as_encoded_bytes();
    let starts = bytes.first().is_none_or(|first| *first == b'/');
    !starts && !bytes.windows(2).any(|two| two[0] == b'/' && two[1] != b'/')
}

fn choose<T: Copy + PartialEq>(
    quoter: Quoter,
    context: &str,
    value: &OsStr,
    choices: &[(&str, T)],
) -> Result<T, Stop> {
    argmatch(quoter, context, value, choices).map_err(Stop::Usage)
}

/// The parts of a list with commas. No name in any of our lists has other than ASCII characters,
/// so what is not UTF-8 is refused as one part.
fn list(value: &OsStr) -> Vec<OsString> {
    match value.to_str() {
        Some(text) => text.split(',').map(OsString::from).collect(),
        None => vec![value.to_owned()],
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
