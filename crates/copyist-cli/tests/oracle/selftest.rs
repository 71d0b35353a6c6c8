//! The oracle must be able to fail: planted differences in trees, and programs that copy wrongly.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chownat, lsetxattr,
    openat, utimensat,
};

use crate::oracle::harness::{Settings, now, play_case, work_in};
use crate::oracle::make::make;
use crate::oracle::plan::{Plan, Time, What};
use crate::oracle::random::sparse_file;
use crate::oracle::remove::Scratch;
use crate::oracle::run::Program;
use crate::oracle::snapshot::{Snapshot, Window, take};
use crate::oracle::{Fallible, acl, case, diff};

/// A time that no test runs in.
const FUTURE: i64 = 10_000_000_000;

/// A small tree in which each kind of difference can be planted.
fn small_plan() -> Plan {
    let mut plan = Plan::default();
    let dir = plan.push(None, b"dir", What::Dir);
    let file = plan.push(Some(dir), b"file", sparse_file(7));
    plan.nodes[file].xattrs = vec![
        ("user.note", b"one".to_vec()),
        (acl::ACCESS, acl::sample(1)),
    ];
    plan.nodes[file].accessed = Time {
        sec: FUTURE,
        nsec: 0,
    };
    plan.push(Some(dir), b"other", sparse_file(8));
    plan.push(Some(dir), b"second name", What::HardLink(file));
    plan.push(Some(dir), b"link", What::Symlink(b"file".to_vec()));
    plan.push(Some(dir), b"pipe", What::Fifo);
    plan
}

