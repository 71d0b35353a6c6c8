//! Copies to a mount that stores files late: the copy can't be read back yet, which does not make it a bad
//! copy.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::path::Path;

use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{Fallible, Fuse, cp, leftovers, run, text};

/// Three files, in two directories.
fn make_tree(dir: &Path) -> Fallible<()> {
    fs::create_dir_all(dir.join("d"))?;
    fs::write(dir.join("a"), vec![b'a'; 5_000])?;
    fs::write(dir.join("b"), vec![b'b'; 300_000])?;
    fs::write(dir.join("d/c"), "c")?;
    Ok(())
}

fn lines_with(out: &str, what: &str) -> usize {
    out.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn a_copy_that_can_not_be_read_back_yet_stays() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for options in [
        &["-r", "--verify"][..],
        &["-a", "--verify", "--atomic"],
        &["-r", "--verify", "--keep-bad"],
    ] {
        let scratch = Scratch::new(&dir)?;
        let Some(fuse) = Fuse::new(scratch.path(), &["--late=1"])? else {
            return Ok(());
        };
        let (src, dst) = (scratch.path().join("src"), fuse.point.join("dst"));
        make_tree(&src)?;
        let manifest = scratch.path().join("manifest");
        let report = scratch.path().join("report");
        let mut command = cp(options, &[&src, &dst]);
        command.arg(format!("--manifest={}", manifest.display()));
        command.arg(format!("--report={}", report.display()));
        let output = run(&mut command)?;
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {err}");
        let said = "could not be verified: No such file or directory";
        assert_eq!(lines_with(&err, said), 3, "{options:?}: {err}");
        let stored = fuse.backing.join("dst");
        for name in ["a", "b", "d/c"] {
            let copied = fs::read(stored.join(name)).ok();
            assert!(
                copied == fs::read(src.join(name)).ok(),
                "{options:?}: {name}"
            );
        }
        assert!(leftovers(&stored)?.is_empty(), "{options:?}");
        assert_eq!(fs::read_to_string(&manifest)?, "", "{options:?}");
        let report = fs::read_to_string(&report)?;
        assert_eq!(
            lines_with(&report, r#""operation":"verify""#),
            3,
            "{report}"
        );
        assert_eq!(lines_with(&report, r#""type":"file""#), 3, "{report}");
        assert_eq!(lines_with(&report, "verified"), 0, "{report}");
    }
    Ok(())
}

/// An I/O error while a copy is read back says nothing about what was written.
#[test]
fn a_copy_whose_reading_fails_stays() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for atomic in [&[][..], &["--atomic"]] {
        let scratch = Scratch::new(&dir)?;
        let Some(fuse) = Fuse::new(scratch.path(), &["--fail=read:EIO:1+"])? else {
            return Ok(());
        };
        let (src, dst) = (scratch.path().join("src"), fuse.point.join("dst"));
        fs::write(&src, vec![b'x'; 300_000])?;
        let output = run(&mut cp(&[&["--verify"], atomic].concat(), &[&src, &dst]))?;
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{err}");
        let said = "could not be verified: Input/output error";
        assert_eq!(lines_with(&err, said), 1, "{err}");
        assert!(fs::read(fuse.backing.join("dst"))? == fs::read(&src)?);
    }
    Ok(())
}
