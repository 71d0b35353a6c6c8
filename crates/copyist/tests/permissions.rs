//! `copyist::copy` gives a file the permission bits that `std::fs::copy` gives it: for each umask, source and
//! destination.

#![cfg(unix)]
#![forbid(unsafe_code)]

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use copyist::{Copier, Options};
use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

const MODES: [u32; 8] = [0o644, 0o600, 0o640, 0o664, 0o666, 0o755, 0o444, 0o777];

/// What is at the destination: nothing, or a file with these permissions.
const EXISTING: [Option<u32>; 5] = [None, Some(0o644), Some(0o600), Some(0o777), Some(0o444)];

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// A file of `bytes` bytes: a small one is copied in another way than a large one.
fn place(path: &Path, mode: u32, bytes: usize) -> io::Result<()> {
    let _ = fs::remove_file(path); // there may be one that can't be written to
    fs::write(path, vec![b'x'; bytes])?;
    set_mode(path, mode)
}

// One test, since the umask is the process's.
#[test]
fn permissions_are_those_of_std() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    let mut compared = 0;
    for mask in [0o022, 0o077, 0o027, 0o000, 0o777] {
        for src_mode in MODES {
            for existing in EXISTING {
                for bytes in [0, 100, 3 << 20] {
                    compare(temp.path(), mask, (src_mode, bytes), existing)?;
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 5 * 8 * 5 * 3);
    as_cp_does(temp.path())?;
    set_id_bits(temp.path())?;
    Ok(())
}

fn compare(
    dir: &Path,
    mask: u32,
    (src_mode, bytes): (u32, usize),
    existing: Option<u32>,
) -> io::Result<()> {
    let [src, theirs, ours] = ["src", "theirs", "ours"].map(|name| dir.join(name));
    let before = existing.map(|mode| format!("{mode:03o}"));
    let what =
        format!("umask {mask:03o}, source {src_mode:03o}, existing {before:?}, {bytes} bytes");
    place(&src, src_mode, bytes)?;
    if let Some(existing) = existing {
        place(&theirs, existing, 10)?;
        place(&ours, existing, 10)?;
    }
    umask(Mode::from_raw_mode(mask as _));
    let by_std = fs::copy(&src, &theirs);
    let by_us = copyist::copy(&src, &ours);
    umask(Mode::from_raw_mode(0o022));
    let by_us = by_us.map_err(io::Error::from);
    match (&by_std, &by_us) {
        (Ok(copied), Ok(report)) => {
            assert_eq!(*copied, report.bytes(), "{what}");
            assert_eq!(mode(&ours)?, src_mode, "{what}");
            assert_eq!(fs::metadata(&ours)?.len(), bytes as u64, "{what}");
        }
        (Err(theirs), Err(ours)) => {
            assert_eq!(theirs.raw_os_error(), ours.raw_os_error(), "{what}");
        }
        _ => panic!("{what}: {by_std:?}, {by_us:?}"),
    }
    assert_eq!(mode(&theirs)?, mode(&ours)?, "{what}");
    fs::remove_file(&theirs)?;
    fs::remove_file(&ours)
}

/// With the options of `cp` the umask is subtracted, and an existing file keeps its bits.
fn as_cp_does(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (src, dst) = (dir.join("src"), dir.join("dst"));
    let copier = Copier::with_options(Options::default());
    for bytes in [100, 3 << 20] {
        place(&src, 0o666, bytes)?;
        umask(Mode::from_raw_mode(0o027));
        let copied = copier.copy(&src, &dst);
        umask(Mode::from_raw_mode(0o022));
        copied?;
        assert_eq!(mode(&dst)?, 0o640);
        set_mode(&dst, 0o755)?;
        copier.copy(&src, &dst)?;
        assert_eq!(mode(&dst)?, 0o755);
        fs::remove_file(&dst)?;
    }
    Ok(())
}

/// They are kept; the kernel takes them from std's copy, which sets them before it writes, unless root makes it.
fn set_id_bits(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (src, dst) = (dir.join("src"), dir.join("dst"));
    for bytes in [100, 3 << 20] {
        place(&src, 0o4755, bytes)?;
        for _ in ["new", "existing"] {
            copyist::copy(&src, &dst)?;
            assert_eq!(mode(&dst)?, 0o4755);
        }
        if geteuid().is_root() {
            fs::copy(&src, &dst)?;
            assert_eq!(mode(&dst)?, 0o4755);
        }
        fs::remove_file(&dst)?;
    }
    Ok(())
}