fn picture(root: &Path) -> Fallible<Snapshot> {
    let fd = openat(
        CWD,
        root,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    Ok(take(
        fd,
        Window {
            from: now() - 100,
            to: now() + 100,
        },
    )?)
}

fn planted(plant: impl Fn(&Path) -> Fallible<()>) -> Fallible<String> {
    let scratch = Scratch::new(&std::env::temp_dir())?;
    let fd = openat(
        CWD,
        scratch.path(),
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    make(&fd, &small_plan())?;
    let before = picture(scratch.path())?;
    plant(&scratch.path().join("dir"))?;
    Ok(diff::differences(&before, &picture(scratch.path())?, now()).join("\n"))
}

fn set_times(path: &Path, accessed: i64, modified: (i64, i64)) -> Fallible<()> {
    let last_access = Timespec {
        tv_sec: accessed,
        tv_nsec: 0,
    };
    let last_modification = Timespec {
        tv_sec: modified.0,
        tv_nsec: modified.1,
    };
    let times = Timestamps {
        last_access,
        last_modification,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Writes `bytes` over a part of the file without a trace in its times.
fn overwrite(path: &Path, offset: u64, bytes: &[u8]) -> Fallible<()> {
    use std::os::unix::fs::FileExt;
    std::fs::File::options()
        .write(true)
        .open(path)?
        .write_all_at(bytes, offset)?;
    set_times(path, FUTURE, (1_234_567_890, 0))
}

/// Plants a difference in a directory.
type Plant = fn(&Path) -> Fallible<()>;

const PLANTS: &[(&str, Plant)] = &[
    ("", |_| Ok(())),
    ("mtime", |dir| {
        set_times(&dir.join("file"), FUTURE, (1_234_567_890, 1))
    }),
    ("mtime", |dir| {
        set_times(&dir.join("link"), FUTURE, (1_234_567_891, 0))
    }),
    ("atime", |dir| {
        set_times(&dir.join("file"), FUTURE + 1, (1_234_567_890, 0))
    }),
    ("mode", |dir| {
        Ok(std::fs::set_permissions(
            dir.join("pipe"),
            PermissionsExt::from_mode(0o645),
        )?)
    }),
    ("content hash", |dir| {
        overwrite(&dir.join("file"), 512 << 10, b"!")
    }),
    ("hole bytes", |dir| {
        overwrite(&dir.join("other"), 0, &[0; 512 << 10])
    }),
    ("size", |dir| {
        Ok(std::fs::File::options()
            .write(true)
            .open(dir.join("file"))?
            .set_len((3 << 20) + 1)?)
    }),
    ("missing", |dir| Ok(std::fs::remove_file(dir.join("pipe"))?)),
    ("does not have", |dir| {
        Ok(std::fs::create_dir(dir.join("new\nname"))?)
    }),
    ("hard links", |dir| {
        std::fs::remove_file(dir.join("second name"))?;
        Ok(std::fs::copy(dir.join("file"), dir.join("second name")).map(drop)?)
    }),
    ("target", |dir| {
        std::fs::remove_file(dir.join("link"))?;
        Ok(symlink("other", dir.join("link"))?)
    }),
    ("type", |dir| {
        std::fs::remove_file(dir.join("pipe"))?;
        Ok(std::fs::write(dir.join("pipe"), "")?)
    }),
];

const ATTRIBUTE_PLANTS: &[(&str, Plant)] = &[
    ("xattr user.note", |dir| {
        Ok(lsetxattr(
            dir.join("file"),
            "user.note",
            b"two",
            XattrFlags::empty(),
        )?)
    }),
    ("xattr user.more", |dir| {
        Ok(lsetxattr(
            dir.join("file"),
            "user.more",
            b"",
            XattrFlags::empty(),
        )?)
    }),
    (acl::ACCESS, |dir| {
        Ok(lsetxattr(
            dir.join("file"),
            acl::ACCESS,
            &acl::sample(99),
            XattrFlags::empty(),
        )?)
    }),
    ("owner", |dir| {
        Ok(chownat(
            CWD,
            dir.join("link"),
            Some(Uid::from_raw(1)),
            Some(Gid::ROOT),
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }),
];

#[test]
fn planted_differences_are_seen() -> Fallible<()> {
    let is_root = rustix::process::geteuid().is_root();
    let attributes = if is_root { ATTRIBUTE_PLANTS } else { &[] };
    for (expected, plant) in PLANTS.iter().chain(attributes) {
        let found = planted(plant)?;
        assert!(
            found.contains(expected),
            "{expected} was planted; found: {found}"
        );
        assert!(
            !expected.is_empty() || found.is_empty(),
            "nothing was planted; found: {found}"
        );
    }
    Ok(())
}

#[test]
fn a_seed_makes_the_same_tree_twice() -> Fallible<()> {
    let mut pictures = Vec::new();
    let scratch = Scratch::new(&std::env::temp_dir())?;
    for _ in 0..2 {
        let work = work_in(&scratch);
        std::fs::create_dir(&work)?;
        let fd = openat(
            CWD,
            &work,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        make(&fd, &case::make_complete(3, &work, true).plan)?;
        pictures.push(picture(&work)?);
        crate::oracle::remove::remove_tree(&work)?;
    }
    assert_eq!(
        diff::differences(&pictures[0], &pictures[1], now()),
        Vec::<String>::new()
    );
    Ok(())
}

/// Programs that are not quite cp, and what must be found out about each.
const WRONG: &[(&str, &str)] = &[
    ("mtime", "exec cp -r src dst"),
    ("mtime", "cp \"$@\"; rc=$?; touch dst; exit $rc"),
    ("hard links", "exec cp \"$@\" --no-preserve=links"),
    ("xattr user.note", "exec cp \"$@\" --no-preserve=xattr"),
    ("mode", "exec cp \"$@\" --no-preserve=mode"),
    (
        "hole bytes",
        "exec cp \"$@\" --sparse=never --reflink=never",
    ),
    (
        "content hash",
        "cp \"$@\"; rc=$?; find dst -type f -size 5c -exec sh -c 'printf other >\"$0\"' {} \\;; exit $rc",
    ),
    (
        "missing",
        "cp \"$@\"; rc=$?; find src -type f -size 5c -delete; exit $rc",
    ),
    (
        "does not have",
        "cp \"$@\"; rc=$?; : >dst/left-behind; exit $rc",
    ),
    ("ending", "cp \"$@\"; exit 3"),
    ("signal", "cp \"$@\"; kill -9 $$"),
    (
        "ours complains",
        "cp \"$@\"; rc=$?; echo oops >&2; exit $rc",
    ),
    ("hang", "exec sleep 20"),
];

#[test]
fn wrong_programs_are_found_out() -> Fallible<()> {
    let scratch = Scratch::new(&std::env::temp_dir())?;
    let work = work_in(&scratch);
    let case = case::make_complete(4, &work, false);
    let path = scratch.path().join("wrong-cp");
    for (expected, script) in WRONG {
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        let made = Command::new("chmod").arg("755").arg(&path).status()?;
        assert!(made.success());
        let program = Program {
            path: path.clone(),
            is_ours: false,
        };
        let mut settings = Settings::from_env("selftest", 1);
        if *expected == "hang" {
            settings.limit = Duration::from_secs(1);
        }
        let (text, _) = play_case(&settings, &program, &case, &work)?;
        assert!(
            text.contains(expected),
            "`{script}`: {expected} was not found out:\n{text}"
        );
    }
    let (text, _) = play_case(
        &Settings::from_env("selftest", 1),
        &Program::gnu(),
        &case,
        &work,
    )?;
    assert!(text.is_empty(), "GNU cp differs from itself:\n{text}");
    Ok(())
}
