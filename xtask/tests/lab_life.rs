//! A lab comes up, proves what it is, and goes away without a trace, whatever happens to it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

/// A directory for a lab; dropping it takes the lab down.
struct Root(TempDir);

impl Root {
    /// None, and a line that says so, where no lab can be.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("not run: mounting needs root");
            return None;
        }
        Some(Self(TempDir::new().expect("a temporary directory")))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn lab(&self, command: &str) -> Command {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(["lab", command, "--root"]).arg(self.path());
        if command == "up" {
            xtask.args(["--size-gib", "1"]);
        }
        xtask
    }

    fn run(&self, command: &str) -> Output {
        self.lab(command).output().expect("xtask runs")
    }

    #[track_caller]
    fn succeed(&self, command: &str) -> String {
        let output = self.run(command);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lab {command}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Mounts, loop devices, processes and files that belong to this lab.
    fn traces(&self) -> Vec<String> {
        let name = self.path().to_str().expect("a path in UTF-8");
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
        let mut traces: Vec<String> = mounts
            .lines()
            .filter(|line| line.contains(name))
            .map(Into::into)
            .collect();
        for (directory, file) in [("/sys/block", "loop/backing_file"), ("/proc", "cmdline")] {
            for entry in fs::read_dir(directory).expect("a listing").flatten() {
                let text = fs::read(entry.path().join(file)).unwrap_or_default();
                if String::from_utf8_lossy(&text).contains(name) {
                    traces.push(format!("{} {}", directory, entry.file_name().display()));
                }
            }
        }
        let files = fs::read_dir(self.path()).into_iter().flatten().flatten();
        traces.extend(files.map(|entry| entry.path().display().to_string()));
        traces
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let down = self.run("down");
        if !thread::panicking() {
            assert!(
                down.status.success(),
                "{}",
                String::from_utf8_lossy(&down.stderr)
            );
            assert_eq!(self.traces(), [""; 0]);
        }
    }
}

#[test]
fn up_status_down_and_again() {
    let Some(root) = Root::new() else { return };
    for _ in 0..2 {
        assert!(!root.run("status").status.success(), "there is no lab yet");
        root.succeed("up");
        let status = root.succeed("status");
        assert!(status.lines().count() >= 10, "{status}");
        assert!(
            !root.run("up").status.success(),
            "a second lab at the same place"
        );
        root.succeed("down");
        assert_eq!(root.traces(), [""; 0]);
        root.succeed("down");
    }
}

#[test]
fn labs_do_not_meet() {
    let (Some(one), Some(two)) = (Root::new(), Root::new()) else {
        return;
    };
    one.succeed("up");
    two.succeed("up");
    one.succeed("down");
    two.succeed("status");
}

#[test]
fn a_killed_up_is_taken_down_later() {
    let Some(root) = Root::new() else { return };
    for wait in [20, 80, 140, 200] {
        let mut up = root.lab("up").spawn().expect("xtask starts");
        thread::sleep(Duration::from_millis(wait));
        up.kill().expect("killed");
        up.wait().expect("an ending");
        root.succeed("down");
        assert_eq!(root.traces(), [""; 0], "after {wait} ms");
    }
}

#[test]
fn a_signal_takes_it_down_at_once() {
    let Some(root) = Root::new() else { return };
    let mut up = root.lab("up").spawn().expect("xtask starts");
    thread::sleep(Duration::from_millis(100));
    rustix::process::kill_process(Pid::from_child(&up), Signal::TERM).expect("a signal");
    let status = up.wait().expect("an ending");
    // On a very fast machine it may have been up by then.
    if !status.success() {
        assert_eq!(root.traces(), [""; 0]);
    }
}

/// For each claim, another filesystem in the place of the one that makes it.
#[test]
fn impostors_are_found() {
    let Some(root) = Root::new() else { return };
    root.succeed("up");
    let impostors = [
        ("tmpfs", "ext4", "statfs reports type"),
        ("xfs-plain", "xfs", "FICLONE gave Err"),
        ("xfs", "xfs-plain", "FICLONE gave Ok"),
        ("ext4", "tiny", "bytes, not 0 to"),
        ("tiny", "ext4", "bytes, not "),
        ("fuse", "casefold", "cannot read, by another case"),
        ("fuse", "fuse-slow", "less than the latency"),
        ("fuse", "fuse-lies", "SEEK_DATA and SEEK_HOLE gave"),
    ];
    for (actual, claimed, complaint) in impostors {
        let place = root.path().join(claimed);
        let mount = [
            "--bind".as_ref(),
            root.path().join(actual).as_os_str(),
            place.as_os_str(),
        ]
        .map(ToOwned::to_owned);
        assert_broken(&root, &mount, claimed, complaint);
    }
    let ramfs = [
        "-t".into(),
        "ramfs".into(),
        "none".into(),
        root.path().join("tmpfs").into(),
    ];
    assert_broken(&root, &ramfs, "tmpfs", "statfs reports type");
    unmount(&root.path().join("btrfs"));
    let status = root.run("status");
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(
        !status.status.success() && said.contains("nothing is mounted at"),
        "{said}"
    );
}

#[track_caller]
fn assert_broken(root: &Root, mount: &[std::ffi::OsString], claimed: &str, complaint: &str) {
    assert!(
        Command::new("mount")
            .args(mount)
            .status()
            .expect("mount runs")
            .success()
    );
    let status = root.run("status");
    let said = String::from_utf8_lossy(&status.stdout);
    let line = said
        .lines()
        .find(|line| line.split(' ').next() == Some(claimed))
        .unwrap_or("none");
    assert!(
        !status.status.success() && line.contains("BROKEN"),
        "{claimed}: {said}"
    );
    assert!(line.contains(complaint), "expected `{complaint}`: {line}");
    unmount(&root.path().join(claimed));
}

fn unmount(path: &Path) {
    assert!(
        Command::new("umount")
            .arg(path)
            .status()
            .expect("umount runs")
            .success()
    );
}

#[test]
fn a_busy_mount_is_told_and_goes_all_the_same() {
    let Some(root) = Root::new() else { return };
    root.succeed("up");
    let mut holder = Command::new("sleep");
    let mut holder = holder
        .arg("60")
        .current_dir(root.path().join("ext4"))
        .spawn()
        .expect("sleep");
    let down = root.run("down");
    let said = String::from_utf8_lossy(&down.stderr);
    assert!(!down.status.success() && said.contains("(sleep)"), "{said}");
    holder.kill().expect("killed");
    holder.wait().expect("an ending");
}
