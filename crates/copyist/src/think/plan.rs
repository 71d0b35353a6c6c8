//! Facts and options make a plan: the ordered methods to try, and those skipped with the reason.
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

/// How holes in the source are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// Everything is data.
    Ignore,
    /// The filesystem's map tells data from holes.
    Map,
    /// Blocks of zeros, found by reading, become holes.
    Detect,
    /// The map's holes, and of the data blocks of zeros.
    MapAndDetect,
}

impl Holes {
    /// The filesystem's map says what need not be read.
    pub(crate) const fn use_map(self) -> bool {
        matches!(self, Holes::Map | Holes::MapAndDetect)
    }

    /// Zeros that are read become holes.
    pub(crate) const fn are_detected(self) -> bool {
        matches!(self, Holes::Detect | Holes::MapAndDetect)
    }
}

/// What will be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) methods: ArrayVec<Method, { Method::ALL.len() }>,
    pub(crate) skipped: ArrayVec<(Method, Skip), { Method::ALL.len() }>,
    pub(crate) holes: Holes,
    /// Reserve the destination's space first.
    pub(crate) preallocate: bool,
    /// How many threads read and write.
    pub(crate) threads: usize,
    /// What passes through memory is hashed by a thread of its own.
    pub(crate) hash_beside: bool,
    /// Leave the cache as it was.
    pub(crate) drop_behind: bool,
}

/// A file of at most this many bytes is read and written at once: cheaper than setting up
/// anything else, unless it can be cloned.
pub(crate) const SMALL_BYTES: u64 = 64 << 10;

/// From this size on, bytes, hashing has a thread of its own, if one is free.
pub(crate) const HASH_BESIDE_BYTES: u64 = 4 << 20;

/// From this size on, space is reserved before it is written, where that was measured to pay.
const PREALLOCATE_BYTES: u64 = 8 << 20;

/// From this size on a file is copied around the cache, on macOS and (by its own copier) on Windows.
pub(crate) const LARGE_BYTES: u64 = 512 << 20;

/// From this size on it is asked whether there is memory for a file and its copy.
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
        // Several threads that copy hash in turns.
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

/// Whether a clone comes first, and all that is known says that it will be one: then what only the other
/// methods depend on needn't be asked of the system. (If it is refused all the same, they do without.)
pub(crate) fn is_sure_to_clone(facts: &Facts, options: &Options) -> bool {
    let works = facts.same_volume() == Known::Yes && facts.dst_volume.clone == Known::Yes;
    let is_all = options.reflink == Reflink::Always;
    (works || is_all) && skip(Method::Clone, facts, options, holes(facts, options.sparse)).is_none()
}

/// The Windows from which on its copier keeps holes: 11 22H2 (NTDDI_WIN10_NI in winbase.h).
const SPARSE_BUILD: u16 = 22_621;

/// The most entries of a directory that is cloned whole: the call can't be cancelled, and holds up
/// others while it runs (clonefile(2) discourages it for that). A larger one is walked, and its
/// subdirectories are considered in turn.
pub(crate) const WHOLE_ENTRIES: usize = 1024;

/// How deep such a directory may be.
pub(crate) const WHOLE_DEPTH: usize = 32;

/// Whether directories may be cloned whole: where the system can, and what the options keep is
/// what such a clone keeps, no more and no less.
pub(crate) fn clones_directories(os: Os, options: &Options) -> bool {
    let Preserve {
        mode,
        times,
        xattrs,
        ..
    } = options.preserve;
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
        && mode
        && times
        && xattrs.wanted()
}

/// Why `method` is not to be tried, if it is not.
fn skip(method: Method, facts: &Facts, options: &Options, holes: Holes) -> Option<Skip> {
    if options
        .methods
        .is_some_and(|chosen| !chosen.contains(method))
    {
        // In an empty file there is nothing to choose a method for; reading shows that it is.
        let empty = facts.src.size == 0 && facts.src.is_regular && method == Method::ReadWrite;
        if !empty || facts.src_volume.kind == FsKind::Pseudo {
            return Some(Skip::NotChosen);
        }
    }
    if facts.os.creates_destination(method) && !facts.dst_is_free && !fills(facts.os, method) {
        return Some(Skip::DestinationExists);
    }
    by_policy(method, facts, options, holes).or_else(|| {
        // What the caller asked for by name is tried: the system's own answer is better than ours.
        let asked = options.methods.is_some()
            || (options.reflink == Reflink::Always && method == Method::Clone);
        if asked {
            None
        } else {
            by_facts(method, facts, options.cache).or_else(|| unseen(method, facts, options))
        }
    })
}

/// A method that doesn't show the bytes saves less than reading the copy again for its hash costs,
/// where both are in the cache (docs/measurements.md). A clone costs nothing, and a server's copy
/// saves the network.
fn unseen(method: Method, facts: &Facts, options: &Options) -> Option<Skip> {
    let hides = matches!(method, Method::CopyRange | Method::Sendfile);
    let local = splices_well(facts.src_volume.kind) && splices_well(facts.dst_volume.kind);
    (options.hash_wanted().is_some() && hides && local).then_some(Skip::BypassesHash)
}

