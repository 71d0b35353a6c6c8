//! Files of a mount that reports another size than reads return: every byte is copied and compared.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::path::Path;
use std::process::Command;

use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{Fallible, Fuse, run, text};

/// More than one buffer, and not a multiple of the block size.
const BYTES: usize = 262_145;

fn content() -> Vec<u8> {
    (0..BYTES).map(|at| (at % 251) as u8).collect()
}

/// Runs `copyist` with these arguments, the source and the destination.
fn copy(words: &[&str], src: &Path, dst: &Path) -> Fallible<(Option<i32>, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copyist"));
    command.args(words).arg(src).arg(dst).env("LC_ALL", "C");
    let output = run(&mut command)?;
    Ok((output.status.code(), text(&output.stderr)))
}

#[test]
fn a_file_ends_where_a_read_says_so() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for says in ["3", "1000", "262144", "1000000"] {
        for short in [false, true] {
            let scratch = Scratch::new(&dir)?;
            let size = format!("--stat-size={says}");
            let options = [&*size, "--short"];
            let Some(fuse) = Fuse::new(scratch.path(), &options[..1 + usize::from(short)])? else {
                return Ok(());
            };
            fs::write(fuse.backing.join("src"), content())?;
            let (src, dst) = (fuse.point.join("src"), scratch.path().join("dst"));
            for words in [
                &["cp"][..],
                &["cp", "--sparse=always"],
                &["cp", "--method=read-write"],
                &["cp", "--method=direct"],
                &["cp", "--manifest=/dev/null"],
                &["copy", "--verify", "--on-change=fail"],
            ] {
                let (code, err) = copy(words, &src, &dst)?;
                assert_eq!(code, Some(0), "{says} {words:?}: {err}");
                assert!(!err.contains("changed"), "{says} {words:?}: {err}");
                assert!(fs::read(&dst)? == content(), "{says} {words:?}");
                fs::remove_file(&dst)?;
            }
            // Copies in the kernel end at the reported size: an error, or all of it.
            let (code, _) = copy(&["cp", "--method=sendfile"], &src, &dst)?;
            let is_whole = fs::read(&dst).is_ok_and(|copy| copy == content());
            assert_eq!(code == Some(0), is_whole, "{says}");
            assert_eq!(dst.exists(), is_whole, "{says}");
        }
    }
    Ok(())
}

#[test]
fn verify_compares_to_the_end() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for says in ["3", "1000000"] {
        let scratch = Scratch::new(&dir)?;
        let Some(fuse) = Fuse::new(scratch.path(), &[&format!("--stat-size={says}")])? else {
            return Ok(());
        };
        fs::write(fuse.backing.join("src"), content())?;
        let (src, dst) = (fuse.point.join("src"), scratch.path().join("dst"));
        let (code, err) = copy(&["cp", "-a"], &src, &dst)?;
        assert_eq!(code, Some(0), "{says}: {err}");
        assert_eq!(copy(&["verify"], &src, &dst)?.0, Some(0), "{says}");
        let mut other = content();
        other[BYTES - 1] ^= 1;
        fs::write(&dst, &other)?;
        assert_eq!(copy(&["verify"], &src, &dst)?.0, Some(1), "{says}");
        fs::write(&dst, &content()[..BYTES - 1])?;
        assert_eq!(copy(&["verify"], &src, &dst)?.0, Some(1), "{says}");
    }
    Ok(())
}
