//! The filters of `copy`: which of what is in a tree is copied.
//!
//! All of them are rules of gitignore, relative to SOURCE: a pattern without a slash is a name at any
//! depth, one with a slash is a path, one that ends in a slash is a directory, and the last that
//! matches wins. What an `--include` matches is copied whatever the others say; if there are none
//! but includes, only files that match one are.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use copyist::Operand;
use copyist::observer::{FileKind, PathSource};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::messages::io_text;
use crate::quoting::Quoter;
use crate::settings::Stop;
use crate::text_file;

/// One option that filters, in the order of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Exclude(OsString),
    Include(OsString),
    /// A file of patterns to exclude; `-` is standard input.
    ExcludeFrom(OsString),
    /// A file of gitignore rules; `-` is standard input.
    IgnoreFile(OsString),
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Filter {
    excludes: Gitignore,
    includes: Gitignore,
    /// There are only includes.
    only_included: bool,
    sources: Vec<PathBuf>,
    left_out: AtomicU64,
}

impl Filter {
    /// Reads the rules; `None` if there are none.
    pub(crate) fn new(
        rules: &[Rule],
        operands: &[Operand],
        quoter: Quoter,
    ) -> Result<Option<Filter>, Stop> {
        if rules.is_empty() {
            return Ok(None);
        }
        let from_input = |rule: &&Rule| matches!(rule, Rule::ExcludeFrom(file) | Rule::IgnoreFile(file) if file == "-");
        if rules.iter().filter(from_input).count() > 1 {
            let message = "patterns can be read from standard input (-) only once";
            return Err(Stop::Usage(message.to_owned()));
        }
        let mut excludes = Builder::new(quoter);
        let mut includes = Builder::new(quoter);
        for rule in rules {
            match rule {
                Rule::Exclude(glob) => excludes.pattern("--exclude", glob)?,
                Rule::Include(glob) => includes.pattern("--include", glob)?,
                Rule::ExcludeFrom(file) => {
                    for line in excludes.lines(file)? {
                        let line = line.trim_end();
                        if !line.is_empty() && !line.starts_with('#') {
                            excludes.pattern("--exclude-from", OsStr::new(line))?;
                        }
                    }
                }
                Rule::IgnoreFile(file) => {
                    for line in excludes.lines(file)? {
                        excludes.line("--ignore-file", &line)?;
                    }
                }
            }
        }
        let is_include = |rule: &Rule| matches!(rule, Rule::Include(_));
        Ok(Some(Filter {
            excludes: excludes.build()?,
            includes: includes.build()?,
            only_included: rules.iter().all(is_include),
            sources: operands.iter().map(|it| it.src.clone()).collect(),
            left_out: AtomicU64::new(0),
        }))
    }

    /// Whether an entry is copied; those that are not are counted.
    pub(crate) fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        let wanted = self.would_want(&paths.src(), kind);
        if !wanted {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        wanted
    }

    /// The same of a path, not counted.
    pub(crate) fn would_want(&self, path: &Path, kind: FileKind) -> bool {
        let below = |src: &PathBuf| path.strip_prefix(src).ok();
        let relative = self.sources.iter().find_map(below).unwrap_or(path);
        let is_dir = kind == FileKind::Directory;
        match (relative.as_os_str().is_empty(), path.file_name()) {
            // A directory that was named is copied; a file that was named has a name to be judged.
            (true, _) if is_dir => true,
            (true, Some(name)) => self.wants_path(Path::new(name), false),
            (true, None) => true,
            (false, _) => self.wants_path(relative, is_dir),
        }
    }

    /// How many were not.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn wants_path(&self, path: &Path, is_dir: bool) -> bool {
        // Operands may lie outside each other; a path that is not below one is judged by its name.
        let path = if path.has_root() {
            Path::new(path.file_name().unwrap_or_default())
        } else {
            path
        };
        if self
            .includes
            .matched_path_or_any_parents(path, is_dir)
            .is_ignore()
        {
            return true;
        }
        if self.only_included {
            return is_dir;
        }
        !self.excludes.matched(path, is_dir).is_ignore()
    }
}

struct Builder {
    rules: GitignoreBuilder,
    quoter: Quoter,
}

impl Builder {
    fn new(quoter: Quoter) -> Builder {
        Builder {
            rules: GitignoreBuilder::new(""),
            quoter,
        }
    }

