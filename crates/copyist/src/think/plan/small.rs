//! Most files are small and plain: one plan is made for all of them.

use super::{Holes, SMALL_BYTES, plan};
use crate::words::bench_results::Preferred;
use crate::words::facts::{Facts, FileFacts, Kernel, VolumeFacts};
use crate::words::method::{Method, Os};
use crate::words::options::{OnChange, Options};
use crate::words::stat::{FileKind, Stat};

/// How regular files of at most [`SMALL_BYTES`] bytes without holes are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SmallFiles {
    /// The first method of those that are not empty.
    pub(crate) method: Method,
    /// Empty files are read to see that they are.
    pub(crate) reads_empty: bool,
}

impl SmallFiles {
    /// Whether this is such a file.
    pub(crate) fn cover(self, src: &Stat) -> bool {
        src.kind == FileKind::Regular
            && src.size <= SMALL_BYTES
            && src.allocated_bytes >= src.size
            && (src.size > 0 || self.reads_empty)
    }
}

/// The first method for regular files without holes, of 1 to [`SMALL_BYTES`] bytes, if it is the same for all of them
/// and needs only its first calls: nothing to hash, reserve or evict, and no second stat of the source. The source's
/// size must be one at which reads end.
pub(crate) fn small_files(
    system: (Os, Kernel),
    volumes: (VolumeFacts, VolumeFacts),
    preferred: Option<Preferred>,
    options: &Options,
) -> Option<SmallFiles> {
    let of = |size| {
        let facts = Facts {
            dst_is_free: false,
            preferred,
            ..Facts::new(system, FileFacts::plain(size, size), volumes)
        };
        plan(&facts, options)
    };
    let (least, most) = (of(1), of(SMALL_BYTES));
    let calls_only = least.holes == Holes::Ignore
        && !least.preallocate
        && !least.drop_behind
        && volumes.0.kind.stat_size_is_sound()
        && options.hash_wanted().is_none()
        && options.on_change == OnChange::Report;
    let first = *least.methods.first()?;
    let is_call = match first {
        Method::CopyRange | Method::ReadWrite => true,
        // On Windows the destination must be set up first; macOS clones by name.
        Method::Clone => system.0 == Os::Linux,
        Method::Sendfile | Method::Direct | Method::SystemCopy => false,
    };
    let empty = of(0);
    let reads_empty = empty.methods.first() == Some(&Method::ReadWrite)
        && empty.holes == Holes::Ignore
        && !empty.drop_behind;
    (least == most && calls_only && is_call).then_some(SmallFiles {
        method: first,
        reads_empty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::facts::{FsKind, Known};
    use crate::words::hash::HashKind;
    use crate::words::options::{Cache, Reflink, Sparse};

    fn between(kind: FsKind, clone: Known, options: &Options) -> Option<Method> {
        let volume = VolumeFacts {
            id: 1,
            kind,
            block_bytes: 4096,
            clone,
            folds_case: Known::No,
            parallel_from_bytes: Some(8 << 20),
        };
        small_files((Os::Linux, Kernel(6, 18)), (volume, volume), None, options).map(|it| it.method)
    }

    #[test]
    fn what_is_first_for_all_small_files() {
        let plain = Options::default();
        let of = |kind, clone| between(kind, clone, &plain);
        assert_eq!(of(FsKind::Tmpfs, Known::No), Some(Method::CopyRange));
        assert_eq!(of(FsKind::Ext, Known::No), Some(Method::ReadWrite));
        assert_eq!(of(FsKind::Xfs, Known::Unknown), Some(Method::ReadWrite));
        assert_eq!(of(FsKind::Btrfs, Known::Yes), Some(Method::Clone));
        assert_eq!(of(FsKind::Pseudo, Known::No), None, "sizes mean nothing");
        assert_eq!(of(FsKind::Fuse, Known::No), None, "a server says any size");
    }

    #[test]
    fn what_needs_more_than_its_first_calls_is_not_among_them() {
        let with = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            between(FsKind::Ext, Known::No, &options)
        };
        assert_eq!(
            with(|it| it.reflink = Reflink::Never),
            Some(Method::ReadWrite)
        );
        assert_eq!(with(|it| it.reflink = Reflink::Always), Some(Method::Clone));
        assert_eq!(with(|it| it.sparse = Sparse::Always), None);
        assert_eq!(with(|it| it.hash = Some(HashKind::Blake3)), None);
        assert_eq!(with(|it| it.on_change = OnChange::Fail), None);
        assert_eq!(with(|it| it.cache = Cache::DropBehind), None);
    }
}
