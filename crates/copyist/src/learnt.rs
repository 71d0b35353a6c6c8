//! What was measured before: which methods are the fastest between two volumes.
//!
//! It is remembered outside of this library (`copyist bench --save`) and given to it as
//! [`Options::learnt`](crate::Options::learnt). It counts as long as nothing has changed that it
//! depends on: the kernel, and what is mounted where.

use arrayvec::ArrayVec;

use crate::method::{Method, Os};
use crate::platform::{Mounted, Platform};

/// A measurement between two volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// The source's volume, as [`VolumeProbe::key`](crate::VolumeProbe::key) names it.
    pub src: String,
    /// The destination's.
    pub dst: String,
    /// The system that it was measured on, as [`Probe::system`](crate::Probe::system) names it.
    pub system: String,
    /// The size of the files that were copied, bytes. Files of half of that and more are copied by
    /// what was the fastest; of smaller ones nothing is known.
    pub file_bytes: u64,
    /// The methods, the fastest first.
    pub order: Vec<Method>,
}

/// What of it the planner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preferred {
    /// For files of this size, bytes, and larger.
    pub(crate) from_bytes: u64,
    order: [Option<Method>; Method::ALL.len()],
}

impl Preferred {
    pub(crate) fn new(file_bytes: u64, order: &[Method]) -> Preferred {
        let mut all = ArrayVec::<_, { Method::ALL.len() }>::new();
        for &method in order {
            if !all.contains(&Some(method)) {
                all.push(Some(method));
            }
        }
        while !all.is_full() {
            all.push(None);
        }
        Preferred {
            from_bytes: file_bytes / 2,
            order: all.into_inner().unwrap_or_default(), // it is full
        }
    }

    /// How many are faster; `None` if it was not measured.
    pub(crate) fn rank(&self, method: Method) -> Option<usize> {
        self.order.iter().position(|it| *it == Some(method))
    }
}

/// Names what is mounted: another filesystem, or the same at another place, is another volume.
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

/// Names the system: another kernel may have other bugs and other speeds.
pub(crate) fn system<P: Platform>(platform: &P) -> String {
    let name = match platform.os() {
        Os::Linux => "Linux",
        Os::Macos => "macOS",
        Os::Windows => "Windows",
        Os::Freebsd => "FreeBSD",
    };
    format!("{name} {}", platform.release()).trim().to_owned()
}

/// What was measured between the volumes of two open files, if that still counts.
pub(crate) fn preferred<P: Platform>(
    learnt: &[Learnt],
    platform: &P,
    src: &P::Handle,
    dst: &P::Handle,
) -> Option<Preferred> {
    if learnt.is_empty() {
        return None;
    }
    // A volume that can't be named is none of those that were.
    let key = |handle| platform.describe(handle).ok().map(|it| key(&it));
    let (src, dst, system) = (key(src)?, key(dst)?, system(platform));
    let last = learnt.iter().rfind(|it| it.counts_for(&src, &dst, &system));
    last.map(|it| Preferred::new(it.file_bytes, &it.order))
}

impl Learnt {
    /// Whether it was measured between these volumes, on this system.
    pub fn counts_for(&self, src: &str, dst: &str, system: &str) -> bool {
        self.src == src && self.dst == dst && self.system == system
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_has_a_rank() {
        let order = [Method::Direct, Method::ReadWrite, Method::Direct];
        let preferred = Preferred::new(1000, &order);
        assert_eq!(preferred.from_bytes, 500);
        assert_eq!(preferred.rank(Method::Direct), Some(0));
        assert_eq!(preferred.rank(Method::ReadWrite), Some(1));
        assert_eq!(preferred.rank(Method::Sendfile), None);
    }
}
