//! Looks up earlier measurements between two volumes.

use crate::system::{Mounted, Platform};
use crate::words::bench_results::{BenchResult, Preferred};
use crate::words::method::Os;

/// Identifies a mounted volume: another filesystem, or the same one mounted elsewhere, has another key.
pub(crate) fn key(mounted: &Mounted) -> String {
    let Mounted {
        type_name,
        device,
        point,
        id,
        ..
    } = mounted;
    let device = device.as_deref().unwrap_or_default().to_string_lossy();
    let point = point.as_deref().unwrap_or("".as_ref()).to_string_lossy();
    let type_name = type_name.as_deref().unwrap_or_default();
    format!("{type_name} {device} {point} {id:x}")
}

/// Identifies the system: another kernel may have other bugs and other speeds.
pub(crate) fn system<P: Platform>(platform: &P) -> String {
    let name = match platform.os() {
        Os::Linux => "Linux",
        Os::Macos => "macOS",
        Os::Windows => "Windows",
        Os::Freebsd => "FreeBSD",
    };
    format!("{name} {}", platform.release()).trim().to_owned()
}

/// The measurement between the volumes of two open files, if it is still valid.
pub(crate) fn preferred<P: Platform>(
    bench_results: &[BenchResult],
    platform: &P,
    src: &P::Handle,
    dst: &P::Handle,
) -> Option<Preferred> {
    if bench_results.is_empty() {
        return None;
    }
    // A volume that can't be identified was not measured.
    let key = |handle| platform.describe(handle).ok().map(|it| key(&it));
    let (src, dst, system) = (key(src)?, key(dst)?, system(platform));
    let last = bench_results
        .iter()
        .rfind(|it| it.counts_for(&src, &dst, &system));
    last.map(|it| Preferred::new(it.file_bytes, &it.order))
}
