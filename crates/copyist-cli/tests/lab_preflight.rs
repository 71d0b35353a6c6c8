//! What `copy` finds before its first byte, on real filesystems.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;

fn copy(arguments: &[&str], src: &Path, dst: &Path) -> Fallible<Output> {
    let mut command = Command::new(Program::under_test().path);
    command.args(["copy", "--progress=never"]).args(arguments);
    Ok(command.arg("-T").arg(src).arg(dst).output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_copy_that_has_no_room_is_not_begun() -> Fallible<()> {
    let Some((from, to)) = place("ext4").zip(place("tiny")) else {
        return Ok(());
    };
    let (from, to) = (Scratch::new(&from)?, Scratch::new(&to)?);
    let (src, dst) = (from.path().join("src"), to.path().join("dst"));
    fs::create_dir(&src)?;
    fs::write(src.join("large"), vec![7; 80 << 20])?;
    File::create(src.join("hole"))?.set_len(1 << 40)?;
    let refused = copy(&[], &src, &dst)?;
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("not enough space for"), "{text}");
    assert!(
        text.contains("80.00 MiB are needed") || text.contains("80.0"),
        "{text}"
    );
    assert!(!dst.exists(), "something was made");
    // Left out, it needs no room; a hole needs none.
    let fits = copy(&["--exclude=large"], &src, &dst)?;
    assert!(fits.status.success(), "{}", said(&fits));
    assert_eq!(fs::metadata(dst.join("hole"))?.len(), 1 << 40);
    Ok(())
}

#[test]
fn a_clone_needs_no_room() -> Fallible<()> {
    for name in ["btrfs", "xfs"] {
        let Some(place) = place(name) else { continue };
        let scratch = Scratch::new(&place)?;
        let src = scratch.path().join("src");
        // More of it than there is room for, and all of it one extent's worth.
        fs::write(&src, vec![3; 32 << 20])?;
        let output = copy(&["--reflink=always"], &src, &scratch.path().join("dst"))?;
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn names_that_are_one_there_are_found() -> Fallible<()> {
    let Some((from, to)) = place("ext4").zip(place("casefold")) else {
        return Ok(());
    };
    let (from, inside) = (Scratch::new(&from)?, Scratch::new(&to)?);
    let (src, dst) = (from.path().join("src"), inside.path().join("dst"));
    fs::create_dir(&src)?;
    for name in ["readme", "README", "other"] {
        fs::write(src.join(name), name)?;
    }
    // The mount point's own name is on another volume: there the scratch directory's name shows what is folded.
    let at_the_root = to.join(format!("new-{}", std::process::id()));
    for dst in [&dst, &at_the_root] {
        let refused = copy(&[], &src, dst)?;
        let text = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{text}");
        let expected = "have one name on the destination";
        assert!(text.contains(expected), "{}: {text}", dst.display());
        assert!(!dst.exists(), "something was made");
    }
    let forced = copy(&["--no-preflight"], &src, &dst)?;
    assert!(dst.join("other").exists(), "{}", said(&forced));
    Ok(())
}
