//! What only Windows shows, on the volume that the temporary directory is on. The workflow runs it
//! on a Dev Drive (ReFS) and on NTFS; Wine runs what it can, and the rest says so.

#![cfg(windows)]

mod attributes;
mod names;

use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use copyist::error::{Cause, Refusal};
use copyist::options::{Force, Preserve};
use copyist::probe::{How, Probe};
use copyist::report::{FsKind, Known};
use copyist::{CancelToken, Copier, Event, Method, Observer, Report};
use copyist_sys::windows::{self as sys, constants as c};
use tempfile::TempDir;

/// The filesystem that the workflow says that it has made.
const EXPECTED: &str = "COPYIST_EXPECTED_FS";

/// Says that Wine can't run a test, and why.
fn beyond_wine(test: &str, why: &str) -> bool {
    let is_wine = sys::is_wine();
    if is_wine {
        println!("beyond Wine: {test}: {why}");
    }
    is_wine
}

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content(bytes)).expect("a file");
        path
    }
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 31 % 251) as u8 | 1).collect()
}

fn kind(place: &Path) -> FsKind {
    Probe::volume(place).expect("a probe").dst.kind
}

/// Opened such that its attributes can be set.
fn to_set(path: &Path) -> File {
    let rights = c::FILE_READ_ATTRIBUTES | c::FILE_WRITE_ATTRIBUTES | c::FILE_WRITE_DATA;
    let mut options = OpenOptions::new();
    options.access_mode(rights).custom_flags(0x0200_0000); // FILE_FLAG_BACKUP_SEMANTICS: directories
    options.open(path).expect("opened to set its attributes")
}

fn set_attributes(path: &Path, attributes: u32) {
    sys::set_attributes(to_set(path), attributes).expect("attributes");
}

fn attributes(path: &Path) -> u32 {
    fs::symlink_metadata(path)
        .expect("metadata")
        .file_attributes()
}

fn archive() -> Copier {
    Copier::new().preserve(Preserve::ARCHIVE)
}

fn by(method: Method) -> Copier {
    Copier::new().methods([method])
}

fn only_method(report: &Report) -> Method {
    report.method().expect("a method that finished")
}

#[test]
fn the_volume_is_what_the_workflow_made() {
    let place = Place::new();
    let probe = Probe::volume(place.0.path()).expect("a probe");
    if let Ok(expected) = std::env::var(EXPECTED) {
        assert_eq!(probe.dst.kind.name(), expected.to_lowercase());
    }
    assert!(probe.dst.block_bytes.is_power_of_two(), "{probe:?}");
}

#[test]
fn each_method_copies_what_is_there() {
    let place = Place::new();
    for size in [1, 4095, 4096, 100_000, 9 << 20, (9 << 20) + 123] {
        let src = place.file("src", size);
        for method in [Method::SystemCopy, Method::Direct, Method::ReadWrite] {
            let dst = place.path("dst");
            let report = by(method).copy(&src, &dst).expect("a copy");
            assert_eq!(only_method(&report), method);
            assert_eq!(report.bytes(), size as u64, "{method}");
            assert!(
                fs::read(&dst).expect("the copy") == content(size),
                "{method} {size}"
            );
            fs::remove_file(dst).expect("removed");
        }
    }
}

#[test]
fn files_are_cloned_where_the_volume_clones() {
    let place = Place::new();
    let src = place.file("src", (5 << 20) + 77);
    if kind(place.0.path()) != FsKind::Refs {
        if !beyond_wine("files_are_cloned_where_the_volume_clones", "it has no ReFS") {
            println!("not run: this volume is not ReFS");
        }
        let probe = Probe::volume(place.0.path()).expect("a probe");
        assert_eq!(
            probe.method(Method::Clone).map(|it| it.known),
            Some(Known::No)
        );
        let refused = by(Method::Clone).copy(&src, place.path("dst"));
        assert!(refused.is_err() && !place.path("dst").exists());
        return;
    }
    let probe = Probe::volume(place.0.path()).expect("a probe");
    let clone = probe.method(Method::Clone).expect("a method of Windows");
    assert_eq!(
        (clone.known, clone.how),
        (Known::Yes, How::Tried),
        "{clone:?}"
    );
    for (name, sparse) in [("plain", false), ("sparse", true)] {
        if sparse {
            sys::set_sparse(to_set(&src), true).expect("sparse");
        }
        let dst = place.path(name);
        let report = Copier::new().copy(&src, &dst).expect("a clone");
        assert_eq!(only_method(&report), Method::Clone, "{report:?}");
        assert_eq!(report.cloned(), (5 << 20) + 77);
        assert!(fs::read(&dst).expect("the copy") == content((5 << 20) + 77));
        let is_sparse = attributes(&dst) & c::FILE_ATTRIBUTE_SPARSE_FILE != 0;
        assert_eq!(is_sparse, sparse);
        let shared = copyist::measure::shared_bytes(&src, &dst).expect("the volume tells");
        assert_eq!(shared, (5 << 20) + 77, "{name}");
    }
}

