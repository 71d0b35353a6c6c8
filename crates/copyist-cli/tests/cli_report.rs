//! `--report`, `--method` and `--progress`: copyist's own options.

#![cfg(unix)]

mod cli;

use std::os::unix::ffi::OsStrExt as _;

use cli::{Ran, Scratch};
use serde_json::Value;

/// The lines of a report, each a JSON object.
fn lines(text: &str) -> Vec<Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    lines.collect()
}

fn of_type<'a>(lines: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == wanted).collect()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no number {key} in {value}"))
}

#[track_caller]
fn adds_up(line: &Value) {
    let parts = ["cloned", "offloaded", "moved", "holes"];
    let sum: u64 = parts.iter().map(|key| number(line, key)).sum();
    assert_eq!(number(line, "bytes"), sum, "{line}");
}

#[test]
fn every_file_is_accounted_for() {
    let scratch = Scratch::new();
    scratch.write("tree/empty", "");
    scratch.write("tree/sub/big", vec![7; 3 << 20]);
    scratch.write("tree/small", "small");
    let sparse = std::fs::File::create(scratch.path("tree/sparse")).expect("a file");
    sparse.set_len(1 << 20).expect("a hole");
    std::os::unix::fs::symlink("small", scratch.path("tree/link")).expect("a link");
    std::fs::hard_link(scratch.path("tree/small"), scratch.path("tree/zhard")).expect("a link");
    scratch
        .copyist(&["cp", "-a", "--report=r", "tree", "copy"])
        .is(0, "", "");
    let report = lines(&scratch.read("r"));
    let files = of_type(&report, "file");
    assert_eq!(files.len(), 4);
    for file in &files {
        adds_up(file);
        assert_eq!(file["kind"], "regular");
        let attempts = file["attempts"].as_array().expect("attempts");
        let bytes: u64 = attempts
            .iter()
            .map(|one| number(one, "bytes") + number(one, "holes"))
            .sum();
        assert_eq!(number(file, "bytes"), bytes, "{file}");
        if let Some(last) = attempts.last() {
            assert_eq!(
                (&last["ended"], &last["method"]),
                (&"done".into(), &file["method"])
            );
        }
    }
    let big = files
        .iter()
        .find(|file| file["src"] == "tree/sub/big")
        .expect("it");
    assert_eq!(
        (&big["dst"], number(big, "bytes")),
        (&"copy/sub/big".into(), 3 << 20)
    );

    let entries = of_type(&report, "entry");
    let kinds = |kind: &str| entries.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!(
        (kinds("directory"), kinds("symlink"), kinds("hard-link")),
        (2, 1, 1)
    );

    let summary = report.last().expect("lines");
    assert_eq!(summary["type"], "summary");
    adds_up(summary);
    let counts = [
        "files", "dirs", "links", "symlinks", "specials", "skipped", "errors",
    ];
    let counts = counts.map(|key| number(summary, key));
    assert_eq!(counts, [4, 2, 1, 1, 0, 0, 0]);
    let bytes: u64 = files.iter().map(|file| number(file, "bytes")).sum();
    assert_eq!(number(summary, "bytes"), bytes);
    assert!(number(summary, "ns") > 0);
}

#[test]
fn failures_are_reported() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("dir/x", "");
    let ran = scratch.cp(&["--report=-", "a", "no", "dir"]);
    assert_eq!(ran.err, "cp: cannot stat 'no': No such file or directory\n");
    assert_eq!(ran.code, Some(1));
    let report = lines(&ran.out);
    let errors = of_type(&report, "error");
    assert_eq!(errors.len(), 1);
    let error = errors[0];
    assert_eq!(
        (&error["operation"], &error["code"]),
        (&"stat-source".into(), &"ENOENT".into())
    );
    assert_eq!(error["src"], "no");
    assert_eq!(number(report.last().expect("lines"), "errors"), 1);
}

#[test]
fn names_are_reported_without_loss() {
    let scratch = Scratch::new();
    let name = std::ffi::OsStr::from_bytes(b"n\xff");
    if !cli::makes_file(&scratch.0.join(name)) {
        return;
    }
    let mut command = scratch.command();
    let ran = cli::run(command.args(["cp", "--report=-"]).arg(name).arg("b"), "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = lines(&ran.out);
    assert_eq!(report[0]["src"]["bytes_hex"], "6eff");
    assert_eq!(report[0]["dst"], "b");
}

#[test]
fn a_report_that_can_not_be_written_is_an_error() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    let message = "cp: cannot create report 'no/r': No such file or directory\n";
    scratch.cp(&["--report=no/r", "a", "b"]).is(1, "", message);
    assert!(!scratch.path("b").exists());
    if !cli::has_full_device() {
        return;
    }
    let message = "cp: error writing report '/dev/full': No space left on device\n";
    scratch
        .cp(&["--report=/dev/full", "a", "b"])
        .is(1, "", message);
    assert_eq!(scratch.read("b"), "a");
}

#[test]
fn a_method_alone_works_or_says_why_not() {
    let scratch = Scratch::new();
    let data: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    scratch.write("a", &data);
    let methods: &[&str] = match std::env::consts::OS {
        "macos" => &["clone", "system-copy", "direct", "read-write"],
        _ => &["clone", "copy-range", "sendfile", "direct", "read-write"],
    };
    for &method in methods {
        let option = format!("--method={method}");
        let _ = std::fs::remove_file(scratch.path("b"));
        let ran = scratch.cp(&[&option, "--report=r", "a", "b"]);
        let report = lines(&scratch.read("r"));
        if ran.code == Some(0) {
            assert_eq!(scratch.read("b"), data, "{method}");
            let file = of_type(&report, "file")[0];
            adds_up(file);
            assert_eq!(file["method"], method);
            assert_eq!(number(file, "cloned") > 0, method == "clone");
        } else {
            let named = ran.err.contains(method) && ran.err.contains("'b'");
            assert!(named && ran.err.lines().count() == 1, "{ran:?}");
            assert!(!scratch.path("b").exists(), "nothing half made is left");
            assert_eq!(of_type(&report, "error").len(), 1);
        }
    }
}

#[test]
fn progress_without_a_terminal_is_lines() {
    let scratch = Scratch::new();
    scratch.write("a", vec![0; 1 << 20]);
    for option in ["--progress", "--progress=always"] {
        let ran: Ran = scratch.copyist(&["cp", option, "a", "b"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
        assert!(ran.err.starts_with("1.00 MiB, 1 file, "), "{ran:?}");
    }
    for option in ["--progress=auto", "--progress=never"] {
        scratch.copyist(&["cp", option, "a", "b"]).is(0, "", "");
    }
}

#[test]
fn the_report_on_standard_output_and_verbose_lines_do_not_mix() {
    let scratch = Scratch::new();
    for number in 0..50 {
        scratch.write(&format!("tree/{number}"), "x");
    }
    let ran = scratch.cp(&["-rv", "--report=-", "tree", "copy"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let (json, verbose): (Vec<_>, Vec<_>) = ran.out.lines().partition(|line| line.starts_with('{'));
    assert_eq!(verbose.len(), 51);
    assert_eq!(lines(&json.join("\n")).len(), 52);
}
