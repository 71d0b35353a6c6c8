//! Runs the built binary in a directory of each test.

// Each test file is a program of its own, and uses a part of this.
#![allow(dead_code)]

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed at the end of the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("copyist-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Scratch(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, data: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("directories");
        }
        fs::write(&path, data).expect("a file");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).expect(name)).into_owned()
    }

    /// The binary called by the name `cp`.
    pub(crate) fn cp(&self, arguments: &[&str]) -> Ran {
        run(self.command().arg0("cp").args(arguments), "")
    }

    pub(crate) fn cp_answering(&self, arguments: &[&str], answers: &str) -> Ran {
        run(self.command().arg0("cp").args(arguments), answers)
    }

    /// `copyist` with these arguments.
    pub(crate) fn copyist(&self, arguments: &[&str]) -> Ran {
        run(self.command().args(arguments), "")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_copyist"));
        command
            .current_dir(&self.0)
            .env("LC_ALL", "C")
            .env_remove("POSIXLY_CORRECT")
            .env_remove("VERSION_CONTROL")
            .env_remove("SIMPLE_BACKUP_SUFFIX");
        command
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_dir_all(path);
}

/// Whether there is a device on which every write fails; otherwise prints that the test is not run.
pub(crate) fn has_full_device() -> bool {
    let has = Path::new("/dev/full").exists();
    if !has {
        println!("not run: this system has no /dev/full");
    }
    has
}

/// Whether the system has links to the open files of a process; otherwise prints that the test is not run.
pub(crate) fn has_proc() -> bool {
    let has = Path::new("/proc/self/fd").exists();
    if !has {
        println!("not run: this system has no /proc");
    }
    has
}

/// Creates a file whose name is not UTF-8; where the volume (APFS, HFS+) refuses it, prints that the
/// test is not run.
pub(crate) fn makes_file(path: &Path) -> bool {
    let made = fs::write(path, b"x");
    if let Err(error) = &made {
        println!("not run: {}: {error}", path.display());
    }
    made.is_ok()
}

/// What a command did.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    // It may end without having asked.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("waited for");
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn is(&self, code: i32, out: &str, err: &str) {
        let expected = Ran {
            code: Some(code),
            out: out.to_owned(),
            err: err.to_owned(),
        };
        assert_eq!(*self, expected);
    }
}
