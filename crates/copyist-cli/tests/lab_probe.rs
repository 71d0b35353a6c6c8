//! `copyist probe` is right about every filesystem of the lab, as root, as an ordinary user and on a
//! read-only mount, and leaves nothing behind.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use oracle::Fallible;
use oracle::lab::place;
use oracle::random::NOBODY;
use oracle::remove::Scratch;
use oracle::run::Program;
use serde_json::Value;

/// What the lab made.
struct Made {
    name: &'static str,
    type_name: &'static str,
    block_bytes: u64,
    /// The code that clones are refused with.
    clone: Result<(), &'static str>,
    copy_range: Result<(), &'static str>,
    /// What fallocate is refused with.
    preallocation: Result<(), &'static str>,
    holes: &'static str,
    file_bytes_max: Option<u64>,
    /// The default method for a small, a large and a sparse file.
    auto: [&'static str; 3],
}

const NO: Result<(), &str> = Err("EOPNOTSUPP");
/// What Linux itself can address: ext4 with its 32 bits of blocks holds less.
const ALL: Option<u64> = Some(i64::MAX as u64);
const EXT4_4K: Option<u64> = Some((1 << 44) - 4096);
const EXT4_1K: Option<u64> = Some((1 << 42) - 1024);

#[rustfmt::skip] // one filesystem, one line: a table
const MADE: [Made; 10] = [
    Made { name: "btrfs", type_name: "btrfs", block_bytes: 4096, clone: Ok(()), copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: ALL, auto: ["clone", "clone", "clone"] },
    Made { name: "xfs", type_name: "xfs", block_bytes: 4096, clone: Ok(()), copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: ALL, auto: ["read-write", "clone", "clone"] },
    Made { name: "xfs-plain", type_name: "xfs", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: ALL, auto: ["read-write", "", "copy-range"] },
    Made { name: "ext4", type_name: "ext4", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: EXT4_4K, auto: ["read-write", "", "copy-range"] },
    Made { name: "tmpfs", type_name: "tmpfs", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: ALL, auto: ["copy-range", "", "copy-range"] },
    Made { name: "tiny", type_name: "ext4", block_bytes: 1024, clone: NO, copy_range: Ok(()), preallocation: Ok(()), holes: "yes", file_bytes_max: EXT4_1K, auto: ["read-write", "", "copy-range"] },
    Made { name: "fuse", type_name: "fuse", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: NO, holes: "yes", file_bytes_max: EXT4_4K, auto: ["read-write", "copy-range", "read-write"] },
    Made { name: "fuse-slow", type_name: "fuse", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: NO, holes: "yes", file_bytes_max: EXT4_4K, auto: ["read-write", "copy-range", "read-write"] },
    Made { name: "fuse-lies", type_name: "fuse", block_bytes: 4096, clone: NO, copy_range: Ok(()), preallocation: NO, holes: "no", file_bytes_max: None, auto: ["read-write", "copy-range", "read-write"] },
    Made { name: "fuse-corrupts", type_name: "fuse", block_bytes: 4096, clone: NO, copy_range: Err("NO_PROGRESS"), preallocation: NO, holes: "yes", file_bytes_max: EXT4_4K, auto: ["read-write", "read-write", "read-write"] },
];

fn output(words: &[&str], dirs: &[&Path]) -> Fallible<Output> {
    let (first, rest) = words.split_first().ok_or("no program")?;
    Ok(Command::new(first)
        .args(rest)
        .args(dirs)
        .env("LC_ALL", "C")
        .output()?)
}

/// What a command that ends in `copyist probe --json` says.
fn probed(words: &[&str], dirs: &[&Path]) -> Fallible<Value> {
    let output = output(words, dirs)?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {told}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn names(dir: &Path) -> Fallible<Vec<String>> {
    let entries = fs::read_dir(dir)?;
    Ok(entries
        .flatten()
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect())
}

#[track_caller]
fn answer(found: &Value, expected: &str, how: &str, what: &str) {
    assert_eq!(found["answer"], expected, "{what}: {found}");
    assert_eq!(found["how"], how, "{what}: {found}");
}

#[track_caller]
fn tried(found: &Value, expected: Result<(), &str>, what: &str) {
    match expected {
        Ok(()) => answer(found, "yes", "tried", what),
        Err(code) => {
            answer(found, "no", "tried", what);
            assert_eq!(found["code"], code, "{what}: {found}");
        }
    }
}

fn method<'a>(probe: &'a Value, name: &str) -> &'a Value {
    let methods = probe["methods"].as_array().into_iter().flatten();
    methods
        .into_iter()
        .find(|it| it["method"] == name)
        .unwrap_or(&Value::Null)
}

