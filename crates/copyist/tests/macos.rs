//! What only a real macOS shows, on the volume that the temporary directory is on. The workflow
//! runs it on images of APFS, case-sensitive APFS, HFS+ and exFAT; what is seen is asked of
//! programs that are not ours (xattr, stat, ls, ditto, cmp).

#![cfg(target_os = "macos")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use copyist::options::{Flush, Preserve, Reflink, Want};
use copyist::probe::Probe;
use copyist::report::{FsKind, Known};
use copyist::{CancelToken, Copier, Event, Method, Observer, Options, Report};
use tempfile::TempDir;

/// The filesystem that the workflow says that it has made.
const EXPECTED: &str = "COPYIST_EXPECTED_FS";

struct Place {
    dir: TempDir,
    kind: FsKind,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let kind = Probe::volume(dir.path()).expect("a probe").dst.kind;
        Place { dir, kind }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.path(name);
        let content: Vec<u8> = (0..bytes).map(|n| (n * 31 % 251) as u8 | 1).collect();
        fs::write(&path, content).expect("a file");
        path
    }

    /// Says why a test is not run on this volume, if it has none of what the test is about.
    fn lacks(&self, what: &str, having: &[FsKind]) -> bool {
        let lacks = !having.contains(&self.kind);
        if lacks {
            println!("not run: {} has no {what}", self.kind.name());
        }
        lacks
    }
}

