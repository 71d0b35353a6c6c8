//! `xtask compare` at a scale at which it measures nothing but itself.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

/// A directory for all that it makes; none, and a line that says so, where no lab can be.
fn room() -> Option<TempDir> {
    if !rustix::process::geteuid().is_root() {
        println!("not run: mounting needs root");
        return None;
    }
    Some(TempDir::new().expect("a temporary directory"))
}

fn compare(room: &Path, arguments: &[&str]) -> Command {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["compare", "--scale", "2000"]).args(arguments);
    xtask.arg("--images").arg(room);
    xtask.arg("--data").arg(room.join("benchmarks.json"));
    xtask
}

/// What is mounted below, and what lies there besides the results.
fn traces(room: &Path) -> Vec<String> {
    let name = room.to_str().expect("a path in UTF-8");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
    let mounts = mounts.lines().filter(|line| line.contains(name));
    let files = fs::read_dir(room).expect("a listing").flatten();
    let files = files.map(|entry| entry.file_name().display().to_string());
    let left = files.filter(|name| !name.starts_with("benchmarks."));
    mounts.map(Into::into).chain(left).collect()
}

#[test]
fn every_kind_of_work_is_measured_and_written_down() {
    let Some(room) = room() else { return };
    let arguments = [
        "--rounds",
        "2",
        "--tools",
        "floor,cp,rsync,std-copy,reflink-copy,fs-extra",
        "--on",
        "tmpfs,xfs,fuse",
    ];
    let output = compare(room.path(), &arguments)
        .output()
        .expect("xtask runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let data = fs::read(room.path().join("benchmarks.json")).expect("the data file");
    let data: Value = serde_json::from_slice(&data).expect("JSON");
    let pairs = data["pairs"].as_array().expect("pairs");
    let mut measured = Vec::new();
    for pair in pairs {
        assert_eq!(pair["fault"], Value::Null, "{pair}");
        let rounds = pair["rounds"].as_array().expect("rounds");
        let row = pair["row"].as_str().expect("a name");
        let expected = if row.starts_with("million") { 1 } else { 2 };
        assert_eq!(rounds.len(), expected, "{pair}");
        assert!(rounds.iter().all(|round| {
            let is_time = |of: &str| round[of].as_f64().is_some_and(|ms| ms > 0.0);
            is_time("copyist") && is_time("other")
        }));
        measured.push(format!("{row} {}", pair["on"].as_str().expect("a place")));
    }
    measured.dedup();
    let usual = ["tmpfs", "xfs"];
    let mut expected = Vec::new();
    for (row, places) in [
        ("small", &usual[..]),
        ("archive", &usual),
        ("sources", &usual),
        ("flat", &usual),
        ("big", &usual),
        ("clone", &["xfs"]),
        ("one", &usual),
        ("slow-flat", &["fuse"]),
        ("slow-tree", &["fuse"]),
        ("sparse", &["tmpfs"]),
        ("again", &usual),
        ("library", &usual),
        ("library-copier", &usual),
        ("library-tree", &usual),
        ("million-flat", &["tmpfs"]),
        ("million-tree", &["tmpfs"]),
    ] {
        expected.extend(places.iter().map(|place| format!("{row} {place}")));
    }
    assert_eq!(measured, expected);

    let page = fs::read_to_string(room.path().join("benchmarks.md")).expect("the page");
    let targets = page.lines().filter(|line| line.contains("best peer: "));
    assert_eq!(targets.count(), 2 + 2 + 2 + 2, "{page}");
    let plot = fs::read_to_string(room.path().join("benchmarks.svg")).expect("the plot");
    assert!(plot.contains("<title>rsync: "), "{plot}");
    assert_eq!(traces(room.path()), Vec::<String>::new());
}

#[test]
fn a_signal_leaves_nothing_behind() {
    let Some(room) = room() else { return };
    let arguments = [
        "--rows", "small", "--on", "btrfs", "--tools", "cp", "--rounds", "100000",
    ];
    let mut child = compare(room.path(), &arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask runs");
    let said = BufReader::new(child.stderr.take().expect("its errors"));
    let mut lines = said.lines().map(|line| line.expect("a line"));
    assert!(
        lines.any(|line| line.contains("round 2:")),
        "no second round"
    );
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, Signal::INT).expect("a signal");
    let rest: Vec<String> = lines.collect();
    assert!(!child.wait().expect("its end").success());
    assert!(
        rest.iter().any(|line| line.contains("interrupted")),
        "{rest:?}"
    );
    assert_eq!(traces(room.path()), Vec::<String>::new());
}