fn assert_volume(probe: &Value, made: &Made, dir: &Path) -> Fallible<()> {
    let (name, volume) = (made.name, &probe["src"]);
    assert_eq!(volume["type"], made.type_name, "{name}");
    assert_eq!(volume["block_bytes"], made.block_bytes, "{name}");
    assert_eq!(volume["name_bytes_max"], 255, "{name}");
    assert_eq!(volume["read_only"], false, "{name}");
    let lab = dir.parent().ok_or("no lab")?.to_string_lossy().into_owned();
    assert_eq!(volume["mounted_at"], lab, "{name}");
    let device = volume["device"].as_str().unwrap_or_default();
    let is_image = !["fuse", "tmpfs"].contains(&made.type_name);
    assert_eq!(
        device.starts_with("/dev/loop"),
        is_image,
        "{name}: {device}"
    );
    let stat = rustix::fs::statvfs(dir)?;
    assert_eq!(
        volume["total_bytes"],
        stat.f_blocks * stat.f_frsize,
        "{name}"
    );
    assert!(
        volume["free_bytes"].as_u64() <= volume["total_bytes"].as_u64(),
        "{name}"
    );
    let limit = &volume["file_bytes_max"];
    assert_eq!(
        limit["bytes"].as_u64(),
        made.file_bytes_max,
        "{name}: {limit}"
    );
    Ok(())
}

/// Every row, where everything can be tried.
fn assert_right(probe: &Value, made: &Made, dir: &Path) -> Fallible<()> {
    let (name, volume) = (made.name, &probe["src"]);
    assert_volume(probe, made, dir)?;
    let what = |row: &str| format!("{row} on {name}");
    answer(&volume["holes"], made.holes, "tried", &what("holes"));
    tried(
        &volume["preallocation"],
        made.preallocation,
        &what("preallocation"),
    );
    tried(&volume["xattrs"], Ok(()), &what("xattrs"));
    tried(&volume["direct"], Ok(()), &what("direct"));
    answer(&volume["acls"], "yes", "reported", &what("acls"));
    let how = match made.type_name {
        "btrfs" => "table",
        "ext4" | "tmpfs" => "reported",
        _ => "tried",
    };
    answer(&volume["folds_case"], "no", how, &what("case"));
    tried(method(probe, "clone"), made.clone, &what("clone"));
    tried(
        method(probe, "copy-range"),
        made.copy_range,
        &what("copy-range"),
    );
    tried(method(probe, "sendfile"), Ok(()), &what("sendfile"));
    tried(method(probe, "direct"), Ok(()), &what("direct"));
    answer(
        method(probe, "read-write"),
        "yes",
        "table",
        &what("read-write"),
    );
    for (which, expected) in ["small", "large", "sparse"].iter().zip(made.auto) {
        let choice = &probe["auto"][which];
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // Several threads, where there are several processors.
        let large = if threads > 1 {
            "read-write"
        } else {
            "copy-range"
        };
        let expected = if expected.is_empty() { large } else { expected };
        assert_eq!(choice["method"], expected, "{which} on {name}: {choice}");
        assert_eq!(choice["certain"], true, "{which} on {name}: {choice}");
    }
    Ok(())
}

/// Where no file may be created, nothing is reported as tried or guessed.
fn assert_modest(probe: &Value, made: &Made, code: &str) {
    let (name, volume) = (made.name, &probe["src"]);
    let what = |row: &str| format!("{row} on {name}, {code}");
    let is_fuse = made.type_name == "fuse";
    for row in ["holes", "preallocation"] {
        let expected = if is_fuse { "unknown" } else { "yes" };
        answer(&volume[row], expected, "table", &what(row));
        assert_eq!(volume[row]["code"], code, "{}", what(row));
    }
    answer(&volume["xattrs"], "yes", "reported", &what("xattrs"));
    answer(&volume["acls"], "yes", "reported", &what("acls"));
    assert_eq!(volume["folds_case"]["answer"], "no", "{}", what("case"));
    assert_eq!(volume["file_bytes_max"], Value::Null, "{}", what("limit"));
    for other in ["copy-range", "sendfile", "direct"] {
        answer(method(probe, other), "unknown", "table", &what(other));
        assert_eq!(method(probe, other)["code"], code, "{}", what(other));
    }
    let clones = if made.name == "btrfs" {
        "yes"
    } else {
        "unknown"
    };
    answer(method(probe, "clone"), clones, "table", &what("clone"));
    answer(
        method(probe, "read-write"),
        "yes",
        "table",
        &what("read-write"),
    );
}

#[test]
fn every_row_is_right_for_root_and_for_a_user() -> Fallible<()> {
    let within = Scratch::new(&std::env::temp_dir())?;
    let program = Program::under_test().within_reach(within.path())?;
    let program = program.path.to_string_lossy().into_owned();
    let user = format!("{NOBODY}");
    let as_user = [
        "setpriv",
        "--reuid",
        &user,
        "--regid",
        &user,
        "--clear-groups",
    ];
    for made in &MADE {
        let Some(dir) = place(made.name) else {
            continue;
        };
        let scratch = Scratch::new(&dir)?;
        let words = [&program, "probe", "--json"];
        let probe = probed(&words, &[scratch.path()])?;
        assert_right(&probe, made, scratch.path())?;

        let words = [as_user.as_slice(), &words].concat();
        // Another user's directory.
        let probe = probed(&words, &[scratch.path()])?;
        assert_eq!(probe["src"]["read_only"], false, "{}", made.name);
        assert_modest(&probe, made, "EACCES");
        std::os::unix::fs::chown(scratch.path(), Some(NOBODY), Some(NOBODY))?;
        let probe = probed(&words, &[scratch.path()])?;
        assert_right(&probe, made, scratch.path())?;
        assert_eq!(
            names(scratch.path())?,
            [""; 0],
            "{}: left behind",
            made.name
        );
    }
    Ok(())
}

