//! Properties of the plan, checked for every combination of facts and options; and a table of typical cases for
//! readers.

use super::*;
use crate::words::facts::{FileFacts, VolumeFacts};
use crate::words::method::MethodSet;

const SYSTEMS: [(Os, &[FsKind]); 3] = [
    (
        Os::Linux,
        &[
            FsKind::Btrfs,
            FsKind::Xfs,
            FsKind::Ext,
            FsKind::Zfs,
            FsKind::Tmpfs,
            FsKind::Overlay,
            FsKind::Fuse,
            FsKind::Nfs,
            FsKind::Cifs,
            FsKind::ExFat,
            FsKind::Pseudo,
            FsKind::Other,
        ],
    ),
    (
        Os::Macos,
        &[
            FsKind::Apfs,
            FsKind::HfsPlus,
            FsKind::ExFat,
            FsKind::Cifs,
            FsKind::Other,
        ],
    ),
    (
        Os::Windows,
        &[FsKind::Refs, FsKind::Ntfs, FsKind::ExFat, FsKind::Other],
    ),
];
const SIZES: [u64; 4] = [0, SMALL_BYTES, PREALLOCATE_BYTES, 1 << 40];
const KERNELS: [Kernel; 2] = [Kernel(5, 10), Kernel(5, 19)];
const REFLINKS: [Reflink; 3] = [Reflink::Auto, Reflink::Always, Reflink::Never];
const SPARSES: [Sparse; 3] = [Sparse::Auto, Sparse::Always, Sparse::Never];

fn volume(id: u64, kind: FsKind, clone: Known) -> VolumeFacts {
    VolumeFacts {
        id,
        kind,
        block_bytes: 4096,
        clone,
        folds_case: Known::Unknown,
        parallel_from_bytes: match kind {
            FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::Tmpfs => Some(8 << 20),
            _ => None,
        },
    }
}

/// Calls `check` with every combination of volumes, files, kernels and refused methods.
fn every_fact(check: &mut dyn FnMut(&Facts)) {
    for (os, kinds) in SYSTEMS {
        for (&src, &dst) in kinds
            .iter()
            .flat_map(|src| kinds.iter().map(move |dst| (src, dst)))
        {
            for clone in [Known::Yes, Known::No, Known::Unknown] {
                for dst_id in [1, 2] {
                    if dst_id == 1 && src != dst {
                        continue;
                    }
                    let src_volume = volume(1, src, clone);
                    every_file(os, src_volume, volume(dst_id, dst, clone), check);
                }
            }
        }
    }
}

fn every_file(os: Os, src: VolumeFacts, dst: VolumeFacts, check: &mut dyn FnMut(&Facts)) {
    let refusals = [
        MethodSet::EMPTY,
        MethodSet::EMPTY.with(Method::Clone),
        MethodSet::EMPTY
            .with(Method::Clone)
            .with(Method::CopyRange)
            .with(Method::SystemCopy),
    ];
    let kernels = if os == Os::Linux {
        &KERNELS[..]
    } else {
        &KERNELS[..1]
    };
    for size in SIZES {
        for allocated_bytes in [0, size] {
            for (is_regular, dst_is_regular, dst_is_free) in [
                (true, true, true),
                (true, true, false),
                (true, false, false),
                (false, true, true),
            ] {
                for &kernel in kernels {
                    for refused in refusals {
                        check(&Facts {
                            os,
                            kernel,
                            src: FileFacts {
                                size,
                                allocated_bytes,
                                is_regular,
                                is_compressed: false,
                            },
                            src_volume: src,
                            dst_volume: dst,
                            dst_is_regular,
                            dst_is_free,
                            // With one thread, the plans of a small and of a large file differ from those with two.
                            threads: if size > PREALLOCATE_BYTES { 2 } else { 1 },
                            memory_bytes: None,
                            refused,
                            preferred: None,
                        });
                    }
                }
            }
        }
    }
}

/// Every policy, with the choice left to the planner and with each method chosen alone.
fn every_option() -> Vec<Options> {
    let mut all = Vec::new();
    let alone = Method::ALL.map(|method| Some(MethodSet::EMPTY.with(method)));
    let two = MethodSet::EMPTY
        .with(Method::CopyRange)
        .with(Method::ReadWrite);
    for methods in [None, Some(two)].into_iter().chain(alone) {
        for reflink in REFLINKS {
            for sparse in SPARSES {
                all.push(Options {
                    methods,
                    reflink,
                    sparse,
                    ..Options::default()
                });
            }
        }
    }
    all
}

