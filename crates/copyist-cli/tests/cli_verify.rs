//! `copyist verify`: each difference is found and reported.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use cli::Scratch;

/// A tree and its copy.
fn copied(scratch: &Scratch) {
    for name in ["a", "b", "c", "d", "dir/e"] {
        scratch.write(&format!("src/{name}"), format!("content of {name}"));
    }
    symlink("a", scratch.path("src/link")).expect("a link");
    let large: Vec<u8> = (0..3 << 20).map(|n: u32| (n % 253) as u8).collect();
    scratch.write("src/large", large);
    scratch.copyist(&["copy", "-q", "src", "dst"]).is(0, "", "");
}

fn verify(scratch: &Scratch, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let mut all = vec!["verify"];
    all.extend(arguments);
    let ran = scratch.copyist(&all);
    assert_eq!(ran.err, "", "{ran:?}");
    let mut lines: Vec<_> = ran.out.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap_or_default();
    assert!(
        last.starts_with("Compared ") || arguments.contains(&"-q"),
        "{last}"
    );
    lines.sort();
    (ran.code, lines)
}

#[test]
fn what_is_the_same_is_said_to_be() {
    let scratch = Scratch::new();
    copied(&scratch);
    assert_eq!(verify(&scratch, &["src", "dst"]), (Some(0), vec![]));
    assert_eq!(
        verify(&scratch, &["--cached", "src", "dst/"]),
        (Some(0), vec![])
    );
    assert_eq!(verify(&scratch, &["src/a", "dst/a"]), (Some(0), vec![]));
    scratch
        .copyist(&["verify", "-q", "src", "dst"])
        .is(0, "", "");
}

#[test]
fn each_difference_is_a_line() {
    let scratch = Scratch::new();
    copied(&scratch);
    scratch.write("dst/extra", "x");
    fs::remove_file(scratch.path("dst/b")).expect("removed");
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(scratch.path("src/a"), fs::Permissions::from_mode(0o644)).expect("a mode");
    fs::set_permissions(scratch.path("dst/a"), mode).expect("a mode");
    let c = fs::File::options()
        .write(true)
        .open(scratch.path("dst/c"))
        .expect("open");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    c.set_modified(time).expect("a time");
    fs::remove_file(scratch.path("dst/link")).expect("removed");
    symlink("b", scratch.path("dst/link")).expect("a link");
    fs::remove_file(scratch.path("dst/dir/e")).expect("removed");
    fs::create_dir(scratch.path("dst/dir/e")).expect("a directory");
    let mut large = fs::read(scratch.path("dst/large")).expect("read");
    large[2_000_000] ^= 1;
    let times = fs::metadata(scratch.path("src/large")).expect("there");
    scratch.write("dst/large", &large);
    let file = fs::File::options()
        .write(true)
        .open(scratch.path("dst/large"))
        .expect("open");
    file.set_modified(times.modified().expect("a time"))
        .expect("a time");

    let (code, lines) = verify(&scratch, &["--ignore=timestamps", "src", "dst"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        lines,
        [
            "a: its mode is 0600, and in the source 0644",
            "b: missing in the destination",
            "dir/e: is a directory, and in the source a file",
            "extra: not in the source",
            "large: its content differs from byte 2000000 on",
            "link: the symbolic link leads elsewhere",
        ]
    );
    let (code, lines) = verify(&scratch, &["src/c", "dst/c"]);
    assert_eq!(code, Some(1));
    assert!(
        lines[0].starts_with(".: it was modified at 2001-09-09T01:46:40Z, and in"),
        "{lines:?}"
    );

    let json = scratch.copyist(&["verify", "--json", "--ignore=all", "src", "dst"]);
    let lines: Vec<serde_json::Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(json.code, Some(1));
    let last = lines.last().expect("a summary");
    assert_eq!(
        (&last["type"], &last["differences"]),
        (&"summary".into(), &5.into())
    );
    assert!(
        lines
            .iter()
            .any(|it| it["path"] == "large" && it["what"] == "content")
    );
}

#[test]
fn a_manifest_is_checked() {
    let scratch = Scratch::new();
    copied(&scratch);
    for kind in ["blake3", "xxh3", "sha256"] {
        let hash = format!("--hash={kind}");
        let made = scratch.copyist(&["copy", "-q", "--manifest=m", &hash, "src", "new"]);
        made.is(0, "", "");
        assert_eq!(
            verify(&scratch, &["--manifest=m", "new"]),
            (Some(0), vec![])
        );
        assert_eq!(
            verify(&scratch, &["--manifest=m", &hash, "new"]),
            (Some(0), vec![])
        );
        scratch.write("new/a", "Content of a");
        fs::remove_file(scratch.path("new/dir/e")).expect("removed");
        let expected = [
            "a: its content is not that of the manifest",
            "dir/e: missing in the destination",
        ];
        let expected = (Some(1), expected.map(str::to_owned).to_vec());
        assert_eq!(verify(&scratch, &["--manifest=m", "new"]), expected);
        fs::remove_dir_all(scratch.path("new")).expect("removed");
    }
    scratch.write("bad", "nothing of the kind\n");
    let ran = scratch.copyist(&["verify", "--manifest=bad", "src"]);
    assert_eq!(ran.code, Some(2));
    let begin = "copyist verify: line 1 of the manifest is not a hash and a name\n";
    assert!(ran.err.starts_with(begin), "{ran:?}");
}

#[test]
fn what_can_not_be_compared_is_trouble() {
    let scratch = Scratch::new();
    copied(&scratch);
    let gone = "copyist verify: cannot compare 'gone': No such file or directory\n";
    let ran = scratch.copyist(&["verify", "gone", "dst"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), gone));
    let ran = scratch.copyist(&["verify", "src", "gone"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), gone));
    let ran = scratch.copyist(&["verify", "src"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("SRC and DST are needed"), "{ran:?}");
}
