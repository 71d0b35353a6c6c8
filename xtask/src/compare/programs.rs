//! Builds and installs who takes part: ours, the floor, and the others at pinned versions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::Tool;
use crate::error::{Context, Error, Result};
use crate::gnu::{self, Coreutils};
use crate::{command, install, workspace};

/// A program from the registry of crates.
struct Crate {
    tool: Tool,
    package: &'static str,
    version: &'static str,
    rust_flags: &'static str,
}

const CRATES: [Crate; 4] = [
    Crate {
        tool: Tool::Cpz,
        package: "cpz",
        version: "3.2.1",
        rust_flags: "",
    },
    Crate {
        tool: Tool::Xcp,
        package: "xcp",
        version: "0.24.9",
        rust_flags: "",
    },
    Crate {
        tool: Tool::Cpx,
        package: "cpx",
        version: "0.2.1",
        rust_flags: "",
    },
    Crate {
        tool: Tool::Rcp,
        package: "rcp-tools-rcp",
        version: "0.41.0",
        // Its own repository builds it so.
        rust_flags: "--cfg tokio_unstable",
    },
];

/// A program that is there.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: String,
    /// What its command line begins with, for people.
    pub(super) name: String,
}

/// Everything that is to be run.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) copyist: Program,
    /// The library's calls, and those of others.
    pub(super) loops: Program,
    /// Starts and times the others; the floor too.
    pub(super) yardstick: PathBuf,
    others: BTreeMap<Tool, Program>,
}

impl Programs {
    /// Builds and installs what is missing. A program that is not available is named, and does not take part.
    pub(super) fn prepare(tools: &[Tool]) -> Result<Self> {
        install::packages(install::missing_of_lab())?;
        let yardstick = build_yardstick()?;
        let loops = Program {
            path: yardstick.with_file_name("loops"),
            version: own_version(),
            name: "loops".into(),
        };
        let copyist = Program {
            path: gnu::build_ours()?,
            version: own_version(),
            name: "copyist".into(),
        };
        let mut others = BTreeMap::new();
        for tool in tools {
            match find(*tool, &yardstick, &loops) {
                Ok(program) => {
                    others.insert(*tool, program);
                }
                Err(error) => eprintln!("{} does not take part: {error}", tool.title()),
            }
        }
        Ok(Self {
            copyist,
            loops,
            yardstick,
            others,
        })
    }

    pub(super) fn of(&self, tool: Tool) -> Option<&Program> {
        self.others.get(&tool)
    }
}

fn find(tool: Tool, yardstick: &Path, loops: &Program) -> Result<Program> {
    let named = |path: PathBuf, version: String, name: &str| Program {
        path,
        version,
        name: name.into(),
    };
    match tool {
        Tool::Floor => Ok(named(yardstick.to_owned(), String::new(), "yardstick")),
        Tool::Cp => Ok(named("/bin/cp".into(), version_of("/bin/cp")?, "cp")),
        Tool::CpNewest => {
            install::packages(gnu::missing_packages())?;
            let coreutils = Coreutils::prepare()?;
            let version = version_of(coreutils.cp())?;
            Ok(named(coreutils.cp(), version, "cp"))
        }
        Tool::Rsync => Ok(named("rsync".into(), version_of("rsync")?, "rsync")),
        Tool::StdCopy | Tool::ReflinkCopy | Tool::FsExtra => Ok(Program {
            version: match tool {
                Tool::StdCopy => version_of("rustc")?,
                Tool::ReflinkCopy => locked("reflink-copy")?,
                _ => locked("fs_extra")?,
            },
            ..loops.clone()
        }),
        Tool::Cpz | Tool::Xcp | Tool::Cpx | Tool::Rcp => {
            let mut crates = CRATES.iter();
            let wanted = crates
                .find(|one| one.tool == tool)
                .ok_or_else(|| Error::new("it is not in the table"))?;
            let path = wanted.install()?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok(named(path.clone(), wanted.version.into(), &name))
        }
    }
}

impl Crate {
    /// The path of the program, which is built into the build directory if need be: minutes, once.
    fn install(&self) -> Result<PathBuf> {
        let home = workspace::target().join("peers");
        let list = fs::read_to_string(home.join(".crates.toml")).unwrap_or_default();
        if !list.contains(&format!("\"{} {} ", self.package, self.version)) {
            let mut cargo = command::cargo(workspace::root());
            cargo
                .args(["install", "--locked", "--quiet", "--root"])
                .arg(&home);
            cargo.args([self.package, "--version", self.version]);
            cargo.env("CARGO_TARGET_DIR", workspace::target().join("peers-build"));
            if !self.rust_flags.is_empty() {
                cargo.env("RUSTFLAGS", self.rust_flags);
            }
            command::succeed(&mut cargo)?;
        }
        let program = self.package.rsplit('-').next().unwrap_or(self.package);
        Ok(home.join("bin").join(program))
    }
}

fn build_yardstick() -> Result<PathBuf> {
    let mut cargo = command::cargo(workspace::root());
    cargo.args(["build", "--release", "--quiet", "--package", "yardstick"]);
    command::succeed(&mut cargo)?;
    Ok(workspace::target().join("release/yardstick"))
}

/// The version of a crate that we build with.
fn locked(name: &str) -> Result<String> {
    let path = workspace::root().join("Cargo.lock");
    let text = fs::read_to_string(&path).at("read", &path)?;
    let start = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = text.split_once(&start).unwrap_or_default();
    let version = rest.split('"').next().filter(|version| !version.is_empty());
    let version = version.ok_or_else(|| Error::new(format!("{name} is not in Cargo.lock")))?;
    Ok(version.to_owned())
}

/// The first line that it prints about itself.
fn version_of(program: impl AsRef<std::ffi::OsStr>) -> Result<String> {
    let program = program.as_ref();
    let output = Command::new(program).arg("--version").output();
    let output = output.doing(&format!("run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    Ok(only_version(line).to_owned())
}

/// "cp (GNU coreutils) 9.1" and "rsync  version 3.2.7  protocol version 31" without what is known.
fn only_version(line: &str) -> &str {
    let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    line.split_whitespace().find(is_version).unwrap_or(line)
}

/// The version with the commit, because many commits have one version.
fn own_version() -> String {
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        let output = git
            .args(words)
            .current_dir(workspace::root())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let version = env!("CARGO_PKG_VERSION");
    let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) else {
        return version.to_owned();
    };
    let changed = git(&["status", "--porcelain", "--", "crates"]);
    let changed = if changed.is_none_or(|changes| changes.is_empty()) {
        ""
    } else {
        ", changed"
    };
    format!("{version} ({commit}{changed})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_crates_are_those_of_the_lock_file() {
        for name in ["reflink-copy", "fs_extra"] {
            let version = locked(name).expect("a version");
            assert_eq!(version.split('.').count(), 3, "{version}");
        }
        assert!(locked("no-such-crate").is_err());
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (line, version) in [
            ("cp (GNU coreutils) 9.1", "9.1"),
            ("rsync  version 3.2.7  protocol version 31", "3.2.7"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(only_version(line), version);
        }
    }
}
