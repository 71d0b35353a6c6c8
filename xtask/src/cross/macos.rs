//! macOS: the linker is Zig's, which comes from PyPI with stubs of Apple's libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Architecture, BinaryFormat};

use super::{Variables, imports};
use crate::error::{Context, Error, Result};
use crate::{command, install, workspace};

pub(super) const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];

const ZIG: &str = "ziglang==0.17.1";

/// What the program must import of libSystem: each is a call of `docs/macos.md`'s table.
const IMPORTS: [&str; 18] = [
    "_acl_get_fd_np",
    "_acl_set_fd_np",
    "_clonefileat",
    "_copyfile",
    "_copyfile_state_alloc",
    "_copyfile_state_free",
    "_copyfile_state_get",
    "_copyfile_state_set",
    "_fchflags",
    "_fchmodx_np",
    "_fclonefileat",
    "_fcntl",
    "_fcopyfile",
    "_fgetxattr",
    "_fsetattrlist",
    "_fsetxattr",
    "_getattrlist",
    "_getattrlistbulk",
];

/// The libc crate links libiconv, of which Zig has no stub.
const ICONV_STUB: &str = "\
--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos ]
install-name:    '/usr/lib/libiconv.2.dylib'
current-version: 7
compatibility-version: 7
exports:
  - targets:         [ x86_64-macos, arm64-macos ]
    symbols:         [ _iconv, _iconv_open, _iconv_close, _libiconv, _libiconv_open, _libiconv_close ]
...
";

/// Where the linker is, in the build directory.
fn place() -> PathBuf {
    workspace::target().join("cross/macos")
}

/// Installs Zig and writes the linkers that call it, unless they are there.
pub(super) fn set_up() -> Result<()> {
    let place = place();
    let python = place.join("python/bin/python");
    if !has_zig(&python) {
        if !command::exists("python3") {
            install::packages(std::iter::once("python3"))?;
        }
        if !runs(Command::new("python3").args(["-c", "import ensurepip"])) {
            install::packages(std::iter::once("python3-venv"))?;
        }
        let venv = place.join("python");
        fs::create_dir_all(&place).at("create the directory", &place)?;
        run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", ZIG]))?;
    }
    let stubs = place.join("stubs");
    fs::create_dir_all(&stubs).at("create the directory", &stubs)?;
    super::write(&stubs.join("libiconv.tbd"), ICONV_STUB)?;
    for target in TARGETS {
        let script = script(target, &python, &stubs, &place);
        super::write_script(&linker(target), &script)?;
    }
    super::write_script(&archiver(), &archiver_script(&python))
}

fn has_zig(python: &Path) -> bool {
    runs(Command::new(python).args(["-c", "import ziglang"]))
}

fn runs(command: &mut Command) -> bool {
    command::run(command, std::process::Stdio::null()).is_ok()
}

fn run(command: &mut Command) -> Result<()> {
    command::run(command, std::process::Stdio::null())
}

/// Zig as a linker; as a C compiler it serves too.
fn linker(target: &str) -> PathBuf {
    place().join(format!("link-{target}"))
}

fn archiver() -> PathBuf {
    place().join("ar")
}

fn archiver_script(python: &Path) -> String {
    format!(
        "#!/bin/sh\nexec '{}' -m ziglang ar \"$@\"\n",
        python.display()
    )
}

fn script(target: &str, python: &Path, stubs: &Path, place: &Path) -> String {
    let processor = target.split('-').next().unwrap_or(target);
    // What the crate `cc` calls a target, Zig doesn't know by that name.
    let without_target =
        r#"for a do shift; case $a in --target=*) ;; *) set -- "$@" "$a" ;; esac; done"#;
    format!(
        "#!/bin/sh\n{without_target}\nexport ZIG_GLOBAL_CACHE_DIR='{}'\nexec '{}' -m ziglang cc -target {processor}-macos -L'{}' \"$@\"\n",
        place.join("cache").display(),
        python.display(),
        stubs.display(),
    )
}

fn variables(target: &str) -> Vec<(String, String)> {
    let lower = target.replace('-', "_");
    let upper = lower.to_uppercase();
    let compiler = linker(target).display().to_string();
    vec![
        (format!("CARGO_TARGET_{upper}_LINKER"), compiler.clone()),
        (format!("CC_{lower}"), compiler),
        (format!("AR_{lower}"), archiver().display().to_string()),
        // Zig has the headers itself; without a directory Xcode would be asked for its own.
        ("SDKROOT".to_owned(), place().display().to_string()),
    ]
}

/// Checks, lints and links for both processors; returns how many things were asserted.
pub(super) fn build() -> Result<u64> {
    if !has_zig(&place().join("python/bin/python")) {
        return Err(Error::new("the linker could not be installed"));
    }
    let mut count = 0;
    for (target, architecture) in [
        (TARGETS[0], Architecture::Aarch64),
        (TARGETS[1], Architecture::X86_64),
    ] {
        let variables = variables(target);
        super::lint(target, &variables)?;
        count += 1 + linked(target, architecture, &variables)?;
    }
    Ok(count)
}

fn linked(target: &str, architecture: Architecture, variables: &Variables) -> Result<u64> {
    let executables = super::link(target, variables)?;
    let mut program = None;
    for executable in &executables {
        let path = Path::new(executable);
        let names = imports::of(path, BinaryFormat::MachO, architecture)?;
        if path.file_name().is_some_and(|name| name == "copyist") {
            program = Some(names);
        }
    }
    let Some(names) = program else {
        return Err(Error::new(format!("no program was linked for {target}")));
    };
    let missing: Vec<_> = IMPORTS.iter().filter(|it| !names.contains(**it)).collect();
    if !missing.is_empty() {
        return Err(Error::new(format!(
            "the program for {target} doesn't import {missing:?}"
        )));
    }
    println!(
        "{target}: {} executables linked; copyist imports {} names, among them {}",
        executables.len(),
        names.len(),
        IMPORTS.join(" ")
    );
    Ok((executables.len() + IMPORTS.len()) as u64)
}
