//! What only Windows shows, on the volume that the temporary directory is on. The workflow runs it
//! on a Dev Drive (ReFS) and on NTFS; Wine runs what it can, and the rest says so.

#![cfg(windows)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use copyist::{
    CancelToken, Cause, Copier, Event, Force, FsKind, Method, Observer, Options, Preserve, Probe,
    Refusal, Report, Sparse,
};
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
        let refused = by(Method::Clone).copy(&src, place.path("dst"));
        assert!(refused.is_err() && !place.path("dst").exists());
        return;
    }
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
fn times_are_kept_to_100_ns() {
    let place = Place::new();
    let src = place.file("src", 100);
    let times = sys::BasicTimes {
        created: 132_000_000_000_000_001,
        accessed: 132_100_000_000_000_003,
        written: 132_200_000_000_000_007,
    };
    for method in [Method::SystemCopy, Method::ReadWrite] {
        // The copy before has read it.
        sys::set_times(to_set(&src), times).expect("times");
        let dst = place.path(method.name());
        archive()
            .methods([method])
            .copy(&src, &dst)
            .expect("a copy");
        let now = fs::metadata(&dst).expect("metadata");
        assert_eq!(now.last_write_time(), 132_200_000_000_000_007);
        assert_eq!(now.last_access_time(), 132_100_000_000_000_003);
        if !sys::is_wine() {
            assert_eq!(now.creation_time(), 132_000_000_000_000_001);
        }
    }
    beyond_wine("times_are_kept_to_100_ns", "it keeps no time of creation");
}

#[test]
fn attributes_are_kept() {
    let place = Place::new();
    let src = place.file("src", 100);
    let wanted = c::FILE_ATTRIBUTE_HIDDEN | c::FILE_ATTRIBUTE_READONLY;
    set_attributes(&src, wanted);
    let mask = wanted | c::FILE_ATTRIBUTE_SYSTEM | c::FILE_ATTRIBUTE_ARCHIVE;
    let hides = attributes(&src) & c::FILE_ATTRIBUTE_HIDDEN != 0;
    for method in [Method::SystemCopy, Method::ReadWrite] {
        for (name, copier) in [("plain", Copier::new()), ("archive", archive())] {
            let dst = place.path(&format!("{name}-{method}"));
            copier.methods([method]).copy(&src, &dst).expect("a copy");
            let now = attributes(&dst) & mask;
            assert_ne!(now & c::FILE_ATTRIBUTE_READONLY, 0, "{name} {method}");
            if hides {
                assert_ne!(now & c::FILE_ATTRIBUTE_HIDDEN, 0, "{name} {method}");
            }
            set_attributes(&dst, c::FILE_ATTRIBUTE_NORMAL);
        }
    }
    set_attributes(&src, c::FILE_ATTRIBUTE_NORMAL);
    assert!(hides || sys::is_wine());
}

#[test]
fn streams_are_kept() {
    if beyond_wine("streams_are_kept", "it doesn't list streams") {
        return;
    }
    let place = Place::new();
    for size in [100, 300_000] {
        let src = place.file("src", size);
        fs::write(
            place.path("src:Zone.Identifier"),
            b"[ZoneTransfer]\r\nZoneId=3\r\n",
        )
        .expect("a stream");
        fs::write(place.path("src:large"), content(200_000)).expect("a stream");
        for method in [Method::SystemCopy, Method::ReadWrite] {
            let name = format!("{method}-{size}");
            by(method).copy(&src, place.path(&name)).expect("a copy");
            let stream = |stream: &str| fs::read(place.path(&format!("{name}:{stream}")));
            assert_eq!(stream("Zone.Identifier").expect("kept").len(), 26);
            assert!(stream("large").expect("kept") == content(200_000));
        }
    }
}

#[test]
fn lists_and_owners_are_kept_if_asked_for() {
    let place = Place::new();
    let src = place.file("src", 100);
    let read = |path: &Path, part| {
        let rights = c::READ_CONTROL | c::FILE_READ_ATTRIBUTES;
        let file = OpenOptions::new()
            .access_mode(rights)
            .open(path)
            .expect("opened");
        let mut value = Vec::new();
        sys::security(&file, part, &mut value).expect("a descriptor");
        value
    };
    let dst = place.path("dst");
    archive().copy(&src, &dst).expect("a copy");
    for part in [sys::Security::AccessList, sys::Security::Owner] {
        assert_eq!(read(&src, part), read(&dst, part), "{part:?}");
    }
}

#[test]
fn holes_are_kept() {
    if beyond_wine("holes_are_kept", "it has no sparse files") {
        return;
    }
    let place = Place::new();
    let src = place.path("src");
    fs::write(&src, b"start").expect("a file");
    let file = to_set(&src);
    sys::set_sparse(&file, true).expect("sparse");
    file.set_len(32 << 20).expect("a length");
    drop(file);
    let data = |path: &Path| {
        let file = File::open(path).expect("opened");
        let first = sys::allocated_ranges(&file, 0, 32 << 20)
            .expect("ranges")
            .expect("data");
        first.offset + first.len
    };
    for method in [Method::SystemCopy, Method::ReadWrite] {
        let dst = place.path(method.name());
        // An older Windows has no way to copy holes by its own copier.
        let copied = by(method).copy(&src, &dst);
        if copied.is_err() && method == Method::SystemCopy && sys::version().1 < 22_621 {
            continue;
        }
        copied.expect("a copy");
        assert_ne!(attributes(&dst) & c::FILE_ATTRIBUTE_SPARSE_FILE, 0);
        assert!(data(&dst) < 1 << 20, "{method}: {}", data(&dst));
    }
    let dst = place.path("filled");
    Copier::new()
        .sparse(Sparse::Never)
        .copy(&src, &dst)
        .expect("a copy");
    assert_eq!(data(&dst), 32 << 20);
}

