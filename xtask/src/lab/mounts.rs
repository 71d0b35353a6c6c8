//! What is mounted under a directory, from /proc/self/mountinfo, and how it is unmounted.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use crate::error::{Context, Error, Result};

/// How long a busy mount may stay busy: a test's last process may still be ending.
const PATIENCE: Duration = Duration::from_secs(5);

/// The mount points under `root`, those to be unmounted first coming first: deeper before
/// shallower, and of several on one directory the newest.
pub(super) fn under(root: &Path) -> Result<Vec<PathBuf>> {
    let path = Path::new("/proc/self/mountinfo");
    let table = fs::read(path).at("read", path)?;
    let mut points: Vec<PathBuf> = parse(&table)
        .filter(|point| point.starts_with(root))
        .collect();
    points.reverse();
    points.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
    Ok(points)
}

/// The fifth field of each line is the mount point, see proc_pid_mountinfo(5).
fn parse(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    let lines = table.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(unescape)
}

/// The kernel writes space, tab, newline and backslash as `\` and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let digits = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) if byte == b'\\' => {
                path.push(escaped);
                rest = &tail[3..];
            }
            _ => path.push(byte),
        }
    }
    OsString::from_vec(path).into()
}

/// Unmounts one mount point. One that stays busy is detached all the same, so that nothing is
/// left behind, but that is an error which names the processes that hold it.
pub(super) fn unmount(point: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rustix::mount::unmount(point, UnmountFlags::NOFOLLOW) {
            Ok(()) => return Ok(()),
            Err(Errno::BUSY) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(Errno::BUSY) => {
                let holders = holders(point);
                let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
                rustix::mount::unmount(point, flags).at("detach", point)?;
                return Err(Error::new(format!(
                    "{} was still in use by {holders}; it was detached",
                    point.display()
                )));
            }
            Err(errno) => return Err(errno).at("unmount", point),
        }
    }
}

/// Names the processes with a working directory, a root, a program or an open file there.
fn holders(point: &Path) -> String {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = process.file_name();
        let is_process = pid.as_bytes().iter().all(u8::is_ascii_digit);
        if is_process && holds(&process.path(), point) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            found.push(format!("{} ({})", pid.display(), name.trim()));
        }
    }
    if found.is_empty() {
        "something other than a process".into()
    } else {
        found.join(", ")
    }
}

fn holds(process: &Path, point: &Path) -> bool {
    let single = ["cwd", "root", "exe"].map(|link| process.join(link));
    let open = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let mut links = single.into_iter().chain(open.map(|entry| entry.path()));
    links.any(|link| fs::read_link(link).is_ok_and(|target| target.starts_with(point)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_unescaped() {
        let table =
            b"36 35 98:0 / /a\\040b\\134c rw - ext4 /dev/x rw\n37 35 0:5 / /d rw - tmpfs t rw\n";
        let points: Vec<_> = parse(table).collect();
        assert_eq!(points, [Path::new("/a b\\c"), Path::new("/d")]);
    }
}
