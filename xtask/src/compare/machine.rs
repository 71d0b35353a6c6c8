//! On what it was measured, and whether anything else was going on.

use std::fs;
use std::path::Path;

use crate::command;
use crate::error::{Context, Error, Result};

/// A load above this at the start is reported as noise.
const QUIET_LOAD: f64 = 0.5;

/// As /proc/cpuinfo names it.
pub(super) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut names = text
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    let name = names.next().unwrap_or("unknown");
    name.trim_start_matches([' ', '\t', ':']).to_owned()
}

pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(super) fn kernel() -> String {
    let name = rustix::system::uname();
    let part = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    [name.sysname(), name.release(), name.machine()]
        .map(part)
        .join(" ")
}

/// The processes that ran or waited for a processor or a disk, averaged over the last minute.
pub(super) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

pub(super) fn is_busy(load: f64) -> bool {
    load > QUIET_LOAD
}

/// "2026-01-31 12:00:00", UTC.
pub(super) fn now() -> Result<String> {
    let mut date = command::system("date");
    let output = date.args(["-u", "+%Y-%m-%d %H:%M:%S"]).output();
    let output = output.doing("run `date`")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A figure of /proc/meminfo: `MemAvailable` is what could be used without swapping.
pub(super) fn memory_bytes(kind: &str) -> Result<u64> {
    let path = Path::new("/proc/meminfo");
    let text = fs::read_to_string(path).at("read", path)?;
    let mut values = text.lines().filter_map(|line| {
        let words = line.strip_prefix(kind)?.strip_prefix(':')?;
        words.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    let kib = values.next();
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| Error::new(format!("/proc/meminfo has no {kind}")))
}

/// What an ordinary user could still write where `path` is.
pub(super) fn free_bytes(path: &Path) -> Result<u64> {
    let room = rustix::fs::statvfs(path).at("statfs", path)?;
    Ok(room.f_bavail * room.f_frsize)
}

/// Whether what is written at `path` stays in memory.
pub(super) fn is_in_memory(path: &Path) -> Result<bool> {
    const TMPFS: u32 = 0x0102_1994;
    let found = rustix::fs::statfs(path).at("statfs", path)?;
    // The field's width differs between machines; the numbers have 32 bits.
    Ok(found.f_type as u32 == TMPFS)
}
