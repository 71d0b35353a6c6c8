//! Windows: linked by mingw-w64, and run by Wine, which has a part of it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{fs, io};

use object::{Architecture, BinaryFormat};

use super::{cargo, imports};
use crate::error::{Context, Error, Result};
use crate::{command, install, workspace};

/// What is linked and run here.
pub(super) const TARGET: &str = "x86_64-pc-windows-gnu";
/// What is checked: linking it takes Microsoft's linker and libraries.
pub(super) const MSVC: &str = "x86_64-pc-windows-msvc";

const GCC: &str = "x86_64-w64-mingw32-gcc";
const WINE: &str = "/usr/lib/wine/wine64";
const WINESERVER: &str = "/usr/lib/wine/wineserver64";

/// What the program must import: each is a call of `docs/windows.md`'s table.
const IMPORTS: [&str; 22] = [
    "AdjustTokenPrivileges",
    "CopyFileExW",
    "CreateSymbolicLinkW",
    "GetFileType",
    "GetFinalPathNameByHandleW",
    "GetFullPathNameW",
    "GetKernelObjectSecurity",
    "GetOverlappedResult",
    "GetProcessTimes",
    "GetVolumeInformationByHandleW",
    "NtClose",
    "NtCreateFile",
    "NtFlushBuffersFile",
    "NtFsControlFile",
    "NtQueryDirectoryFile",
    "NtQueryInformationFile",
    "NtQueryVolumeInformationFile",
    "NtReadFile",
    "NtSetInformationFile",
    "NtWriteFile",
    "RtlGetVersion",
    "SetKernelObjectSecurity",
];

/// Wine before 9 has no bcryptprimitives.dll, of which Rust's standard library imports
/// `ProcessPrng` since 1.78: without it every program ends before it begins (c0000135).
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T length)
{
    while (length) {
        ULONG part = length > 0x40000000u ? 0x40000000u : (ULONG)length;
        if (!SystemFunction036(buffer, part)) return FALSE;
        buffer += part;
        length -= part;
    }
    return TRUE;
}
";

/// Where Wine's drive and the runner are, in the build directory.
pub(super) fn place() -> PathBuf {
    workspace::target().join("cross/windows")
}

fn prefix() -> PathBuf {
    place().join("wine")
}

pub(super) fn runner() -> PathBuf {
    place().join("run")
}

/// Installs the linker, unless it is there.
pub(super) fn set_up() -> Result<()> {
    let missing = (!command::exists(GCC)).then_some("gcc-mingw-w64-x86-64-win32");
    install::packages(missing.into_iter())
}

/// Installs Wine and makes it a drive, unless they are there.
pub(super) fn set_up_wine() -> Result<()> {
    let wanted = [
        (!Path::new(WINE).exists(), "wine64"),
        (!Path::new(WINE).exists(), "wine"),
    ];
    let missing = wanted.iter().filter(|(lacks, _)| *lacks);
    install::packages(missing.map(|(_, package)| *package))?;
    let place = place();
    fs::create_dir_all(&place).at("create the directory", &place)?;
    let text = format!(
        "#!/bin/sh\n# cargo's runner for programs of Windows\nexport {}\nunset DISPLAY WAYLAND_DISPLAY\nexec {WINE} \"$@\"\n",
        variables()
            .map(|(name, value)| format!("{name}='{value}'"))
            .join(" ")
    );
    super::write_script(&runner(), &text)?;
    make_drive()
}

/// Wine's environment: the directory of its drive, silent, and without a browser.
fn variables() -> [(&'static str, String); 3] {
    [
        ("WINEPREFIX", prefix().display().to_string()),
        ("WINEDEBUG", "-all".into()),
        (
            "WINEDLLOVERRIDES",
            "mscoree,mshtml=;winedbg.exe=d".to_owned(),
        ),
    ]
}

fn wine(program: &str) -> Command {
    let mut wine = Command::new(program);
    wine.envs(variables());
    wine.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    wine
}

/// Wine's server, kept until this is dropped. By itself it ends with the last program, and another one that
/// connects at that moment fails ("recvmsg: Connection reset by peer").
#[derive(Debug)]
pub(crate) struct Server(());

impl Server {
    pub(crate) fn start() -> Result<Server> {
        // If this is not dropped, the server ends five minutes after the last program. It stays in the background, so
        // it must not hold a pipe of ours.
        Self::told("-p300").doing("start Wine's server")?;
        Ok(Server(()))
    }

    fn told(option: &str) -> io::Result<ExitStatus> {
        let mut server = wine(WINESERVER);
        server.arg(option).stdin(Stdio::null());
        server.stdout(Stdio::null()).stderr(Stdio::null()).status()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has gone by itself there is nothing to end.
        let _ = Self::told("-k");
    }
}

fn make_drive() -> Result<()> {
    let prefix = prefix();
    if !prefix.join("system.reg").exists() {
        command::run(wine(WINE).args(["wineboot", "--init"]), Stdio::null())?;
        // Processes that it has started run for a while.
        command::run(wine(WINESERVER).arg("--wait"), Stdio::null())?;
    }
    let library = prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
    if library.exists() {
        return Ok(());
    }
    let source = place().join("bcryptprimitives.c");
    fs::write(&source, RANDOM).at("write", &source)?;
    let mut gcc = Command::new(GCC);
    gcc.args(["-O2", "-shared", "-s", "-o"]).arg(&library);
    command::run(gcc.arg(&source).arg("-ladvapi32"), Stdio::null())
}

pub(super) fn cargo_variables() -> Vec<(String, String)> {
    let name = |what: &str| format!("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_{what}");
    vec![
        (name("LINKER"), GCC.to_owned()),
        (name("RUNNER"), runner().display().to_string()),
    ]
}

/// Lints, checks for the other linker's target, and links; returns how many things were asserted.
pub(super) fn build() -> Result<u64> {
    let variables = cargo_variables();
    super::lint(TARGET, &variables)?;
    let mut check = cargo("check", MSVC, &[]);
    super::succeed(check.arg("--all-targets"), |_| {})?;
    let executables = super::link(TARGET, &variables)?;
    let program = executables
        .iter()
        .map(Path::new)
        .find(|path| path.file_name().is_some_and(|name| name == "copyist.exe"))
        .ok_or_else(|| Error::new(format!("no program was linked for {TARGET}")))?;
    let names = imports::of(program, BinaryFormat::Pe, Architecture::X86_64)?;
    let missing: Vec<_> = IMPORTS.iter().filter(|it| !names.contains(**it)).collect();
    if !missing.is_empty() {
        return Err(Error::new(format!(
            "the program for {TARGET} doesn't import {missing:?}"
        )));
    }
    println!(
        "{TARGET}: {} executables linked; copyist imports {} names, among them {}",
        executables.len(),
        names.len(),
        IMPORTS.join(" ")
    );
    Ok((2 + executables.len() + IMPORTS.len()) as u64)
}

/// `cargo test` of everything, run by Wine.
pub(super) fn test() -> Command {
    let mut test = cargo("test", TARGET, &cargo_variables());
    test.args(["--no-fail-fast", "--lib", "--bins", "--tests"]);
    test
}