#[test]
fn every_plan_keeps_its_promises() {
    let options = every_option();
    let (mut count, mut of_macos) = (0_u64, 0_u64);
    every_fact(&mut |facts| {
        for options in &options {
            let plan = plan(facts, options);
            if let Some(broken) = broken(&plan, facts, options) {
                panic!("{broken}: {plan:#?}\nof {facts:#?}\nand {options:#?}");
            }
            count += 1;
            of_macos += u64::from(facts.os == Os::Macos);
        }
    });
    println!("{count} plans, {of_macos} of them of macOS");
}

/// The property that a plan violates, if any.
fn broken(plan: &Plan, facts: &Facts, options: &Options) -> Option<&'static str> {
    if let Some(broken) = structure_broken(plan, facts).or_else(|| shape_broken(plan, facts)) {
        return Some(broken);
    }
    let has = |method| plan.methods.contains(&method);
    let skipped = |method| plan.skipped.iter().any(|(it, _)| *it == method);
    let may_share = has(Method::Clone)
        || has(Method::CopyRange)
        || (has(Method::SystemCopy) && facts.os == Os::Windows);
    let chosen = |method| options.methods.is_none_or(|set| set.contains(method));
    let by_kernel = has(Method::CopyRange) || has(Method::Sendfile) || has(Method::SystemCopy);
    let buggy = facts.kernel >= Kernel(5, 3) && facts.kernel < Kernel(5, 19);
    let is_auto = options.methods.is_none();
    let holes_kept = plan.holes != Holes::Ignore;
    let checks = [
        (
            options.reflink == Reflink::Never && may_share,
            "never shares nothing",
        ),
        (
            options.reflink == Reflink::Always
                && plan.methods.iter().any(|it| *it != Method::Clone),
            "always clones, or fails",
        ),
        (
            options.reflink != Reflink::Always
                && chosen(Method::ReadWrite)
                && plan.methods.last() != Some(&Method::ReadWrite),
            "reading and writing is the last resort",
        ),
        (
            plan.holes.are_detected() && by_kernel,
            "holes are found by reading, or not at all",
        ),
        (
            options.sparse == Sparse::Never && (has(Method::Clone) || holes_kept),
            "holes that are to be filled are not kept",
        ),
        (
            options.sparse == Sparse::Always && has(Method::Clone) && holes_kept,
            "a clone makes no new holes",
        ),
        (
            is_auto && buggy && facts.same_volume() == Known::No && has(Method::CopyRange),
            "a call that corrupts data is not planned",
        ),
        (
            facts
                .refused
                .iter()
                .any(|it| is_auto && has(it) && it != Method::ReadWrite)
                && options.reflink != Reflink::Always,
            "what was refused before is not tried again",
        ),
        (
            is_auto
                && has(Method::Clone)
                && facts.same_volume() == Known::No
                && options.reflink != Reflink::Always,
            "nothing is cloned between two volumes",
        ),
        (
            plan.methods.iter().any(|it| !chosen(*it)) && facts.src.size > 0,
            "only what was chosen is tried",
        ),
        (
            skipped(Method::ReadWrite) && is_auto && options.reflink != Reflink::Always,
            "always there",
        ),
    ];
    first_broken(&checks)
}

/// The property about holes or existing destinations that a plan violates, if any.
fn shape_broken(plan: &Plan, facts: &Facts) -> Option<&'static str> {
    let has = |method| plan.methods.contains(&method);
    let holes_kept = plan.holes != Holes::Ignore;
    let checks = [
        (
            !facts.dst_is_free
                && ((facts.os == Os::Macos && has(Method::Clone))
                    || (facts.os == Os::Windows && has(Method::SystemCopy))),
            "what makes destinations is not planned for one that exists",
        ),
        (
            plan.preallocate && holes_kept,
            "space is not reserved where holes are to be",
        ),
        (
            !facts.src_volume.kind.hole_map_is_sound() && plan.holes.use_map(),
            "a map that may lie is not asked",
        ),
    ];
    first_broken(&checks)
}

