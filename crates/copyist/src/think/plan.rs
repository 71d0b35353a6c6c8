//! Makes a plan from facts and options: the ordered methods to try, and those skipped with the reason.
//! Pure: the same input gives the same plan on every machine.
//!
//! ```text
//! same volume, can clone, policy allows ─► Clone ─refused─► CopyRange / SystemCopy ─► ReadWrite
//! small, and cheaper to copy than to clone ─► CopyRange (tmpfs) ────────────────────► ReadWrite
//! a stream, or a file made as it is read (procfs) ──────────────────────────────────► ReadWrite
//! asked for by name ─► those methods alone, in this system's order
//! ```

use crate::words::method::Skip;
use crate::words::report::Planned;

use arrayvec::ArrayVec;

use crate::words::facts::{Facts, FsKind, Kernel, Known};
use crate::words::method::{Method, Os};
use crate::words::options::{
    Cache, Follow, Fsync, Make, OnChange, Options, Preserve, Reflink, Sparse,
};

mod prefer;
mod small;

pub(crate) use small::{SmallFiles, small_files};

/// How holes in the source are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// Everything is data.
    Ignore,
    /// The filesystem's map tells data from holes.
    Map,
    /// Blocks of zeros, found by reading, become holes.
    Detect,
    /// Holes by the filesystem's map; in the data, blocks of zeros become holes too.
    MapAndDetect,
}

impl Holes {
    /// Whether the filesystem's map of holes is used, so that holes aren't read.
    pub(crate) const fn use_map(self) -> bool {
        matches!(self, Holes::Map | Holes::MapAndDetect)
    }

    /// Whether zeros that are read become holes.
    pub(crate) const fn are_detected(self) -> bool {
        matches!(self, Holes::Detect | Holes::MapAndDetect)
    }
}

/// The methods that will be tried, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) methods: ArrayVec<Method, { Method::ALL.len() }>,
    pub(crate) skipped: ArrayVec<(Method, Skip), { Method::ALL.len() }>,
    pub(crate) holes: Holes,
    /// Reserve the destination's space first.
    pub(crate) preallocate: bool,
    /// How many threads read and write.
    pub(crate) threads: usize,
    /// A separate thread hashes what passes through memory.
    pub(crate) hash_beside: bool,
    /// Evict what was copied from the page cache.
    pub(crate) drop_behind: bool,
}

/// A file of at most this many bytes is copied by one read and one write: cheaper than setting up any other method,
/// unless it can be cloned.
pub(crate) const SMALL_BYTES: u64 = 64 << 10;

/// From this size on, bytes, a separate thread computes the hash, if one is free.
pub(crate) const HASH_BESIDE_BYTES: u64 = 4 << 20;

/// From this size on, bytes, space is reserved before it is written, on filesystems where that was measured to be
/// faster.
const PREALLOCATE_BYTES: u64 = 8 << 20;

/// From this size on, bytes, a file is copied around the page cache, on macOS and (by the system's copier) on
/// Windows.
pub(crate) const LARGE_BYTES: u64 = 512 << 20;

/// From this size on, bytes, available memory is queried, to see whether a file and its copy fit.
pub(crate) const ASK_MEMORY_BYTES: u64 = 256 << 20;

/// Makes the plan.
pub(crate) fn plan(facts: &Facts, options: &Options) -> Plan {
    let holes = holes(facts, options.sparse);
    let several = facts.is_for_several();
    let mut plan = Plan {
        methods: ArrayVec::new(),
        skipped: ArrayVec::new(),
        holes,
        preallocate: false,
        threads: if several { facts.threads } else { 1 },
        // Several threads that copy take turns at hashing.
        hash_beside: options.hash_wanted().is_some()
            && facts.threads > 1
            && facts.src.size >= HASH_BESIDE_BYTES
            && !several,
        drop_behind: drops_behind(facts, options),
    };
    for &method in facts.os.order() {
        match skip(method, facts, options, holes) {
            None => plan.methods.push(method),
            Some(why) => plan.skipped.push((method, why)),
        }
    }
    if let Some(preferred) = &facts.preferred {
        prefer::apply(&mut plan, preferred, facts, options);
    }
    plan.preallocate = preallocate(facts, &plan);
    plan
}

