//! The rules. Each says in its own words what it wants; ARCHITECTURE.md says why.

use std::ops::Range;
use std::path::Path;

use super::Finding;
use super::scan::{Code, Word};

const MAX_CODE_FILE_LINES: usize = 700;
const MAX_FILE_LINES: usize = 900;
const MAX_FUNCTION_LINES: usize = 70;

/// The only places that may know for which system they are compiled.
const SYSTEM_PLACES: [&str; 5] = [
    "crates/copyist-sys",
    "crates/copyist-start",
    "crates/copyist/src/system/native.rs",
    "crates/copyist/src/system/native",
    "crates/copyist/src/words/code/pins.rs",
];
const UNSAFE_PLACES: [&str; 2] = ["crates/copyist-sys", "crates/copyist-start"];
/// The only place of what a program gets by linking it, called or not: constructors and C's symbols.
const START_PLACE: &str = "crates/copyist-start";
const PINS: &str = "crates/copyist/src/words/code/pins.rs";

/// Checks one file; its path is relative to the root of the repository.
pub(super) fn check(path: &Path, source: &str, found: &mut Vec<Finding>) {
    let code = Code::new(source);
    let tests = code.tests();
    let mut file = File {
        path,
        source,
        code: &code,
        tests: &tests,
        found,
    };
    file.is_short();
    file.functions_are_short();
    file.does_not_know_the_system();
    file.is_safe();
    file.brings_nothing_unasked();
    file.forbids_unsafe();
    file.thinks_without_the_platform();
    file.runs_without_codes();
}

struct File<'a> {
    path: &'a Path,
    source: &'a str,
    code: &'a Code,
    /// What `#[cfg(test)]` excludes from the library.
    tests: &'a [Range<usize>],
    found: &'a mut Vec<Finding>,
}

impl File<'_> {
    fn find(&mut self, line: usize, what: String) {
        self.found.push(Finding {
            path: self.path.to_owned(),
            line,
            what,
        });
    }

    fn find_word(&mut self, word: Word<'_>, what: &str) {
        let line = self.code.line_of(word.at);
        self.find(line, format!("`{}`: {what}", word.text));
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|test| test.contains(&at))
    }

    /// A file is one idea.
    fn is_short(&mut self) {
        let all = self.source.lines().count();
        let lines_of = |test: &Range<usize>| self.source[test.clone()].lines().count();
        let code = all - self.tests.iter().map(lines_of).sum::<usize>();
        if code > MAX_CODE_FILE_LINES {
            self.find(
                1,
                format!("{code} lines without tests, more than {MAX_CODE_FILE_LINES}"),
            );
        }
        if all > MAX_FILE_LINES {
            self.find(
                1,
                format!("{all} lines with tests, more than {MAX_FILE_LINES}"),
            );
        }
    }

    /// A function fits on a screen. Blank lines and comments are free, as for clippy, which
    /// checks this too, but only what it compiles here.
    fn functions_are_short(&mut self) {
        for word in self.code.words().filter(|word| word.text == "fn") {
            let name = self.code.words_in(word.at + 2..self.source.len()).next();
            // `fn(u8)` is a type.
            let is_item = !self.code.after(word.at + 2).starts_with('(');
            let body = self.code.body(word.at).filter(|_| is_item);
            let (Some(name), Some(body)) = (name, body) else {
                continue;
            };
            let lines = self.code.code_lines(body.start + 1..body.end - 1);
            if lines > MAX_FUNCTION_LINES {
                self.find_word(
                    name,
                    &format!("{lines} lines, more than {MAX_FUNCTION_LINES}"),
                );
            }
        }
    }

    /// The system is a value elsewhere, so that each system's decisions are tested on all.
    fn does_not_know_the_system(&mut self) {
        if self.is_in(&SYSTEM_PLACES) {
            return;
        }
        for word in self
            .code
            .words()
            .filter(|word| matches!(word.text, "cfg" | "cfg_attr"))
        {
            let rest = self.code.after(word.at + word.text.len());
            let Some(condition) = self
                .code
                .enclosed(word.at, '(', ')')
                .filter(|_| rest.starts_with('(') || rest.starts_with('!'))
            else {
                continue;
            };
            // A whole file of tests may be for one system: `#![cfg(...)]`.
            let is_file_of_tests = self
                .path
                .components()
                .any(|part| part.as_os_str() == "tests")
                && self.code.before(word.at).ends_with("#![");
            let system = self.code.words_in(condition).find(|word| {
                matches!(
                    word.text,
                    "target_os" | "target_family" | "unix" | "windows"
                )
            });
            if let Some(system) = system.filter(|_| !is_file_of_tests) {
                self.find_word(
                    system,
                    "only copyist-sys, copyist-start, native.rs and pins.rs may know the system",
                );
            }
        }
    }

    fn is_safe(&mut self) {
        if self.is_in(&UNSAFE_PLACES) {
            return;
        }
        for word in self.code.words().filter(|word| word.text == "unsafe") {
            self.find_word(word, "only copyist-sys and copyist-start may be unsafe");
        }
    }

    fn brings_nothing_unasked(&mut self) {
        if self.is_in(&[START_PLACE]) {
            return;
        }
        let is_command = self.is_in(&["crates/copyist-cli"]);
        for word in self.code.words() {
            let brings = match word.text {
                "link_section" | "no_mangle" | "export_name" => true,
                "copyist_start" => !is_command,
                _ => false,
            };
            if brings {
                self.find_word(word, "only the command may change a program that links it");
            }
        }
    }

    /// The compiler holds the rule above too, in every crate that says so.
    fn forbids_unsafe(&mut self) {
        let is_root = self.path.ends_with("src/lib.rs") || self.path.ends_with("src/main.rs");
        if !is_root || self.is_in(&UNSAFE_PLACES) {
            return;
        }
        let mut words = self.code.words();
        if !words.any(|word| {
            word.text == "unsafe_code" && self.code.before(word.at).ends_with("#![forbid(")
        }) {
            self.find(1, "a crate root without #![forbid(unsafe_code)]".into());
        }
    }

    /// Planning and judging are pure. Pins tie our constants to the system's, and nothing else.
    fn thinks_without_the_platform(&mut self) {
        let pure = ["crates/copyist/src/words", "crates/copyist/src/think"];
        if !self.is_in(&pure) || self.is_in(&[PINS]) {
            return;
        }
        for word in self.code.words() {
            let before = self.code.before(word.at);
            let after = self.code.after(word.at + word.text.len());
            let forbidden = match word.text {
                "rustix" | "libc" | "copyist_sys" | "windows_sys" => true,
                "system" => {
                    before.ends_with("::") || before.ends_with('{') || after.starts_with("::")
                }
                "fs" => before.ends_with("std::") || before.ends_with("std::{"),
                _ => false,
            };
            if forbidden {
                self.find_word(word, "plans and rules may not touch the system");
            }
        }
    }

    /// What a code means is the rules' business.
    fn runs_without_codes(&mut self) {
        if !self.is_in(&["crates/copyist/src/run/exec.rs"]) {
            return;
        }
        for word in self.code.words() {
            if self.is_test(word.at) {
                continue;
            }
            if is_error_code(word.text) {
                self.find_word(word, "exec may not name an error code");
            }
            if word.text.starts_with("cfg") {
                self.find_word(word, "exec is the same everywhere");
            }
        }
    }
}

/// `EIO`, `ENOSPC`, `E2BIG` and all others are E and capitals.
fn is_error_code(word: &str) -> bool {
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    word.len() >= 3 && word.starts_with('E') && word.chars().all(is_capital)
        || word.starts_with("ERROR_")
}
