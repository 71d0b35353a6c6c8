//! `--manifest`, `--hash` and `--verify`: hashes of what was copied, for other tools to read.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use cli::Scratch;

/// What `printf 'abc' | b3sum` (`xxh128sum`, `sha256sum`) prints.
const ABC: [(&str, &str); 3] = [
    (
        "blake3",
        "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
    ),
    ("xxh3", "06b05ab6733a618578af5f94892f3950"),
    (
        "sha256",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
];

#[test]
fn a_manifest_is_what_the_tools_write() {
    let scratch = Scratch::new();
    scratch.write("a", "abc");
    for (kind, hash) in ABC {
        let option = format!("--hash={kind}");
        for face in ["cp", "copy"] {
            let ran = scratch.copyist(&[face, "--manifest=m", &option, "a", "b"]);
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
            assert_eq!(scratch.read("m"), format!("{hash}  b\n"));
        }
    }
    let ran = scratch.copyist(&["copy", "--manifest=-", "--hash=xxh3", "a", "b"]);
    ran.is(0, &format!("{}  b\n", ABC[1].1), "");
}

/// By every method, with holes, and large enough for several threads.
#[test]
fn the_hash_is_of_what_was_written() {
    let scratch = Scratch::new();
    let file = fs::File::create(scratch.path("sparse")).expect("a file");
    file.set_len(9 << 20).expect("a length");
    for at in [0, 5_000_000, (9 << 20) - 1] {
        file.write_at(b"data", at).expect("written");
    }
    let mut data: Vec<u8> = (0..9 << 20).map(|n: u32| (n % 251) as u8).collect();
    scratch.write("large", &data);
    data.truncate(70_000);
    scratch.write("small", &data);
    for method in ["auto", "copy-range", "sendfile", "direct", "read-write"] {
        for name in ["sparse", "large", "small"] {
            let option = format!("--method={method}");
            let mut arguments = vec!["cp", "--manifest=m", "--hash=sha256", "--verify"];
            if method != "auto" {
                arguments.push(&option);
            }
            arguments.extend([name, "copy"]);
            let ran = scratch.copyist(&arguments);
            if method == "copy-range" && ran.err.contains("no allowed method works here") {
                println!("not run: {}", ran.err);
                continue;
            }
            ran.is(0, "", "");
            assert_eq!(
                fs::read(scratch.path(name)).ok(),
                fs::read(scratch.path("copy")).ok()
            );
            let sum = std::process::Command::new("sha256sum")
                .args(["-c", "--quiet", "m"])
                .current_dir(&scratch.0)
                .output()
                .expect("sha256sum");
            assert!(sum.status.success(), "{method}, {name}: {sum:?}");
        }
    }
}

#[test]
fn names_are_relative_to_where_the_copy_is() {
    let scratch = Scratch::new();
    scratch.write("src/sub/a", "abc");
    fs::create_dir(scratch.path("into")).expect("a directory");
    let names = |arguments: &[&str]| {
        let mut all = vec!["copy", "-q", "--manifest=m"];
        all.extend(arguments);
        scratch.copyist(&all).is(0, "", "");
        scratch.read("m")
    };
    let hash = ABC[0].1;
    assert_eq!(names(&["src", "new"]), format!("{hash}  sub/a\n"));
    assert_eq!(names(&["src", "into"]), format!("{hash}  src/sub/a\n"));
    assert_eq!(names(&["src/sub/a", "into/b"]), format!("{hash}  b\n"));
    scratch.write("odd\nname", "abc");
    assert_eq!(
        names(&["odd\nname", "into"]),
        format!("\\{hash}  odd\\nname\n")
    );
    assert!(Path::new(&scratch.path("into/odd\nname")).exists());
}

#[test]
fn a_manifest_that_can_not_be_written_is_an_error() {
    let scratch = Scratch::new();
    scratch.write("a", "abc");
    let ran = scratch.copyist(&["copy", "-q", "--manifest=no/m", "a", "b"]);
    let why = "cannot create manifest 'no/m': No such file or directory";
    ran.is(1, "", &format!("copyist copy: {why}\n"));
    if cli::has_full_device() {
        let ran = scratch.copyist(&["copy", "-q", "--manifest=/dev/full", "a", "b"]);
        let why = "error writing manifest '/dev/full': No space left on device";
        ran.is(1, "", &format!("copyist copy: {why}\n"));
    }
}

#[test]
fn verified_copies_are_reported_so() {
    let scratch = Scratch::new();
    scratch.write("a", "abc");
    let ran = scratch.copyist(&["copy", "--verify", "--hash=blake3", "--json", "a", "b"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let line = ran.out.lines().next().expect("a line");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["verified"], true);
    assert_eq!(line["hash"], ABC[0].1);
    assert_eq!(line["hash_kind"], "blake3");
}