#[test]
fn links_are_not_followed() {
    let place = Place::new();
    fs::create_dir_all(place.path("src/inner")).expect("directories");
    place.file("src/inner/file", 10);
    place.file("outside", 10);
    let links = [
        ("src/to-file", place.path("outside"), false),
        ("src/to-dir", PathBuf::from("inner"), true),
    ];
    for (name, target, is_dir) in &links {
        let link = place.path(name);
        let made = if *is_dir {
            std::os::windows::fs::symlink_dir(target, &link)
        } else {
            std::os::windows::fs::symlink_file(target, &link)
        };
        if made.is_err() || fs::symlink_metadata(&link).is_err() {
            if !beyond_wine("links_are_not_followed", "it makes no symbolic links") {
                println!("not run: symbolic links may not be made: {made:?}");
            }
            return;
        }
    }
    let junction = std::process::Command::new("cmd")
        .args(["/c", "mklink", "/J"])
        .arg(place.path("src/junction"))
        .arg(place.path("src/inner"))
        .output()
        .expect("mklink");
    assert!(junction.status.success(), "{junction:?}");
    let summary = archive()
        .copy_tree(place.path("src"), place.path("dst"))
        .expect("a copy");
    assert_eq!((summary.files, summary.symlinks, summary.dirs), (1, 3, 2));
    for (name, target, is_dir) in links {
        let link = place.path(&name.replace("src", "dst"));
        assert_eq!(fs::read_link(&link).expect("a link"), target);
        let has = attributes(&link) & c::FILE_ATTRIBUTE_DIRECTORY != 0;
        assert_eq!(has, is_dir, "{name}");
    }
    let copied = fs::read_link(place.path("dst/junction")).expect("a junction");
    assert_eq!(
        copied,
        fs::read_link(place.path("src/junction")).expect("a junction")
    );
}

#[test]
fn hard_links_are_kept() {
    let place = Place::new();
    fs::create_dir(place.path("src")).expect("a directory");
    place.file("src/one", 1000);
    fs::hard_link(place.path("src/one"), place.path("src/two")).expect("a link");
    let summary = archive()
        .copy_tree(place.path("src"), place.path("dst"))
        .expect("a copy");
    assert_eq!((summary.files, summary.links), (1, 1));
    let id = |name: &str| sys::file_id(File::open(place.path(name)).expect(name)).expect("an id");
    assert_eq!(id("dst/one"), id("dst/two"));
    assert_ne!(id("dst/one"), id("src/one"));
}

#[test]
fn long_paths_need_nothing_special() {
    let place = Place::new();
    let src = place.path("src");
    // std makes them by its own `\\?\`.
    let mut deep = src.clone();
    for n in 0..8 {
        deep.push(format!("{n}-{}", "d".repeat(100)));
    }
    fs::create_dir_all(&deep).expect("directories");
    fs::write(deep.join("file"), content(5000)).expect("a file");
    fs::write(deep.join("large"), content(500_000)).expect("a file");
    assert!(deep.as_os_str().len() > 800);
    archive()
        .copy_tree(&src, place.path("dst"))
        .expect("a copy");
    let copied = place
        .path("dst")
        .join(deep.strip_prefix(&src).expect("below"));
    assert!(fs::read(copied.join("file")).expect("the copy") == content(5000));
    assert!(fs::read(copied.join("large")).expect("the copy") == content(500_000));
    // Named as an operand too.
    Copier::new()
        .copy(copied.join("file"), deep.join("back"))
        .expect("a copy");
    assert!(deep.join("back").exists());
}

#[test]
fn names_that_win32_would_change_are_copied_as_they_are() {
    let place = Place::new();
    let root = fs::canonicalize(place.0.path()).expect("a path that begins with \\\\?\\");
    fs::create_dir(root.join("src")).expect("a directory");
    let names = ["con", "aux.txt", "a.", "b ", "nul.c"];
    for (n, name) in names.iter().enumerate() {
        let size = if n == 0 { 300_000 } else { 10 };
        fs::write(root.join("src").join(name), content(size)).expect(name);
    }
    archive()
        .copy_tree(root.join("src"), root.join("dst"))
        .expect("a copy");
    for name in names {
        let copy = fs::read(root.join("dst").join(name)).expect(name);
        assert!(!copy.is_empty());
    }
}

#[test]
fn names_that_are_no_text_are_kept() {
    let place = Place::new();
    fs::create_dir(place.path("src")).expect("a directory");
    let name = OsString::from_wide(&[0x6f, 0xd800, 0x78]);
    let Ok(()) = fs::write(place.path("src").join(&name), content(70_000)) else {
        assert!(beyond_wine(
            "names_that_are_no_text_are_kept",
            "its names are UTF-8"
        ));
        return;
    };
    archive()
        .copy_tree(place.path("src"), place.path("dst"))
        .expect("a copy");
    assert!(fs::read(place.path("dst").join(&name)).expect("the copy") == content(70_000));
}

#[test]
fn a_file_in_other_case_is_itself() {
    let place = Place::new();
    let src = place.file("name", 100);
    let error = Copier::new()
        .copy(&src, place.path("NAME"))
        .expect_err("refused");
    assert_eq!(error.cause(), &Cause::Refused(Refusal::SameFile), "{error}");
    assert_eq!(fs::read(src).expect("the source"), content(100));
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
    let options = Options {
        force: Force::IfNeeded,
        ..Options::default()
    };
    Copier::with_options(options)
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
        error.cause(),
        &Cause::Refused(Refusal::IntoItself),
        "{error}"
    );
}