/// What a program prints; it must succeed.
fn said(program: &str, arguments: &[&str], path: &Path) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).arg(path).output().expect(program);
    assert!(
        output.status.success(),
        "{program} {arguments:?} {path:?}: {output:?}"
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn same(src: &Path, dst: &Path) {
    let compared = Command::new("cmp").args([src, dst]).output().expect("cmp");
    assert!(compared.status.success(), "{compared:?}");
}

fn archive() -> Copier {
    Copier::new().preserve(Preserve::ARCHIVE)
}

#[test]
fn the_volume_is_what_it_is_said_to_be() {
    let place = Place::new();
    let probe = Probe::volume(place.dir.path()).expect("a probe");
    println!("{probe:#?}");
    let names = fs::read_dir(place.dir.path()).expect("names").count();
    assert_eq!(names, 0, "a probe leaves nothing behind");
    let clones = probe.method(Method::Clone).map(|it| it.known);
    let can = if place.kind == FsKind::Apfs {
        Known::Yes
    } else {
        Known::No
    };
    assert_eq!(clones, Some(can));
    let Ok(expected) = std::env::var(EXPECTED) else {
        println!("not run: {EXPECTED} doesn't say what to expect");
        return;
    };
    let (kind, case) = match &*expected {
        "APFS" => (FsKind::Apfs, Known::Yes),
        "Case-sensitive APFS" => (FsKind::Apfs, Known::No),
        "HFS+" => (FsKind::HfsPlus, Known::Yes),
        "ExFAT" => (FsKind::ExFat, Known::Yes),
        other => panic!("{other}?"),
    };
    assert_eq!((probe.dst.kind, probe.dst.folds_case.known), (kind, case));
}

#[test]
fn a_file_is_cloned_where_that_is_possible() {
    let place = Place::new();
    let src = place.file("src", 10_000_000);
    let report = copyist::copy(&src, place.path("dst")).expect("a copy");
    same(&src, &place.path("dst"));
    let method = if place.kind == FsKind::Apfs {
        Method::Clone
    } else {
        Method::SystemCopy
    };
    assert_eq!(report.method(), Some(method), "{report:?}");
    assert_eq!(report.bytes(), 10_000_000);
    let never = Copier::new().reflink(Reflink::Never);
    let report = never.copy(&src, place.path("never")).expect("a copy");
    same(&src, &place.path("never"));
    assert_eq!(report.cloned(), 0, "{report:?}");
}

#[test]
fn each_method_alone_copies_or_says_why_not() {
    let place = Place::new();
    let src = place.file("src", 3_000_001);
    for method in [
        Method::Clone,
        Method::SystemCopy,
        Method::Direct,
        Method::ReadWrite,
    ] {
        let dst = place.path(method.name());
        let result = Copier::new().methods([method]).copy(&src, &dst);
        match result {
            Ok(report) => {
                assert_eq!(report.method(), Some(method));
                same(&src, &dst);
            }
            Err(error) => {
                assert_eq!(method, Method::Clone, "{error}");
                assert_ne!(place.kind, FsKind::Apfs, "{error}");
                assert!(!dst.exists());
            }
        }
    }
}

#[test]
fn an_existing_file_is_replaced_by_its_clone_or_left() {
    let place = Place::new();
    let (src, dst) = (place.file("src", 100_000), place.file("dst", 10));
    let always = Copier::new().reflink(Reflink::Always);
    let result = always.copy(&src, &dst);
    if place.kind == FsKind::Apfs {
        assert_eq!(result.expect("a clone").cloned(), 100_000);
        same(&src, &dst);
    } else {
        result.expect_err("no clone");
        assert_eq!(fs::metadata(&dst).expect("the old file").len(), 10);
    }
    let left: Vec<_> = fs::read_dir(place.dir.path()).expect("names").collect();
    assert_eq!(left.len(), 2, "{left:?}");
    if place.lacks("symbolic links", &[FsKind::Apfs, FsKind::HfsPlus]) {
        return;
    }
    let link = place.path("link");
    std::os::unix::fs::symlink("nowhere", &link).expect("a link");
    let error = copyist::copy(&src, &link).expect_err("a link to nothing");
    println!("{error}");
    assert_eq!(
        fs::read_link(&link).expect("the link"),
        Path::new("nowhere")
    );
}

#[test]
fn attributes_are_those_that_were_asked_for() {
    let place = Place::new();
    if place.lacks("attributes of its own", &[FsKind::Apfs, FsKind::HfsPlus]) {
        return;
    }
    let src = place.file("src", 200_000);
    said("xattr", &["-w", "com.apple.quarantine", "0081;0;x;"], &src);
    said("xattr", &["-w", "com.example.other", "value"], &src);
    fs::write(src.join("..namedfork/rsrc"), b"a fork").expect("a resource fork");
    said("chmod", &["+a", "everyone deny delete"], &src);
    said("chmod", &["640"], &src);
    said("chflags", &["hidden"], &src);
    said("touch", &["-t", "202001020304.05"], &src);

    let names = |path: &Path| said("xattr", &[], path);
    let born = |path: &Path| said("stat", &["-f", "%B %m"], path);
    for (copier, name) in [
        (Copier::new(), "plain"),
        (Copier::new().reflink(Reflink::Never), "plain, copied"),
    ] {
        let dst = place.path(name);
        copier.copy(&src, &dst).expect("a copy");
        let names = names(&dst);
        assert!(names.contains("com.apple.quarantine"), "{name}: {names}");
        assert!(names.contains("com.apple.ResourceFork"), "{name}: {names}");
        assert!(!names.contains("com.example.other"), "{name}: {names}");
        assert!(
            !said("ls", &["-le"], &dst).contains("deny delete"),
            "{name}"
        );
        assert_eq!(said("stat", &["-f", "%f"], &dst), "0", "{name}");
        assert_ne!(born(&dst), born(&src), "{name}");
    }
    let mut all = Options::default();
    all.preserve = Preserve::ARCHIVE;
    (all.preserve.flags, all.preserve.xattrs) = (true, Want::Required);
    for (reflink, name) in [(Reflink::Auto, "all"), (Reflink::Never, "all, copied")] {
        all.reflink = reflink;
        let dst = place.path(name);
        Copier::with_options(all.clone())
            .copy(&src, &dst)
            .expect("a copy");
        assert_eq!(names(&dst), names(&src), "{name}");
        assert_eq!(born(&dst), born(&src), "{name}");
        assert!(said("ls", &["-le"], &dst).contains("deny delete"), "{name}");
        assert_eq!(
            said("stat", &["-f", "%Lp %Sf"], &dst),
            "640 hidden",
            "{name}"
        );
    }
}

#[test]
fn a_file_that_is_kept_compressed_stays_so() {
    let place = Place::new();
    if place.lacks("compression", &[FsKind::Apfs, FsKind::HfsPlus]) {
        return;
    }
    let plain = place.path("plain");
    fs::write(&plain, vec![b'x'; 500_000]).expect("a file");
    let src = place.path("src");
    let status = Command::new("ditto")
        .arg("--hfsCompression")
        .args([&plain, &src])
        .status();
    assert!(status.expect("ditto").success());
    assert_eq!(said("stat", &["-f", "%Sf"], &src), "compressed");
    let dst = place.path("dst");
    archive().copy(&src, &dst).expect("a copy");
    same(&src, &dst);
    assert_eq!(said("stat", &["-f", "%Sf"], &dst), "compressed");
}

/// Keeps the reports, and can stop the run at the first bytes.
#[derive(Default)]
struct Watcher {
    reports: Mutex<Vec<Report>>,
    stop: Option<CancelToken>,
}

impl Observer for Watcher {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::File { report, .. } => {
                self.reports
                    .lock()
                    .expect("nobody panicked")
                    .push(report.clone());
            }
            Event::Bytes(_) => {
                if let Some(token) = &self.stop {
                    token.cancel();
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_tree_is_copied_with_all_that_is_in_it() {
    let place = Place::new();
    fs::create_dir_all(place.path("src/a/b")).expect("directories");
    for n in 0..50 {
        place.file(&format!("src/a/{n}"), n * 1000);
        place.file(&format!("src/a/b/{n}"), n);
    }
    let watcher = Arc::new(Watcher::default());
    let mut preserve = Preserve::ARCHIVE;
    preserve.mode = place.kind != FsKind::ExFat;
    preserve.owner = place.kind != FsKind::ExFat;
    let copier = Copier::new().preserve(preserve);
    let summary = copier
        .observer(watcher.clone())
        .copy_tree(place.path("src"), place.path("dst"))
        .expect("a copy");
    let mut compare = Command::new("diff");
    compare
        .arg("-r")
        .arg(place.path("src"))
        .arg(place.path("dst"));
    let different = compare.output().expect("diff");
    assert!(different.status.success(), "{different:?}");
    assert_eq!((summary.files, summary.dirs), (100, 3));
    let reports = watcher.reports.lock().expect("nobody panicked");
    assert_eq!(
        reports.len(),
        100,
        "each file is reported, cloned whole or not"
    );
    if place.kind == FsKind::Apfs {
        assert_eq!(summary.cloned, summary.bytes);
    }
}

#[test]
fn a_system_copy_can_be_stopped() {
    let place = Place::new();
    let src = place.file("src", 64 << 20);
    let token = CancelToken::new();
    let watcher = Watcher {
        stop: Some(token.clone()),
        ..Watcher::default()
    };
    let error = Copier::new()
        .methods([Method::SystemCopy])
        .reflink(Reflink::Never)
        .observer(Arc::new(watcher))
        .cancel_token(token)
        .copy(&src, place.path("dst"))
        .expect_err("it was stopped");
    assert!(error.is_cancelled(), "{error}");
    assert!(!place.path("dst").exists());
}

#[test]
fn data_can_be_forced_down() {
    let place = Place::new();
    let src = place.file("src", 1_000_000);
    for (flush, name) in [(Flush::Ordered, "ordered"), (Flush::Durable, "durable")] {
        let dst = place.path(name);
        let copier = Copier::new().flush(flush);
        copier.copy(&src, &dst).expect(name);
        same(&src, &dst);
    }
}