/// Whether a clone comes first and is known to work: then facts that only the other methods need are not queried. (If
/// it is refused all the same, the other methods run without these facts.)
pub(crate) fn is_sure_to_clone(facts: &Facts, options: &Options) -> bool {
    let works = facts.same_volume() == Known::Yes && facts.dst_volume.clone == Known::Yes;
    let is_all = options.reflink == Reflink::Always;
    (works || is_all) && skip(Method::Clone, facts, options, holes(facts, options.sparse)).is_none()
}

/// The first Windows build whose copier keeps holes: 11 22H2 (NTDDI_WIN10_NI in winbase.h).
const SPARSE_BUILD: u16 = 22_621;

/// The most entries of a directory that is cloned by one call: the call can't be cancelled, and blocks other
/// processes while it runs (clonefile(2) discourages it for that). A larger directory is walked, and its
/// subdirectories are considered in turn.
pub(crate) const WHOLE_ENTRIES: usize = 1024;

/// The greatest depth of such a directory.
pub(crate) const WHOLE_DEPTH: usize = 32;

/// Whether directories may be cloned by one call: the system can do it, and the clone keeps exactly the attributes
/// that the options ask for.
pub(crate) fn clones_directories(os: Os, options: &Options) -> bool {
    let Preserve { times, xattrs, .. } = options.preserve;
    os == Os::Macos
        && options
            .methods
            .is_none_or(|chosen| chosen.contains(Method::Clone))
        && options.reflink != Reflink::Never
        && options.sparse == Sparse::Auto
        && options.make == Make::Copy
        && options.follow != Follow::Always
        && !options.attributes_only
        && !options.filtered
        && options.flush.is_none()
        && !options.prove
        && options.hash_wanted().is_none()
        && options.fsync != Fsync::File
        && options.on_change == OnChange::Report
        && options.preserve.keeps_acl()
        && times
        && xattrs.wanted()
}

/// Why `method` is not to be tried; `None` if it is.
fn skip(method: Method, facts: &Facts, options: &Options, holes: Holes) -> Option<Skip> {
    if options
        .methods
        .is_some_and(|chosen| !chosen.contains(method))
    {
        // For an empty file the methods don't differ; reading confirms that it is empty.
        let empty = facts.src.size == 0 && facts.src.is_regular && method == Method::ReadWrite;
        if !empty || facts.src_volume.kind == FsKind::Pseudo {
            return Some(Skip::NotChosen);
        }
    }
    if facts.os.creates_destination(method) && !facts.dst_is_free && !fills(facts.os, method) {
        return Some(Skip::DestinationExists);
    }
    by_policy(method, facts, options, holes).or_else(|| {
        // A method that the caller named is tried: the system's result is more reliable than our prediction.
        let asked = options.methods.is_some()
            || (options.reflink == Reflink::Always && method == Method::Clone);
        if asked {
            None
        } else {
            by_facts(method, facts, options.cache).or_else(|| unseen(method, facts, options))
        }
    })
}

/// A method that bypasses memory saves less than reading the copy again for its hash costs, if both are in the page
/// cache (docs/measurements.md). A clone costs nothing, and a server-side copy saves network traffic.
fn unseen(method: Method, facts: &Facts, options: &Options) -> Option<Skip> {
    let hides = matches!(method, Method::CopyRange | Method::Sendfile);
    let local = splices_well(facts.src_volume.kind) && splices_well(facts.dst_volume.kind);
    (options.hash_wanted().is_some() && hides && local).then_some(Skip::BypassesHash)
}

/// Whether a call that copies whole files can also fill an existing one: fcopyfile can, clonefile and CopyFileExW
/// can't.
fn fills(os: Os, method: Method) -> bool {
    os == Os::Macos && method == Method::SystemCopy
}

