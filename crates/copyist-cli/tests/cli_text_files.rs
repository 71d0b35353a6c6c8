//! Files of patterns and manifests as editors and other systems write them.

#![cfg(unix)]

mod cli;

use cli::{Ran, Scratch};

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// A tree with three files.
fn tree() -> Scratch {
    let scratch = Scratch::new();
    for name in ["src/a", "src/b", "src/c"] {
        scratch.write(name, "abc");
    }
    scratch
}

fn copied(scratch: &Scratch) -> Vec<&'static str> {
    let names = ["a", "b", "c"].into_iter();
    let is_there = |name: &&str| scratch.path("dst").join(name).exists();
    let found = names.filter(is_there).collect();
    let _ = std::fs::remove_dir_all(scratch.path("dst"));
    found
}

fn copy(scratch: &Scratch, options: &[&str], input: &[u8]) -> Ran {
    scratch.write("input", input);
    let input = std::fs::File::open(scratch.path("input")).expect("a file");
    let mut command = scratch.command();
    command.arg("copy").args(options).args(["src", "dst"]);
    let output = command.stdin(input).output().expect("started");
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn the_first_pattern_counts_whatever_stands_before_it() {
    for option in ["--exclude-from", "--ignore-file"] {
        for text in [
            "a\nb\n",
            "\u{feff}a\nb\n",
            "\u{feff}a\r\nb\r\n",
            "a\r\nb\r",
            "a\nb",
        ] {
            let scratch = tree();
            scratch.write("patterns", text);
            let ran = copy(&scratch, &[&format!("{option}=patterns")], b"");
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{text:?}");
            assert_eq!(copied(&scratch), ["c"], "{option} {text:?}");
            let ran = copy(&scratch, &[&format!("{option}=-")], text.as_bytes());
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{text:?}");
            assert_eq!(copied(&scratch), ["c"], "{option}=- {text:?}");
        }
    }
}

#[test]
fn what_is_no_utf_8_is_refused_before_anything_is_copied() {
    for (text, why) in [
        (
            utf_16("a\nb\n"),
            "it is UTF-16 or UTF-32 text, and must be UTF-8",
        ),
        (
            utf_16("a\nb\n")[2..].to_vec(),
            "line 1 has a NUL byte: it is not UTF-8 text",
        ),
        (
            b"a\nb\0\n".to_vec(),
            "line 2 has a NUL byte: it is not UTF-8 text",
        ),
        (b"a\n\xff\n".to_vec(), "stream did not contain valid UTF-8"),
    ] {
        for option in ["--exclude-from=-", "--ignore-file=-"] {
            let scratch = tree();
            let ran = copy(&scratch, &[option], &text);
            let expected = format!("copyist copy: cannot read patterns from '-': {why}\n");
            assert_eq!((ran.code, ran.err), (Some(1), expected));
            assert!(copied(&scratch).is_empty());
        }
    }
    let scratch = tree();
    let ran = copy(&scratch, &["--exclude-from=-", "--ignore-file=-"], b"a\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("only once"), "{}", ran.err);
}

#[test]
fn a_manifest_may_have_a_mark_and_other_line_ends() {
    let scratch = tree();
    let lines = format!("{HASH}  a\n{HASH} *b\n");
    for text in [
        lines.clone(),
        format!("\u{feff}{lines}"),
        format!("\u{feff}{lines}").replace('\n', "\r\n"),
    ] {
        scratch.write("manifest", &text);
        let file = scratch.copyist(&["verify", "--cached", "--manifest=manifest", "src"]);
        assert_eq!((file.code, file.err.as_str()), (Some(0), ""), "{text:?}");
        let mut command = scratch.command();
        command.args(["verify", "--cached", "--manifest=-", "src"]);
        let input = cli::run(&mut command, &text);
        assert_eq!((input.code, input.err.as_str()), (Some(0), ""), "{text:?}");
    }
    scratch.write("manifest", utf_16(&lines));
    let ran = scratch.copyist(&["verify", "--manifest=manifest", "src"]);
    let why = "it is UTF-16 or UTF-32 text, and must be UTF-8";
    let expected = format!("copyist verify: cannot read manifest 'manifest': {why}\n");
    assert_eq!((ran.code, ran.err), (Some(2), expected));
}
