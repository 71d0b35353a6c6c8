//! Earlier measurements: which methods are the fastest between two volumes.
//!
//! They are stored outside this library (`copyist bench --save`) and passed in as
//! [`Options::bench_results`](crate::Options::bench_results). A measurement is valid for the kernel and the mounts
//! that it was made with, and is ignored when either has changed.

use arrayvec::ArrayVec;

use crate::words::method::Method;

/// A measurement between two volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BenchResult {
    /// The source's volume, as [`VolumeProbe::key`](crate::probe::VolumeProbe::key) returns it.
    pub src: String,
    /// The destination's volume, in the same form.
    pub dst: String,
    /// The system that it was measured on, as [`Probe::system`](crate::probe::Probe::system) returns it.
    pub system: String,
    /// The size of the files that were copied, in bytes. `order` applies to files of at least half this size; nothing
    /// is known of smaller ones.
    pub file_bytes: u64,
    /// The methods, fastest first.
    pub order: Vec<Method>,
}

impl BenchResult {
    /// A measurement of files of `file_bytes` bytes between the volumes `src` and `dst`, in the form that the fields
    /// describe, with the methods of `order`, fastest first.
    ///
    /// ```
    /// use copyist::measure::BenchResult;
    /// use copyist::Method;
    ///
    /// let order = [Method::CopyRange, Method::ReadWrite];
    /// let result = BenchResult::new("xfs /dev/sda1", "ext4 /dev/sdb1", "Linux 6.18", 1 << 30, order);
    /// assert!(result.counts_for("xfs /dev/sda1", "ext4 /dev/sdb1", "Linux 6.18"));
    /// ```
    pub fn new(
        src: impl Into<String>,
        dst: impl Into<String>,
        system: impl Into<String>,
        file_bytes: u64,
        order: impl IntoIterator<Item = Method>,
    ) -> BenchResult {
        BenchResult {
            src: src.into(),
            dst: dst.into(),
            system: system.into(),
            file_bytes,
            order: order.into_iter().collect(),
        }
    }

    /// Whether the measurement was made between these volumes, on this system.
    pub fn counts_for(&self, src: &str, dst: &str, system: &str) -> bool {
        self.src == src && self.dst == dst && self.system == system
    }
}

/// The part of a measurement that the planner uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preferred {
    /// For files of at least this size, in bytes.
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

    /// The number of methods that are faster; `None` if this one was not measured.
    pub(crate) fn rank(&self, method: Method) -> Option<usize> {
        self.order.iter().position(|it| *it == Some(method))
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
