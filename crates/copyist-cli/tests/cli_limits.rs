//! Limits of the system within which copyist works.

#![cfg(unix)]

#[path = "oracle/remove.rs"]
#[allow(dead_code)] // it is the oracle's
mod remove;

mod cli;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cli::{Ran, Scratch, run};
use rustix::fs::{Mode, OFlags, mkdirat, openat, statat};

/// Runs `cp` in a shell that has set a limit.
fn limited(scratch: &Scratch, limit: &str, arguments: &[&str]) -> Ran {
    let mut shell = Command::new("sh");
    shell
        .current_dir(&scratch.0)
        .args(["-c", &format!(r#"{limit} && exec "$0" cp "$@""#)])
        .arg(env!("CARGO_BIN_EXE_copyist"))
        .args(arguments)
        .env("LC_ALL", "C");
    run(&mut shell, "")
}

fn open_dir(dir: &impl std::os::fd::AsFd, name: &str) -> OwnedFd {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty()).expect(name)
}

/// A chain of so many directories called `name`, with a file in each that `has_file` wants.
fn make_deep(root: &Path, name: &str, levels: u32, has_file: impl Fn(u32) -> bool) {
    fs::create_dir(root).expect("a directory");
    let mut here: OwnedFd = File::open(root).expect("the directory").into();
    for level in 0..levels {
        mkdirat(&here, name, Mode::from_raw_mode(0o755)).expect("a directory");
        here = open_dir(&here, name);
        if has_file(level) {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
            let file = openat(&here, "file", flags, Mode::from_raw_mode(0o644)).expect("a file");
            let mut file = File::from(file);
            write!(file, "level {level}").expect("written");
        }
    }
}

/// The number of levels of the same chain elsewhere, each of whose files was right.
fn measure_deep(root: &Path, name: &str, has_file: impl Fn(u32) -> bool) -> u32 {
    let mut here: OwnedFd = File::open(root).expect("the directory").into();
    let mut level = 0;
    while statat(&here, name, rustix::fs::AtFlags::empty()).is_ok() {
        here = open_dir(&here, name);
        if has_file(level) {
            let file = openat(&here, "file", OFlags::RDONLY, Mode::empty()).expect("a file");
            let mut content = String::new();
            let read = File::from(file).read_to_string(&mut content);
            read.expect("read");
            assert_eq!(content, format!("level {level}"));
        }
        level += 1;
    }
    level
}

/// 10,000 levels, and 64 open files: directories are closed on the way down, and opened again on the
/// way back.
#[test]
fn a_tree_is_deeper_than_there_are_descriptors() {
    let scratch = Scratch::new();
    let has_file = |level| level % 100 == 7;
    make_deep(&scratch.path("deep"), "d", 10_000, has_file);
    let copy = scratch.path("copy");
    limited(&scratch, "ulimit -n 64", &["-a", "deep", "copy"]).is(0, "", "");
    assert_eq!(measure_deep(&copy, "d", has_file), 10_000);
    remove::remove_tree(&copy).expect("removed");
    remove::remove_tree(&scratch.path("deep")).expect("removed");
}

/// One worker is held up by a FIFO while the other goes down alone, to a FIFO too; then the first does
/// what was left on the way, from the bottom up, where nothing is above it that it could close.
#[test]
fn what_was_left_above_is_done_with_few_descriptors() {
    const LEVELS: usize = 120;
    let scratch = Scratch::new();
    let top = |tree: &str| scratch.path(tree);
    let levels = |tree: &str| {
        let below = |dir: &PathBuf| Some(dir.join("down"));
        std::iter::successors(Some(top(tree)), below).take(LEVELS)
    };
    for dir in levels("deep") {
        fs::create_dir(&dir).expect("a directory");
        for n in 0..8 {
            fs::write(dir.join(format!("{n}")), format!("{dir:?} {n}")).expect("a file");
        }
    }
    fs::create_dir(scratch.path("first")).expect("a directory");
    fs::create_dir(scratch.path("copy")).expect("a directory");
    let bottom = |tree: &str| levels(tree).last().expect("levels").join("fifo");
    let fifo = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.expect("mkfifo").success());
        let both = File::options().read(true).write(true).open(path);
        both.expect("a FIFO whose end does not come")
    };
    let (first, second) = (fifo(&top("first/fifo")), fifo(&bottom("deep")));
    let deadline = Instant::now() + Duration::from_secs(30);
    let wait_for = |what: &dyn Fn() -> bool| {
        while !what() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let copies = || {
        let above = levels("copy/deep").take(LEVELS - 1);
        let files = above.map(|dir| fs::read_dir(dir).into_iter().flatten().count());
        files.sum::<usize>()
    };
    let options = ["-r", "--copy-contents", "--jobs=2", "first", "deep", "copy"];
    let ran = std::thread::scope(|scope| {
        let copying = scope.spawn(|| limited(&scratch, "ulimit -n 64", &options));
        wait_for(&|| levels("copy/deep").all(|dir| dir.exists()));
        drop(first);
        wait_for(&|| copies() == 9 * (LEVELS - 1)); // eight files each, and a directory
        drop(second);
        copying.join().expect("it ends")
    });
    ran.is(0, "", "");
    for (dir, copy) in levels("deep").zip(levels("copy/deep")) {
        for n in 0..8 {
            let content = fs::read_to_string(copy.join(format!("{n}"))).expect("a copy");
            assert_eq!(content, format!("{dir:?} {n}"));
        }
    }
}

/// Wide at each level too, with hard links from one end to the other: what was not read of a
/// directory when it was closed is copied all the same.
#[test]
fn closed_directories_lose_nothing() {
    let scratch = Scratch::new();
    let mut path = scratch.path("deep");
    let first = scratch.write("deep/first", "linked");
    for level in 0..60 {
        path.push("down");
        fs::create_dir(&path).expect("a directory");
        for n in 0..20 {
            fs::write(path.join(format!("{n}")), format!("{level} {n}")).expect("a file");
        }
        fs::hard_link(&first, path.join("link")).expect("a link");
    }
    // So that its names don't fit one read.
    let many = scratch.path("deep/down/many/down/down");
    fs::create_dir_all(&many).expect("directories");
    for n in 0..3000 {
        let name = format!("deep/down/many/a-name-that-is-rather-long-{n}");
        scratch.write(&name, "");
    }
    for options in [&["-a"][..], &["-av"], &["-a", "--jobs=8"]] {
        let mut arguments = options.to_vec();
        arguments.extend(["deep", "copy"]);
        let ran = limited(&scratch, "ulimit -n 40", &arguments);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{options:?}");
        let diff = Command::new("diff")
            .args(["-r", "deep", "copy"])
            .current_dir(&scratch.0)
            .status();
        assert!(diff.expect("diff").success(), "{options:?}");
        let links = fs::metadata(scratch.path("copy/first"))
            .expect("it")
            .nlink();
        assert_eq!(links, 61, "{options:?}");
        fs::remove_dir_all(scratch.path("copy")).expect("removed");
    }
}

#[test]
fn names_of_255_bytes_and_paths_beyond_any_limit_are_copied_and_told_whole() {
    let scratch = Scratch::new();
    let name = "n".repeat(255);
    let has_file = |level| level == 39;
    make_deep(&scratch.path("deep"), &name, 40, has_file);
    let ran = scratch.cp(&["-av", "deep", "copy"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    let whole = format!("{}file", format!("{name}/").repeat(40));
    let told = format!("'deep/{whole}' -> 'copy/{whole}'");
    assert!(ran.out.lines().any(|line| line == told));
    assert_eq!(measure_deep(&scratch.path("copy"), &name, has_file), 40);
    // A directory where a file is to be, as deep.
    make_deep(&scratch.path("other"), &name, 40, |_| false);
    let mut here: OwnedFd = File::open(scratch.path("other")).expect("it").into();
    for _ in 0..40 {
        here = open_dir(&here, &name);
    }
    mkdirat(&here, "file", Mode::from_raw_mode(0o755)).expect("a directory");
    let told = format!(
        "cp: cannot overwrite directory 'other/{whole}' with non-directory 'deep/{whole}'\n"
    );
    scratch.cp(&["-rT", "deep", "other"]).is(1, "", &told);
    for tree in ["deep", "copy", "other"] {
        remove::remove_tree(&scratch.path(tree)).expect("removed");
    }
}

/// It needs no more memory than a small directory.
#[test]
fn a_directory_of_many_entries_is_copied_in_little_memory() {
    let scratch = Scratch::new();
    let many: u32 = std::env::var("COPYIST_ENTRIES").map_or(30_000, |it| it.parse().expect("it"));
    fs::create_dir(scratch.path("many")).expect("a directory");
    for n in 0..many {
        File::create(scratch.path("many").join(format!("entry-{n}"))).expect("a file");
    }
    // Addresses, KiB: the program itself and its libraries, four threads, and little more.
    limited(&scratch, "ulimit -v 60000", &["-r", "many", "copy"]).is(0, "", "");
    let copied = fs::read_dir(scratch.path("copy"))
        .expect("a directory")
        .count();
    assert_eq!(copied, many as usize);
}

#[test]
fn a_sparse_file_of_1_tib_takes_no_longer_than_its_data() {
    const SIZE: u64 = 1 << 40;
    let scratch = Scratch::new();
    let file = File::create(scratch.path("sparse")).expect("a file");
    if let Err(error) = file.set_len(SIZE) {
        println!("not run: no file of 1 TiB here: {error}");
        return;
    }
    let places = [0, 3 << 30, SIZE - 5000];
    for place in places {
        file.write_all_at(&[9; 4500], place).expect("written");
    }
    for method in ["copy-range", "sendfile", "read-write"] {
        scratch
            .cp(&[&format!("--method={method},read-write"), "sparse", "copy"])
            .is(0, "", "");
        let mut copy = File::open(scratch.path("copy")).expect("the copy");
        let stat = copy.metadata().expect("it");
        assert_eq!(stat.len(), SIZE, "{method}");
        assert!(stat.blocks() < 1000, "{method}: {} blocks", stat.blocks());
        for place in places {
            let mut data = [0; 4500];
            copy.seek(SeekFrom::Start(place)).expect("there");
            copy.read_exact(&mut data).expect("read");
            assert_eq!(data, [9; 4500], "{method} at {place}");
        }
    }
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_copied() {
    let scratch = Scratch::new();
    for name in ["tree/a", "tree/closed", "tree/dir/in", "tree/shut/in"] {
        scratch.write(name, name);
    }
    let mode = |name: &str, mode| {
        fs::set_permissions(scratch.path(name), fs::Permissions::from_mode(mode)).expect(name);
    };
    mode("tree/closed", 0);
    mode("tree/shut", 0);
    let mut command = scratch.command();
    command.arg0("cp").args(["-r", "tree", "copy"]);
    if rustix::process::geteuid().is_root() {
        // The superuser may open everything, so the copy runs as nobody.
        mode(".", 0o777);
        command.uid(65534).gid(65534);
    }
    let ran = run(&mut command, "");
    let mut told: Vec<&str> = ran.err.lines().collect();
    told.sort_unstable();
    let expected = [
        "cp: cannot access 'tree/shut': Permission denied",
        "cp: cannot open 'tree/closed' for reading: Permission denied",
    ];
    assert_eq!((ran.code, &*told), (Some(1), &expected[..]));
    for name in ["a", "dir/in"] {
        assert_eq!(
            scratch.read(&format!("copy/{name}")),
            format!("tree/{name}")
        );
    }
    assert!(!scratch.path("copy/closed").exists());
    mode("tree/shut", 0o755);
    mode("copy/shut", 0o755);
}

/// A FIFO that has replaced a file is not waited for, and one in a tree is not written to.
#[test]
fn a_fifo_in_a_tree_is_not_waited_for() {
    let scratch = Scratch::new();
    scratch.write("tree/a", "a");
    scratch.write("tree/b", "b");
    fs::create_dir(scratch.path("copy")).expect("a directory");
    let made = Command::new("mkfifo").arg(scratch.path("copy/a")).status();
    assert!(made.expect("mkfifo").success());
    let told = "cp: not overwriting 'copy/a', which is no regular file\n";
    scratch.cp(&["-rT", "tree", "copy"]).is(1, "", told);
    assert_eq!(scratch.read("copy/b"), "b");
}

/// Otherwise a user could let a superuser overwrite any file, with a link in a directory of that user.
#[test]
fn a_superuser_does_not_write_through_another_user_s_link_in_a_tree() {
    if !rustix::process::geteuid().is_root() {
        println!("not run: only a superuser can give links away");
        return;
    }
    let scratch = Scratch::new();
    scratch.write("tree/a", "new");
    scratch.write("secret", "old");
    fs::create_dir(scratch.path("copy")).expect("a directory");
    let link = scratch.path("copy/a");
    let owned_by = |link_owner, target_owner| {
        let _ = fs::remove_file(&link); // there is none at first
        std::os::unix::fs::symlink(scratch.path("secret"), &link).expect("a link");
        std::os::unix::fs::lchown(&link, Some(link_owner), None).expect("given away");
        std::os::unix::fs::chown(scratch.path("secret"), Some(target_owner), None).expect("given");
    };
    owned_by(1000, 0);
    let told = "cp: not writing through 'copy/a', a symbolic link of another user\n";
    for options in ["-rT", "-aT", "-rfT"] {
        scratch.cp(&[options, "tree", "copy"]).is(1, "", told);
        assert_eq!(scratch.read("secret"), "old", "{options}");
    }
    // A link to the user's own file, and links of the superuser, are followed, as by GNU cp.
    for (link_owner, target_owner) in [(1000, 1000), (0, 1000), (0, 0)] {
        owned_by(link_owner, target_owner);
        fs::write(scratch.path("secret"), "old").expect("written");
        scratch.cp(&["-rT", "tree", "copy"]).is(0, "", "");
        assert_eq!(scratch.read("secret"), "new", "{link_owner} {target_owner}");
    }
}

/// A current directory that may not be searched does not matter for absolute names, as for GNU cp.
#[test]
fn absolute_names_need_no_current_directory() {
    let scratch = Scratch::new();
    scratch.write("a", "data");
    fs::create_dir(scratch.path("here")).expect("a directory");
    for (dir, mode) in [("", 0o777), ("here", 0)] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(scratch.path(dir), mode).expect("a mode");
    }
    // A superuser may search everything.
    let root = rustix::process::geteuid().is_root();
    let as_user = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all";
    let program = scratch.path("copyist");
    fs::copy(env!("CARGO_BIN_EXE_copyist"), &program).expect("copied");
    let run_there = |command: &str| {
        let script = format!(
            "cd here 2> /dev/null || {{ chmod 700 here && cd here && chmod 0 .; }}; exec {} {} {command}",
            if root { as_user } else { "" },
            program.display(),
        );
        run(
            Command::new("sh")
                .current_dir(&scratch.0)
                .args(["-c", &script]),
            "",
        )
    };
    let dir = scratch.0.display();
    for command in ["cp", "copy -q"] {
        run_there(&format!("{command} {dir}/a {dir}/{}", &command[..2])).is(0, "", "");
    }
    let message = "copyist cp: cannot stat 'a': Permission denied\n";
    run_there(&format!("cp a {dir}/b")).is(1, "", message);
    let ran = run_there(&format!("verify {dir}/a {dir}/a"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(scratch.path("here"), mode).expect("a mode");
}