/// Whether a call that makes whole copies can also fill a file that is there: fcopyfile can,
/// clonefile and CopyFileExW can't.
fn fills(os: Os, method: Method) -> bool {
    os == Os::Macos && method == Method::SystemCopy
}

/// What the options rule out, whatever the facts.
fn by_policy(method: Method, facts: &Facts, options: &Options, holes: Holes) -> Option<Skip> {
    // copy_file_range shares extents by itself (btrfs, XFS, NFS), and so does Windows 11's copy.
    let may_share = matches!(method, Method::Clone | Method::CopyRange)
        || (method == Method::SystemCopy && facts.os == Os::Windows);
    if options.reflink == Reflink::Never && may_share {
        return Some(Skip::ReflinkNever);
    }
    if options.reflink == Reflink::Always && method != Method::Clone {
        return Some(Skip::ReflinkAlways);
    }
    // Only bytes that pass through memory are sure to be written, zeros included.
    let reads_all = matches!(method, Method::ReadWrite | Method::Direct);
    if options.sparse == Sparse::Never && !reads_all {
        return Some(Skip::HolesPolicy);
    }
    // An older CopyFileExW fills them: see `copyflags` of copyist-sys.
    let fills_holes = method == Method::SystemCopy
        && facts.os == Os::Windows
        && facts.kernel < Kernel(10, SPARSE_BUILD);
    if holes.use_map() && fills_holes {
        return Some(Skip::HolesPolicy);
    }
    // A clone has the source's holes without looking for any, so it does for `auto`.
    let clones_holes = method == Method::Clone && options.sparse == Sparse::Auto;
    if holes.are_detected() && !reads_all && !clones_holes {
        return Some(Skip::HolesPolicy);
    }
    None
}

/// What the facts speak against.
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
        // One copy of the data less than reading and writing it (docs/measurements.md).
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
        // Pays for cold files that are larger than memory; asked for by name until then.
        Method::Direct => Some(Skip::Slower),
        Method::ReadWrite => None,
    }
}

/// macOS: around the cache for large files, as the reference's decision tree has it. copyfile
/// would push everything else out of the cache.
fn by_direct(facts: &Facts) -> bool {
    facts.os == Os::Macos && facts.src.size >= LARGE_BYTES && !facts.src.is_compressed
}

/// Whether the caller wants the cache left alone in a way that only direct I/O knows.
fn around_cache(facts: &Facts, cache: Cache) -> bool {
    match cache {
        Cache::Auto | Cache::Keep => false,
        Cache::DropBehind => facts.os != Os::Linux,
        Cache::Direct => true,
    }
}

/// Whether what passes through the cache is to be dropped from it.
fn drops_behind(facts: &Facts, options: &Options) -> bool {
    let sized = facts.src.is_regular && facts.dst_is_regular;
    facts.os == Os::Linux
        && sized
        && match options.cache {
            Cache::Keep => false,
            Cache::DropBehind | Cache::Direct => true,
            // Both sides of it would be cached.
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
        // What could be shared is one cluster, and setting up its destination takes more calls
        // than reading and writing it.
        Some(Skip::TooSmall)
    } else if facts.dst_volume.clone == Known::Yes {
        None
    } else {
        // Unknown: a refusal would cost a small file more than a clone could save it; and on XFS
        // a clone of one is a transaction dearer than the data.
        small(facts)
    }
}

fn small(facts: &Facts) -> Option<Skip> {
    (facts.src.size <= SMALL_BYTES).then_some(Skip::TooSmall)
}

/// Whether sendfile was measured to beat read and write there: it takes 0.7 to 0.8 of the time
/// between local filesystems, and 1.3 times as long on FUSE (docs/measurements.md).
fn splices_well(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::F2fs | FsKind::Tmpfs
    )
}

/// Linux 5.3 opened copy_file_range to any two filesystems and 5.19 closed it again: data was
/// lost between (commit 868f9f2f8e00, "vfs: fix copy_file_range() regression in cross-fs copies").
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
        // In a stream too.
        Sparse::Always => Holes::Detect,
        Sparse::Auto if uses_map => Holes::Map,
        Sparse::Auto if looks_sparse => Holes::Detect,
        Sparse::Auto => Holes::Ignore,
    }
}

/// Whether to reserve the space of the destination first. Never where holes are to be kept, since
/// the reservation would fill them.
fn preallocate(facts: &Facts, plan: &Plan) -> bool {
    let pays = match plan.methods.iter().find(|it| **it != Method::Clone) {
        Some(Method::Direct) => true,
        // Several writers that each make the file longer wait for each other: two threads take
        // 0.75 of the time of those without a reservation (docs/measurements.md).
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