/// Cancels as soon as it hears of bytes.
struct CancelsAt {
    token: CancelToken,
    heard: AtomicU64,
}

impl Observer for CancelsAt {
    fn event(&self, event: Event<'_>) {
        if let Event::Bytes(bytes) = event {
            self.heard.fetch_add(bytes, Ordering::Relaxed);
            self.token.cancel();
        }
    }
}

#[test]
fn a_system_copy_tells_of_its_progress_and_can_be_cancelled() {
    if beyond_wine(
        "a_system_copy_tells_of_its_progress_and_can_be_cancelled",
        "its CopyFileExW never calls back, and ignores the flag",
    ) {
        return;
    }
    let place = Place::new();
    let src = place.file("src", 64 << 20);
    let token = CancelToken::new();
    let observer = Arc::new(CancelsAt {
        token: token.clone(),
        heard: AtomicU64::new(0),
    });
    let copier = by(Method::SystemCopy)
        .observer(observer.clone())
        .cancel_token(token);
    let error = copier.copy(&src, place.path("dst")).expect_err("cancelled");
    assert!(error.is_cancelled(), "{error}");
    assert!(observer.heard.load(Ordering::Relaxed) < 64 << 20);
    assert!(!place.path("dst").exists(), "a part of it is left");
}

#[test]
fn what_was_read_and_written_shares_nothing() {
    if beyond_wine(
        "what_was_read_and_written_shares_nothing",
        "it doesn't tell where data lies",
    ) {
        return;
    }
    let place = Place::new();
    let (src, dst) = (place.file("src", 3 << 20), place.path("dst"));
    by(Method::ReadWrite).copy(&src, &dst).expect("a copy");
    assert_eq!(copyist::measure::shared_bytes(&src, &dst).expect("told"), 0);
    assert_eq!(
        copyist::measure::shared_bytes(&src, &src).expect("told"),
        3 << 20
    );
    // Data that lies beside the attributes, and none at all.
    for size in [0, 10] {
        let (src, dst) = (place.file("src", size), place.file("dst", size));
        assert_eq!(copyist::measure::shared_bytes(&src, &dst).expect("told"), 0);
    }
}

#[test]
fn files_of_a_walk_have_the_numbers_that_they_have() {
    // In a walk a file's number is asked in another way than by its path: if the two differed, a
    // hard link would be copied twice, and a file onto itself.
    let place = Place::new();
    fs::create_dir_all(place.path("dir/inner")).expect("directories");
    place.file("dir/inner/file", 100);
    fs::hard_link(place.path("dir/inner/file"), place.path("dir/other")).expect("a link");
    let summary = archive()
        .copy_tree(place.path("dir"), place.path("dst"))
        .expect("a copy");
    assert_eq!((summary.files, summary.links), (1, 1));
    // The copy's names, by path; then each over itself.
    let id = |name: &str| sys::file_id(File::open(place.path(name)).expect(name)).expect("an id");
    assert_eq!(id("dst/inner/file"), id("dst/other"));
    fs::remove_file(place.path("dst/other")).expect("removed");
    fs::hard_link(place.path("dir/other"), place.path("dst/other")).expect("a link");
    let error = Copier::new()
        .copy_tree(place.path("dir"), place.path("dst"))
        .expect_err("one is itself");
    assert!(error.to_string().contains("other"), "{error}");
    assert_eq!(
        fs::read(place.path("dst/other")).expect("kept"),
        content(100)
    );
}