/// What the options exclude, whatever the facts.
fn by_policy(method: Method, facts: &Facts, options: &Options, holes: Holes) -> Option<Skip> {
    // copy_file_range may share extents (btrfs, XFS, NFS), and so may the copier of Windows 11.
    let may_share = matches!(method, Method::Clone | Method::CopyRange)
        || (method == Method::SystemCopy && facts.os == Os::Windows);
    if options.reflink == Reflink::Never && may_share {
        return Some(Skip::ReflinkNever);
    }
    if options.reflink == Reflink::Always && method != Method::Clone {
        return Some(Skip::ReflinkAlways);
    }
    // Only bytes that pass through memory are certain to be written, zeros included.
    let reads_all = matches!(method, Method::ReadWrite | Method::Direct);
    if options.sparse == Sparse::Never && !reads_all {
        return Some(Skip::HolesPolicy);
    }
    // Older versions of CopyFileExW fill them: see `copyflags` of copyist-sys.
    let fills_holes = method == Method::SystemCopy
        && facts.os == Os::Windows
        && facts.kernel < Kernel(10, SPARSE_BUILD);
    if holes.use_map() && fills_holes {
        return Some(Skip::HolesPolicy);
    }
    // A clone has the source's holes without a search for them, so it suffices for `auto`.
    let clones_holes = method == Method::Clone && options.sparse == Sparse::Auto;
    if holes.are_detected() && !reads_all && !clones_holes {
        return Some(Skip::HolesPolicy);
    }
    None
}

/// What the facts exclude.
fn by_facts(method: Method, facts: &Facts, cache: Cache) -> Option<Skip> {
    if method == Method::ReadWrite {
        return None;
    }
    let sizeless = facts.src.size == 0 || facts.src_volume.kind == FsKind::Pseudo;
    if !facts.src.is_regular || !facts.dst_is_regular || sizeless {
        return Some(Skip::Stream);
    }
    if facts.refused.contains(method) {
        return Some(Skip::RefusedBefore);
    }
    match method {
        Method::Clone => clone_by_facts(facts),
        Method::Direct if around_cache(facts, cache) => None,
        _ if around_cache(facts, cache) => Some(Skip::FillsCache),
        Method::CopyRange | Method::Sendfile if facts.is_for_several() => Some(Skip::Slower),
        Method::CopyRange if facts.same_volume() != Known::Yes => {
            across_volumes_is_buggy(facts.kernel).or_else(|| small(facts))
        }
        // One copy of the data fewer than read and write (docs/measurements.md).
        Method::CopyRange if facts.dst_volume.kind == FsKind::Tmpfs => None,
        Method::SystemCopy if facts.src.is_compressed => None,
        Method::SystemCopy if by_direct(facts) => Some(Skip::Slower),
        Method::CopyRange | Method::SystemCopy => small(facts),
        Method::Sendfile
            if splices_well(facts.src_volume.kind) && splices_well(facts.dst_volume.kind) =>
        {
            small(facts)
        }
        Method::Sendfile => Some(Skip::Slower),
        Method::Direct if by_direct(facts) => None,
        // Faster for uncached files that are larger than memory; used only if named by the caller.
        Method::Direct => Some(Skip::Slower),
        Method::ReadWrite => None,
    }
}

/// macOS: bypass the page cache for large files, as the reference's decision tree does. copyfile would evict
/// everything else from it.
fn by_direct(facts: &Facts) -> bool {
    facts.os == Os::Macos && facts.src.size >= LARGE_BYTES && !facts.src.is_compressed
}

/// Whether the options demand that the page cache is left alone in a way that only direct I/O provides.
fn around_cache(facts: &Facts, cache: Cache) -> bool {
    match cache {
        Cache::Auto | Cache::Keep => false,
        Cache::DropBehind => facts.os != Os::Linux,
        Cache::Direct => true,
    }
}

