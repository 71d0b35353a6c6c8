//! The filters of `copy`: which entries of a tree are copied.
//!
//! All of them are rules of gitignore, relative to SOURCE: a pattern without a slash is a name at any
//! depth, one with a slash is a path, one that ends in a slash is a directory, and the last that
//! matches wins. What matches an `--include` is copied whatever the others say; if all
//! rules are includes, only files that match one are copied.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use copyist::Operand;
use copyist::observer::{FileKind, PathSource};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::settings::{FilterRule, Stop};
use crate::words::errors::io_text;
use crate::words::quoting::Quoter;
use crate::words::text_file;

/// The rules of all options.
#[derive(Debug)]
pub(crate) struct Filter {
    excludes: Gitignore,
    includes: Gitignore,
    /// All rules are includes.
    only_included: bool,
    sources: Vec<PathBuf>,
    left_out: AtomicU64,
}

impl Filter {
    /// Reads the rules; `None` if there are none.
    pub(crate) fn new(
        rules: &[FilterRule],
        operands: &[Operand],
        quoter: Quoter,
    ) -> Result<Option<Filter>, Stop> {
        if rules.is_empty() {
            return Ok(None);
        }
        let from_input = |rule: &&FilterRule| matches!(rule, FilterRule::ExcludeFrom(file) | FilterRule::IgnoreFile(file) if file == "-");
        if rules.iter().filter(from_input).count() > 1 {
            let message = "patterns can be read from standard input (-) only once";
            return Err(Stop::Usage(message.to_owned()));
        }
        let mut excludes = Builder::new(quoter);
        let mut includes = Builder::new(quoter);
        for rule in rules {
            match rule {
                FilterRule::Exclude(glob) => excludes.pattern("--exclude", glob)?,
                FilterRule::Include(glob) => includes.pattern("--include", glob)?,
                FilterRule::ExcludeFrom(file) => {
                    for line in excludes.lines(file)? {
                        let line = line.trim_end();
                        if !line.is_empty() && !line.starts_with('#') {
                            excludes.pattern("--exclude-from", OsStr::new(line))?;
                        }
                    }
                }
                FilterRule::IgnoreFile(file) => {
                    for line in excludes.lines(file)? {
                        excludes.line("--ignore-file", &line)?;
                    }
                }
            }
        }
        let is_include = |rule: &FilterRule| matches!(rule, FilterRule::Include(_));
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

    /// As [`Filter::wants`], not counted.
    pub(crate) fn would_want(&self, path: &Path, kind: FileKind) -> bool {
        let below = |src: &PathBuf| path.strip_prefix(src).ok();
        let relative = self.sources.iter().find_map(below).unwrap_or(path);
        let is_dir = kind == FileKind::Directory;
        match (relative.as_os_str().is_empty(), path.file_name()) {
            // A directory given as SOURCE is copied; a file given as SOURCE is matched by its name.
            (true, _) if is_dir => true,
            (true, Some(name)) => self.wants_path(Path::new(name), false),
            (true, None) => true,
            (false, _) => self.wants_path(relative, is_dir),
        }
    }

    /// How many entries were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn wants_path(&self, path: &Path, is_dir: bool) -> bool {
        // A path that is below no operand is matched by its name.
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

    /// Adds one pattern, in which a leading "!" or "#" is literal.
    fn pattern(&mut self, option: &str, glob: &OsStr) -> Result<(), Stop> {
        let Some(text) = glob.to_str() else {
            let glob = self.quoter.always(glob);
            return Err(Stop::Usage(format!("{option}: {glob} is not UTF-8")));
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

    use super::Filter;
    use crate::settings::FilterRule;
    use crate::words::quoting::Quoter;

    struct At(&'static str);

    impl PathSource for At {
        fn src(&self) -> PathBuf {
            self.0.into()
        }

        fn dst(&self) -> PathBuf {
            "x".into()
        }
    }

    fn filter(rules: &[FilterRule]) -> Filter {
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
        let exclude = |glob: &str| FilterRule::Exclude(glob.into());
        let include = |glob: &str| FilterRule::Include(glob.into());
        let table: &[(&[FilterRule], &[&str])] = &[
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
        let refused = Filter::new(
            &[FilterRule::Exclude("[z-a]".into())],
            &[],
            Quoter::new(false),
        );
        assert!(
            format!("{refused:?}").contains("bad pattern '[z-a]'"),
            "{refused:?}"
        );
        let gone = Filter::new(
            &[FilterRule::IgnoreFile("/no".into())],
            &[],
            Quoter::new(false),
        );
        assert!(format!("{gone:?}").contains("cannot read patterns from '/no'"));
        let none = Filter::new(&[], &[], Quoter::new(false));
        assert!(none.expect("good").is_none());
    }
}