#[test]
fn a_lock_keeps_out_who_locks_and_nobody_else() {
    let place = Place::new();
    let path = place.file("file", 100);
    let open = || File::options().read(true).write(true).open(&path);
    let (one, other) = (open().expect("opened"), open().expect("opened"));
    assert_eq!(sys::lock(&one), Ok(true));
    assert_eq!(sys::lock(&other), Ok(false));
    let mut buffer = [0; 200];
    assert_eq!(sys::read(&other, Some(0), &mut buffer), Ok(100));
    assert_eq!(sys::write(&other, Some(50), &[1; 100]), Ok(100));
    assert_eq!(sys::set_end_of_file(&other, 10), Ok(()));
    drop(one);
    assert_eq!(sys::lock(&other), Ok(true));
    drop(other);
    // Who may only read it can lock it too.
    let reader = File::open(&path).expect("opened");
    assert_eq!(sys::lock(&reader), Ok(true));
}

#[test]
fn a_file_in_use_is_told_of() {
    let place = Place::new();
    let src = place.file("src", 100);
    let user = OpenOptions::new()
        .read(true)
        .share_mode(0)
        .open(&src)
        .expect("opened alone");
    let error = Copier::new()
        .copy(&src, place.path("dst"))
        .expect_err("in use");
    assert_eq!(
        error.code_name(),
        Some("ERROR_SHARING_VIOLATION"),
        "{error}"
    );
    assert!(error.to_string().contains("src"), "{error}");
    assert!(!place.path("dst").exists());
    drop(user);
    // Somebody who lets others write is in nobody's way.
    let user = OpenOptions::new().write(true).open(&src).expect("opened");
    Copier::new().copy(&src, place.path("dst")).expect("a copy");
    drop(user);
}

#[test]
fn a_read_only_destination_is_replaced_only_by_force() {
    let place = Place::new();
    let src = place.file("src", 100);
    let dst = place.file("dst", 5);
    set_attributes(&dst, c::FILE_ATTRIBUTE_READONLY);
    if OpenOptions::new().write(true).open(&dst).is_ok() {
        assert!(beyond_wine(
            "a_read_only_destination_is_replaced_only_by_force",
            "to root nothing is read-only there",
        ));
        return;
    }
    let error = Copier::new().copy(&src, &dst).expect_err("refused");
    assert_eq!(error.code_name(), Some("ERROR_ACCESS_DENIED"), "{error}");
    Copier::new()
        .force(Force::IfNeeded)
        .copy(&src, &dst)
        .expect("a copy");
    assert_eq!(fs::read(&dst).expect("the copy"), content(100));
}

#[test]
fn a_copy_that_can_t_be_made_leaves_nothing() {
    let place = Place::new();
    let src = place.path("missing");
    let error = Copier::new()
        .copy(&src, place.path("dst"))
        .expect_err("no source");
    assert_eq!(error.code_name(), Some("ERROR_FILE_NOT_FOUND"), "{error}");
    let src = place.file("src", 10);
    let error = Copier::new()
        .copy(&src, place.path("no/such/dst"))
        .expect_err("no directory");
    assert_eq!(error.code_name(), Some("ERROR_PATH_NOT_FOUND"), "{error}");
}

#[test]
fn a_tree_is_copied_with_all_that_is_in_it() {
    let place = Place::new();
    let src = place.path("src");
    for dir in 0..20 {
        fs::create_dir_all(src.join(format!("{dir}/inner"))).expect("directories");
        for file in 0..20 {
            let size = file * 977 + dir;
            fs::write(src.join(format!("{dir}/inner/{file}")), content(size)).expect("a file");
        }
    }
    let summary = archive()
        .copy_tree(&src, place.path("dst"))
        .expect("a copy");
    assert_eq!((summary.files, summary.dirs, summary.errors), (400, 41, 0));
    for dir in 0..20 {
        for file in 0..20 {
            let path = format!("{dir}/inner/{file}");
            let (src, dst) = (src.join(&path), place.path("dst").join(&path));
            assert!(
                fs::read(&src).expect("a file") == fs::read(&dst).expect("a copy"),
                "{path}"
            );
            let time = |path| fs::metadata(path).expect("metadata").last_write_time();
            assert_eq!(time(&src), time(&dst), "{path}");
        }
        let time = |dir: &Path| fs::metadata(dir).expect("metadata").last_write_time();
        let inner = format!("{dir}/inner");
        assert_eq!(
            time(&src.join(&inner)),
            time(&place.path("dst").join(&inner))
        );
    }
    // Into itself.
    let error = archive()
        .copy_tree(&src, src.join("0/again"))
        .expect_err("refused");
    assert_eq!(
        error.first().cause(),
        &Cause::Refused(Refusal::IntoItself),
        "{error}"
    );
}