/// Whether copied data is to be evicted from the page cache.
fn drops_behind(facts: &Facts, options: &Options) -> bool {
    let sized = facts.src.is_regular && facts.dst_is_regular;
    facts.os == Os::Linux
        && sized
        && match options.cache {
            Cache::Keep => false,
            Cache::DropBehind | Cache::Direct => true,
            // Both source and destination would be cached.
            Cache::Auto => facts
                .memory_bytes
                .is_some_and(|free| facts.src.size > free / 2),
        }
}

fn clone_by_facts(facts: &Facts) -> Option<Skip> {
    if facts.same_volume() == Known::No {
        Some(Skip::OtherVolume)
    } else if facts.dst_volume.clone == Known::No {
        Some(Skip::VolumeCannot)
    } else if facts.os == Os::Windows && facts.src.size <= facts.dst_volume.block_bytes.into() {
        // At most one cluster could be shared, and setting up the destination takes more calls than reading and
        // writing it.
        Some(Skip::TooSmall)
    } else if facts.dst_volume.clone == Known::Yes {
        None
    } else {
        // Unknown: a refused attempt would cost a small file more than a clone could save; and on XFS the transaction
        // of a clone costs more than copying so little data.
        small(facts)
    }
}

fn small(facts: &Facts) -> Option<Skip> {
    (facts.src.size <= SMALL_BYTES).then_some(Skip::TooSmall)
}

/// Whether sendfile was measured to be faster than read and write there: it takes 0.7 to 0.8 of the time between
/// local filesystems, and 1.3 times as long on FUSE (docs/measurements.md).
fn splices_well(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::F2fs | FsKind::Tmpfs
    )
}

/// Linux 5.3 allowed copy_file_range between any two filesystems, and 5.19 disallowed it again: data was lost between
/// (commit 868f9f2f8e00, "vfs: fix copy_file_range() regression in cross-fs copies").
fn across_volumes_is_buggy(kernel: Kernel) -> Option<Skip> {
    (kernel >= Kernel(5, 3) && kernel < Kernel(5, 19)).then_some(Skip::BuggyKernel)
}

fn holes(facts: &Facts, policy: Sparse) -> Holes {
    if !facts.dst_is_regular {
        return Holes::Ignore;
    }
    let is_sized = facts.src.is_regular && facts.src_volume.kind != FsKind::Pseudo;
    let looks_sparse = is_sized && facts.src.looks_sparse();
    let uses_map = looks_sparse && facts.src_volume.kind.hole_map_is_sound();
    match policy {
        Sparse::Never => Holes::Ignore,
        Sparse::Always if uses_map => Holes::MapAndDetect,
        // In streams too.
        Sparse::Always => Holes::Detect,
        Sparse::Auto if uses_map => Holes::Map,
        Sparse::Auto if looks_sparse => Holes::Detect,
        Sparse::Auto => Holes::Ignore,
    }
}

/// Whether to reserve the destination's space first. Never where holes are to be kept, since the reservation would
/// fill them.
fn preallocate(facts: &Facts, plan: &Plan) -> bool {
    let pays = match plan.methods.iter().find(|it| **it != Method::Clone) {
        Some(Method::Direct) => true,
        // Several writers that extend one file wait for each other: with a reservation, two threads take 0.75 of the
        // time (docs/measurements.md).
        Some(Method::ReadWrite) => {
            plan.threads > 1 && matches!(facts.dst_volume.kind, FsKind::Ext | FsKind::Xfs)
        }
        _ => false,
    };
    pays && plan.holes == Holes::Ignore
        && facts.dst_is_regular
        && facts.src.size >= PREALLOCATE_BYTES
}

impl Planned {
    pub(crate) fn new(facts: &Facts, plan: &Plan) -> Planned {
        Planned {
            size: facts.src.size,
            src_kind: facts.src_volume.kind,
            dst_kind: facts.dst_volume.kind,
            same_volume: facts.same_volume(),
            is_regular: facts.src.is_regular && facts.dst_is_regular,
            looks_sparse: facts.src.looks_sparse(),
            threads: plan.threads,
            preallocates: plan.preallocate,
            methods: plan.methods.to_vec(),
            skipped: plan.skipped.to_vec(),
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
