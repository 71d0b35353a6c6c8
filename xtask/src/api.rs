//! The public API of the library, one line for each item, kept in `docs/api.txt`: a change of it is seen.
//!
//! rustdoc writes it as JSON, which only an unstable option makes it do, and in a format that changes with the
//! compiler. So one version of Rust is used, whichever is the default.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use public_api::Builder;
use serde::Deserialize;

use crate::error::{Context, Error, Result};
use crate::{command, install, workspace};

/// What rustdoc is taken from, and what its JSON calls its format. With another one `public-api` changes in
/// `Cargo.toml`, too.
const RUST: &str = "1.95.0";
const FORMAT: u32 = 57;

const FILE: &str = "docs/api.txt";

/// Arguments of `xtask api`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApiArgs {
    /// Write docs/api.txt, in place of comparing with it
    #[arg(long)]
    write: bool,
}

/// Runs `xtask api`.
pub(crate) fn run(args: &ApiArgs) -> Result<ExitCode> {
    set_up()?;
    let path = workspace::root().join(FILE);
    if args.write {
        fs::write(&path, text(&api(Features::All)?)).at("write", &path)?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match check()? {
        None => ExitCode::SUCCESS,
        Some(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    })
}

/// Compares the API with the file, and prints what differs. Returns why that is a failure, if it is.
pub(crate) fn check() -> Result<Option<String>> {
    set_up()?;
    let path = workspace::root().join(FILE);
    let all = api(Features::All)?;
    let (old, new) = (fs::read_to_string(&path).at("read", &path)?, text(&all));
    if old != new {
        differing(&old, &new)
            .iter()
            .for_each(|line| println!("{line}"));
        return Ok(Some(format!(
            "the public API is not that of {FILE}, as the lines above say: if it is meant to be, `cargo \
             xtask api --write` writes it, and CHANGELOG.md says what changed"
        )));
    }
    let all: BTreeSet<&String> = all.iter().collect();
    let default = api(Features::Default)?;
    let only: Vec<_> = default.iter().filter(|line| !all.contains(line)).collect();
    only.iter()
        .for_each(|line| println!("only without features: {line}"));
    Ok((!only.is_empty()).then(|| {
        format!(
            "{} public items are not there with all features",
            only.len()
        )
    }))
}

/// Installs the Rust that is needed, if it is not there.
pub(crate) fn set_up() -> Result<()> {
    if is_current(&current()?) {
        return Ok(());
    }
    install::toolchain(RUST)
}

#[derive(Debug, Clone, Copy)]
enum Features {
    All,
    Default,
}

/// The lines of the public API, in a fixed order.
fn api(features: Features) -> Result<Vec<String>> {
    let json = document(features)?;
    let text = fs::read_to_string(&json).at("read", &json)?;
    require_format(&text)?;
    let api = Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .build()
        .at("understand", &json)?;
    Ok(own(api.items().map(ToString::to_string)))
}

/// The lines that say more than others do: not the functions of a trait that is implemented, and not that a type has
/// a trait that types usually have of themselves. Where one has not, there is a line: `impl !Send for ...`.
fn own(lines: impl Iterator<Item = String>) -> Vec<String> {
    const USUAL: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
    const INTERNAL: [&str; 3] = ["Freeze", "StructuralPartialEq", "UnsafeUnpin"];
    // What the paths of the functions begin with that come after the implementation of a trait.
    let mut implementing = None;
    let is_own = |line: &String| {
        if !line.starts_with("impl") {
            let path = line.split_once("fn ").map(|(_, path)| path);
            return !path.is_some_and(|path| {
                let mut of = implementing.iter();
                of.any(|of: &String| path.starts_with(of))
            });
        }
        let Some((of_trait, of)) = line.split_once(" for ") else {
            implementing = None;
            return true;
        };
        let (of, condition) = of.split_once(" where ").unwrap_or((of, ""));
        implementing = Some(format!("{of}::"));
        let name = of_trait.rsplit("::").next().unwrap_or_default();
        let has = condition.is_empty() && !of_trait.contains('!');
        !(INTERNAL.contains(&name) || has && USUAL.contains(&name))
    };
    lines.filter(is_own).collect()
}

/// Writes the documentation as JSON, and returns its path.
fn document(features: Features) -> Result<PathBuf> {
    // The variable below makes cargo build much again, so it has a directory for itself.
    let target = workspace::target().join("api");
    let mut cargo = cargo()?;
    cargo.args(["rustdoc", "--package", "copyist", "--lib", "--quiet"]);
    if let Features::All = features {
        cargo.arg("--all-features");
    }
    cargo.arg("--target-dir").arg(&target);
    cargo.args(["--", "-Z", "unstable-options", "--output-format", "json"]);
    // Links to what a feature has are the business of the lane `docs`.
    cargo.arg("--cap-lints=allow");
    command::succeed(cargo.env("RUSTC_BOOTSTRAP", "1"))?;
    Ok(target.join("doc/copyist.json"))
}

/// cargo of the Rust that is needed.
fn cargo() -> Result<Command> {
    if is_current(&current()?) {
        return Ok(command::cargo(workspace::root()));
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["run", RUST, "cargo"]);
    rustup.current_dir(workspace::root());
    Ok(rustup)
}

/// What `rustc --version` says: "rustc 1.95.0 (59807616e 2026-04-14)".
fn current() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.doing("run `rustc --version`")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_current(version: &str) -> bool {
    version.split(' ').nth(1) == Some(RUST)
}

/// Fails if the JSON is of another format, which might be read wrongly.
fn require_format(json: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Head {
        format_version: u32,
    }
    let head: Head = serde_json::from_str(json).doing("understand rustdoc's JSON")?;
    if head.format_version == FORMAT {
        return Ok(());
    }
    Err(Error::new(format!(
        "rustdoc's JSON has the format {}, and {FORMAT}, that of Rust {RUST}, is needed",
        head.format_version
    )))
}

/// The content of the file.
fn text(api: &[String]) -> String {
    let head = format!(
        "# The public API of the library with all its features (`cargo --all-features`), as rustdoc of Rust {RUST} sees it.\n\
         # Written by `cargo xtask api --write`, checked by `cargo xtask test api`. The functions of implemented traits are\n\
         # left out, and so are Send, Sync, Unpin, UnwindSafe and RefUnwindSafe where a type has them.\n"
    );
    api.iter().fold(head, |text, line| text + line + "\n")
}

/// The lines that are only in one of two texts: `-` those of the first, `+` those of the second.
fn differing(before: &str, after: &str) -> Vec<String> {
    let lines = |text| str::lines(text).collect::<BTreeSet<_>>();
    let (old, new) = (lines(before), lines(after));
    let gone = before.lines().filter(|line| !new.contains(line));
    let come = after.lines().filter(|line| !old.contains(line));
    let gone = gone.map(|line| format!("-{line}"));
    gone.chain(come.map(|line| format!("+{line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_what_has_come_is_shown() {
        let api = |lines: &[&str]| text(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        let before = api(&["pub fn a()", "pub fn b()"]);
        assert_eq!(differing(&before, &before), Vec::<String>::new());
        let after = api(&["pub fn b()", "pub fn b(u8)"]);
        assert_eq!(differing(&before, &after), ["-pub fn a()", "+pub fn b(u8)"]);
        // The head, too.
        let other = before.replace(RUST, "1.1.0");
        assert_eq!(differing(&before, &other).len(), 2);
    }

    #[test]
    fn another_format_is_refused_with_the_rust_that_is_needed() {
        assert!(require_format("{\"format_version\": 57, \"root\": 1}").is_ok());
        let error = require_format("{\"format_version\": 58}").expect_err("another format");
        let said = error.to_string();
        assert!(
            said.contains("58") && said.contains("Rust 1.95.0"),
            "{said}"
        );
        assert!(require_format("{}").is_err());
    }

    #[test]
    fn the_version_of_rust_is_compared_as_a_whole() {
        assert!(is_current("rustc 1.95.0 (59807616e 2026-04-14)\n"));
        assert!(!is_current("rustc 1.95.0-nightly (59807616e 2026-04-14)\n"));
        assert!(!is_current("rustc 1.95.01"));
        assert!(!is_current(""));
    }

    #[test]
    fn what_follows_from_other_lines_is_left_out() {
        let lines = [
            "pub struct a::B",
            "impl a::B",
            "pub const fn a::B::new() -> a::B",
            "impl core::iter::Iterator for a::B",
            "pub type a::B::Item = u8",
            "pub fn a::B::next(&mut self) -> u8",
            "impl core::marker::Sync for a::B",
            "impl<'a> core::marker::Unpin for a::D<'a>",
            "impl core::marker::Freeze for a::B",
            "impl !core::marker::Send for a::B",
            "impl<T> core::marker::Send for a::C<T> where T: core::marker::Send",
            "pub fn a::f()",
        ];
        let left = own(lines.iter().map(ToString::to_string));
        let expected = [0, 1, 2, 3, 4, 9, 10, 11].map(|line| lines[line]);
        assert_eq!(left, expected);
    }
}