fn first_broken(checks: &[(bool, &'static str)]) -> Option<&'static str> {
    let broken = checks.iter().find(|(broken, _)| *broken);
    broken.map(|(_, promise)| *promise)
}

/// Every method of the system is planned or skipped, once, in the system's order.
fn structure_broken(plan: &Plan, facts: &Facts) -> Option<&'static str> {
    let order = facts.os.order();
    let mut planned = order.iter().filter(|method| plan.methods.contains(method));
    if !plan.methods.iter().eq(planned.by_ref()) {
        return Some("the methods are the system's, once each, in its order");
    }
    for method in order {
        let times = plan.skipped.iter().filter(|(it, _)| it == method).count()
            + plan.methods.iter().filter(|it| *it == method).count();
        if times != 1 {
            return Some("each method is planned or skipped, with one reason");
        }
    }
    let all = plan.methods.len() + plan.skipped.len();
    (all != order.len()).then_some("no other system's methods")
}

#[test]
fn the_same_facts_make_the_same_plan() {
    let options = Options::default();
    every_fact(&mut |facts| {
        assert_eq!(plan(facts, &options), plan(facts, &options));
    });
}

/// A row of the table: what is copied from where to where, and what is then tried.
struct Row {
    os: Os,
    kernel: Kernel,
    src: FsKind,
    /// `None`: the same volume.
    dst: Option<FsKind>,
    size: u64,
    sparse_looking: bool,
    exists: bool,
    threads: usize,
    compressed: bool,
    options: Options,
}

const NEW: Kernel = Kernel(6, 12);

fn row(os: Os, src: FsKind, dst: Option<FsKind>, size: u64) -> Row {
    Row {
        os,
        kernel: NEW,
        src,
        dst,
        size,
        sparse_looking: false,
        exists: false,
        threads: 1,
        compressed: false,
        options: Options::default(),
    }
}

fn linux(src: FsKind, dst: Option<FsKind>, size: u64) -> Row {
    row(Os::Linux, src, dst, size)
}

impl Row {
    fn reflink(mut self, reflink: Reflink) -> Row {
        self.options.reflink = reflink;
        self
    }

    fn sparse(mut self, sparse: Sparse) -> Row {
        self.options.sparse = sparse;
        self
    }

    fn holes(mut self) -> Row {
        self.sparse_looking = true;
        self
    }

    fn cache(mut self, cache: Cache) -> Row {
        self.options.cache = cache;
        self
    }

    fn threads(mut self, threads: usize) -> Row {
        self.threads = threads;
        self
    }

    fn compressed(mut self) -> Row {
        (self.compressed, self.sparse_looking) = (true, true);
        self
    }

    fn existing(mut self) -> Row {
        self.exists = true;
        self
    }

    fn kernel(mut self, kernel: Kernel) -> Row {
        self.kernel = kernel;
        self
    }

    fn only(mut self, method: Method) -> Row {
        self.options.methods = Some(MethodSet::EMPTY.with(method));
        self
    }

    /// The plan in words.
    fn plan(&self) -> String {
        let says_clone = |kind| match kind {
            FsKind::Btrfs | FsKind::Apfs => Known::Yes,
            FsKind::Pseudo | FsKind::HfsPlus | FsKind::ExFat => Known::No,
            _ => Known::Unknown,
        };
        let src_volume = volume(1, self.src, says_clone(self.src));
        let dst_volume = self
            .dst
            .map_or(src_volume, |kind| volume(2, kind, says_clone(kind)));
        let plan = plan(
            &Facts {
                os: self.os,
                kernel: self.kernel,
                src: FileFacts {
                    size: self.size,
                    allocated_bytes: if self.sparse_looking {
                        self.size / 2
                    } else {
                        self.size
                    },
                    is_regular: true,
                    is_compressed: self.compressed,
                },
                src_volume,
                dst_volume,
                dst_is_regular: true,
                dst_is_free: !self.exists,
                threads: self.threads,
                memory_bytes: Some(1 << 30),
                refused: MethodSet::EMPTY,
                preferred: None,
            },
            &self.options,
        );
        let methods: Vec<_> = plan.methods.iter().map(|method| method.name()).collect();
        let holes = match plan.holes {
            Holes::Ignore => "",
            Holes::Map => ", holes by the map",
            Holes::Detect => ", holes by reading",
            Holes::MapAndDetect => ", holes by the map and by reading",
        };
        let reserved = if plan.preallocate {
            ", space reserved"
        } else {
            ""
        };
        let threads = if plan.threads > 1 && plan.methods.contains(&Method::ReadWrite) {
            format!(", {} threads", plan.threads)
        } else {
            String::new()
        };
        let behind = if plan.drop_behind {
            ", dropped behind"
        } else {
            ""
        };
        format!("{}{holes}{reserved}{threads}{behind}", methods.join(" > "))
    }
}

const SMALL: u64 = 4 << 10;
const LARGE: u64 = 256 << 20;
const HUGE: u64 = 4 << 30;

#[test]
#[rustfmt::skip] // one case, one line: this is a table
fn typical_plans() {
    use FsKind::{Apfs, Btrfs, Cifs, ExFat, Ext, HfsPlus, Nfs, Ntfs, Refs, Tmpfs};
    use Os::{Macos, Windows};
    let macos = |src, dst, size| row(Macos, src, dst, size);
    let table = [
        (linux(Btrfs, None, SMALL), "clone > read-write"),
        (linux(Btrfs, None, LARGE), "clone > copy-range > sendfile > read-write"),
        (linux(Btrfs, None, LARGE).holes(), "clone > copy-range > sendfile > read-write, holes by the map"),
        (linux(Btrfs, None, LARGE).reflink(Reflink::Always), "clone"),
        (linux(Btrfs, None, LARGE).reflink(Reflink::Never), "sendfile > read-write"),
        (linux(Btrfs, Some(FsKind::Xfs), LARGE), "copy-range > sendfile > read-write"),
        (linux(Btrfs, Some(FsKind::Xfs), LARGE).kernel(Kernel(5, 10)), "sendfile > read-write"),
        (linux(Ext, None, LARGE), "clone > copy-range > sendfile > read-write"),
        (linux(Ext, None, LARGE).threads(2), "clone > read-write, space reserved, 2 threads"),
        (linux(Ext, None, LARGE).threads(2).holes(), "clone > read-write, holes by the map, 2 threads"),
        (linux(Ext, None, SMALL).threads(2), "read-write"),
        (linux(Tmpfs, Some(Ext), LARGE).threads(4), "read-write, space reserved, 4 threads"),
        (linux(Ext, Some(Tmpfs), LARGE).threads(2), "read-write, 2 threads"),
        (linux(Nfs, Some(Ext), LARGE).threads(2), "copy-range > read-write"),
        (linux(Ext, None, LARGE).threads(2).only(Method::CopyRange), "copy-range"),
        (linux(Ext, None, LARGE).cache(Cache::DropBehind), "clone > copy-range > sendfile > read-write, dropped behind"),
        (linux(Ext, None, LARGE).cache(Cache::Direct), "clone > direct > read-write, space reserved, dropped behind"),
        (linux(Ext, None, HUGE), "clone > copy-range > sendfile > read-write, dropped behind"),
        (linux(Ext, None, HUGE).cache(Cache::Keep), "clone > copy-range > sendfile > read-write"),
        (macos(Apfs, None, LARGE).cache(Cache::DropBehind), "clone > direct > read-write, space reserved"),
        (macos(Apfs, None, SMALL), "clone > read-write"),
        (macos(Apfs, None, LARGE), "clone > system-copy > read-write"),
        (macos(Apfs, None, LARGE).holes(), "clone > read-write, holes by reading"),
        (macos(Apfs, None, LARGE).reflink(Reflink::Never), "system-copy > read-write"),
        (macos(Apfs, None, LARGE).reflink(Reflink::Always), "clone"),
        (macos(Apfs, None, LARGE).existing(), "system-copy > read-write"),
        (macos(Apfs, None, LARGE).existing().reflink(Reflink::Always), ""),
        (macos(Apfs, Some(Apfs), LARGE), "clone > system-copy > read-write"),
        (macos(Apfs, Some(HfsPlus), LARGE), "system-copy > read-write"),
        (macos(HfsPlus, None, LARGE), "system-copy > read-write"),
        (macos(ExFat, None, LARGE), "system-copy > read-write"),
        (macos(Cifs, None, SMALL), "read-write"),
        (macos(Cifs, None, LARGE).holes(), "clone > system-copy > read-write, holes by the map"),
        (macos(Apfs, Some(HfsPlus), SMALL).compressed(), "system-copy > read-write"),
        (macos(Apfs, Some(Apfs), HUGE).compressed(), "clone > system-copy > read-write"),
        (macos(Apfs, None, HUGE), "clone > direct > read-write, space reserved"),
        (macos(Apfs, Some(ExFat), HUGE), "direct > read-write, space reserved"),
        (macos(Apfs, None, LARGE).sparse(Sparse::Never), "read-write"),
        (macos(Apfs, None, LARGE).only(Method::Direct), "direct, space reserved"),
        (macos(Apfs, None, LARGE).only(Method::SystemCopy), "system-copy"),
        (row(Windows, Refs, None, LARGE), "clone > system-copy > read-write"),
        (row(Windows, Ntfs, None, LARGE).existing(), "clone > read-write"),
        (row(Windows, Ntfs, None, LARGE).reflink(Reflink::Never), "read-write"),
    ];
    for (n, (row, wanted)) in table.iter().enumerate() {
        assert_eq!(row.plan(), *wanted, "row {n}");
    }
}