#[test]
fn a_read_only_mount_is_asked_and_not_tried() -> Fallible<()> {
    let program = Program::under_test().path.to_string_lossy().into_owned();
    // The mount is gone with its namespace.
    let read_only =
        r#"mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" && exec "$1" probe --json "$2""#;
    for made in &MADE {
        let Some(dir) = place(made.name) else {
            continue;
        };
        let scratch = Scratch::new(&dir)?;
        let words = ["unshare", "-m", "sh", "-c", read_only, "sh", &program];
        let probe = probed(&words, &[scratch.path()])?;
        assert_eq!(probe["src"]["read_only"], true, "{}", made.name);
        assert_modest(&probe, made, "EROFS");
        for which in ["small", "large", "sparse"] {
            assert_eq!(
                probe["auto"][which],
                Value::Null,
                "{which} on {}",
                made.name
            );
        }
    }
    Ok(())
}

#[test]
fn the_rule_of_case_is_found_where_it_folds() -> Fallible<()> {
    let Some(dir) = place("casefold") else {
        return Ok(());
    };
    let program = Program::under_test().path.to_string_lossy().into_owned();
    let words = [program.as_str(), "probe", "--json"];
    // By the directory's own name; by what is in it; and, in the root of a mount, by a new name.
    let scratch = Scratch::new(&dir)?;
    let probe = probed(&words, &[scratch.path()])?;
    assert_eq!(probe["src"]["folds_case"]["answer"], "yes", "{probe}");
    fs::write(scratch.path().join("Name"), b"")?;
    let probe = probed(&words, &[scratch.path()])?;
    assert_eq!(probe["src"]["folds_case"]["answer"], "yes", "{probe}");
    let probe = probed(&words, &[&dir])?;
    assert_eq!(probe["src"]["folds_case"]["answer"], "yes", "{probe}");
    assert!(!names(&dir)?.iter().any(|name| name.contains("probe")));
    Ok(())
}

#[test]
fn two_volumes_are_told_from_one() -> Fallible<()> {
    let (Some(xfs), Some(plain)) = (place("xfs"), place("xfs-plain")) else {
        return Ok(());
    };
    let (one, two) = (Scratch::new(&xfs)?, Scratch::new(&plain)?);
    let program = Program::under_test().path.to_string_lossy().into_owned();
    let words = [program.as_str(), "probe", "--json"];
    let probe = probed(&words, &[one.path(), two.path()])?;
    assert_eq!(probe["one_volume"], false, "{probe}");
    tried(method(&probe, "clone"), Err("EXDEV"), "clone across");
    tried(method(&probe, "sendfile"), Ok(()), "sendfile across");
    assert_eq!(probe["methods_within_src"][0]["answer"], "yes", "{probe}");
    assert_eq!(probe["methods_within_dst"][0]["answer"], "no", "{probe}");
    let probe = probed(&words, &[one.path(), &xfs])?;
    assert_eq!(probe["one_volume"], true, "{probe}");
    tried(method(&probe, "clone"), Ok(()), "clone within");
    Ok(())
}

#[test]
fn what_is_not_there_is_said_so() -> Fallible<()> {
    let program = Program::under_test().path.to_string_lossy().into_owned();
    let output = output(&[&program, "probe"], &[Path::new("/nowhere/at all")])?;
    let told = String::from_utf8(output.stderr)?;
    let expected = "copyist probe: cannot examine '/nowhere/at all': No such file or directory\n";
    assert_eq!((output.status.code(), told.as_str()), (Some(1), expected));
    Ok(())
}

/// On FUSE, where there are no nameless files and each request takes 5 ms, a name is there long
/// enough to be caught.
#[test]
fn nothing_is_left_behind_by_one_that_is_killed() -> Fallible<()> {
    let Some(dir) = place("fuse-slow") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let mut seen = 0;
    for n in 0..25 {
        let mut child = Command::new(Program::under_test().path)
            .arg("probe")
            .arg(scratch.path())
            .stdout(Stdio::null())
            .spawn()?;
        let start = Instant::now();
        // Every second time as soon as there is something.
        while start.elapsed() < Duration::from_millis(n * 10) {
            let some = names(scratch.path())?.len();
            seen += some;
            if some > 0 && n % 2 == 0 {
                break;
            }
        }
        child.kill()?;
        child.wait()?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while !names(scratch.path())?.is_empty() {
            assert!(
                Instant::now() < deadline,
                "left behind: {:?}",
                names(scratch.path())?
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    println!("a name was seen {seen} times");
    Ok(())
}
