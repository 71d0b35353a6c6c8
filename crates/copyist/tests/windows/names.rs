//! Names and links, of every kind that Windows has.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;

use copyist::Copier;
use copyist::error::{Cause, Refusal};
use copyist_sys::windows::{self as sys, constants as c};

use super::{Place, archive, attributes, beyond_wine, content};

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