    /// One pattern; a "!" at its start, or a "#", is a part of it.
    fn pattern(&mut self, option: &str, glob: &OsStr) -> Result<(), Stop> {
        let Some(text) = glob.to_str() else {
            let glob = self.quoter.always(glob);
            return Err(Stop::Usage(format!("{option}: {glob} is no UTF-8 text")));
        };
        if text.starts_with(['!', '#']) {
            self.line(option, &format!("\\{text}"))
        } else {
            self.line(option, text)
        }
    }

    fn line(&mut self, option: &str, line: &str) -> Result<(), Stop> {
        match self.rules.add_line(None, line) {
            Ok(_) => Ok(()),
            Err(error) => {
                let line = self.quoter.always(line);
                Err(Stop::Usage(format!(
                    "{option}: bad pattern {line}: {error}"
                )))
            }
        }
    }

    fn lines(&self, file: &OsStr) -> Result<Vec<String>, Stop> {
        text_file::lines(file).map_err(|error| {
            let file = self.quoter.always(file);
            Stop::Fatal(format!(
                "cannot read patterns from {file}: {}",
                io_text(&error)
            ))
        })
    }

    fn build(&self) -> Result<Gitignore, Stop> {
        let failed = |error| Stop::Fatal(format!("cannot use the patterns: {error}"));
        self.rules.build().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use copyist::Operand;
    use copyist::observer::{FileKind, PathSource};

    use super::{Filter, Rule};
    use crate::quoting::Quoter;

    struct At(&'static str);

    impl PathSource for At {
        fn src(&self) -> PathBuf {
            self.0.into()
        }

        fn dst(&self) -> PathBuf {
            "x".into()
        }
    }

    fn filter(rules: &[Rule]) -> Filter {
        let operands = ["src", "./one.o"].map(|src| Operand::new(src, "dst"));
        let filter = Filter::new(rules, &operands, Quoter::new(false));
        filter.expect("good rules").expect("some rules")
    }

    /// What is copied of a tree; directories end in a slash.
    fn copied(filter: &Filter, tree: &[&'static str]) -> Vec<&'static str> {
        let wants = |path: &&&'static str| {
            let (name, kind) = match path.strip_suffix('/') {
                Some(name) => (name, FileKind::Directory),
                None => (**path, FileKind::Regular),
            };
            filter.wants(&At(name), kind)
        };
        tree.iter().filter(wants).copied().collect()
    }

    const TREE: [&str; 7] = [
        "src/",
        "src/a.o",
        "src/a.c",
        "src/build/",
        "src/sub/build",
        "src/sub/keep.o",
        "./one.o",
    ];

    #[test]
    fn patterns_are_those_of_gitignore() {
        let exclude = |glob: &str| Rule::Exclude(glob.into());
        let include = |glob: &str| Rule::Include(glob.into());
        let table: &[(&[Rule], &[&str])] = &[
            (
                &[exclude("*.o")],
                &["src/", "src/a.c", "src/build/", "src/sub/build"],
            ),
            (
                &[exclude("*.o"), include("keep.o")],
                &[
                    "src/",
                    "src/a.c",
                    "src/build/",
                    "src/sub/build",
                    "src/sub/keep.o",
                ],
            ),
            (
                &[exclude("build/")],
                &[
                    "src/",
                    "src/a.o",
                    "src/a.c",
                    "src/sub/build",
                    "src/sub/keep.o",
                    "./one.o",
                ],
            ),
            (
                &[exclude("/sub/*")],
                &["src/", "src/a.o", "src/a.c", "src/build/", "./one.o"],
            ),
            (&[include("*.c")], &["src/", "src/a.c", "src/build/"]),
            (
                &[include("sub/")],
                &["src/", "src/build/", "src/sub/build", "src/sub/keep.o"],
            ),
        ];
        for (rules, expected) in table {
            let filter = filter(rules);
            assert_eq!(copied(&filter, &TREE), *expected, "{rules:?}");
            assert_eq!(filter.left_out() as usize, TREE.len() - expected.len());
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        let refused = Filter::new(&[Rule::Exclude("[z-a]".into())], &[], Quoter::new(false));
        assert!(
            format!("{refused:?}").contains("bad pattern '[z-a]'"),
            "{refused:?}"
        );
        let gone = Filter::new(&[Rule::IgnoreFile("/no".into())], &[], Quoter::new(false));
        assert!(format!("{gone:?}").contains("cannot read patterns from '/no'"));
        let none = Filter::new(&[], &[], Quoter::new(false));
        assert!(none.expect("good").is_none());
    }
}
