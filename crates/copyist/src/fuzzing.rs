//! The entry points of the fuzzers in `fuzz/`: parts of the engine that have no other outside user.

use crate::run::holes;
use crate::think::plan::{Holes, plan as make_plan};
use crate::think::rules::{Situation, Verdict, judge};
use crate::words::code::Code;
use crate::words::facts::{Facts, FileFacts, FsKind, Kernel, Known, VolumeFacts};
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Options, Reflink, Sparse};

/// A sequence of bytes; 0 when there are none left.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    fn is(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Numbers of every size.
    fn number(&mut self) -> u64 {
        let (shift, mantissa) = (self.byte() % 64, u64::from(self.byte()));
        mantissa
            .wrapping_shl(shift.into())
            .wrapping_add(u64::from(self.byte() % 3))
    }

    fn methods(&mut self) -> MethodSet {
        let bits = self.byte();
        let chosen = Method::ALL.iter().enumerate();
        chosen
            .filter(|(n, _)| bits >> n & 1 == 1)
            .fold(MethodSet::EMPTY, |set, (_, method)| set.with(*method))
    }
}

const KINDS: [FsKind; 12] = [
    FsKind::Btrfs,
    FsKind::Xfs,
    FsKind::Ext,
    FsKind::Zfs,
    FsKind::Tmpfs,
    FsKind::Overlay,
    FsKind::Fuse,
    FsKind::Nfs,
    FsKind::Pseudo,
    FsKind::Apfs,
    FsKind::Refs,
    FsKind::Other,
];

fn volume(bytes: &mut Bytes<'_>) -> VolumeFacts {
    let known = [Known::Yes, Known::No, Known::Unknown];
    VolumeFacts {
        id: u64::from(bytes.byte() % 3),
        kind: bytes.one_of(&KINDS),
        block_bytes: bytes.one_of(&[512, 4096, 65536]),
        clone: bytes.one_of(&known),
        folds_case: bytes.one_of(&known),
        parallel_from_bytes: bytes.is().then(|| bytes.number()),
    }
}

fn facts(bytes: &mut Bytes<'_>) -> Facts {
    Facts {
        os: bytes.one_of(&[Os::Linux, Os::Macos, Os::Windows, Os::Freebsd]),
        kernel: Kernel(u16::from(bytes.byte() % 8), u16::from(bytes.byte() % 24)),
        src: FileFacts {
            size: bytes.number(),
            allocated_bytes: bytes.number(),
            is_regular: bytes.is(),
            is_compressed: bytes.is(),
        },
        src_volume: volume(bytes),
        dst_volume: volume(bytes),
        dst_is_regular: bytes.is(),
        dst_is_free: bytes.is(),
        threads: usize::from(bytes.byte() % 5),
        memory_bytes: bytes.is().then(|| bytes.number()),
        refused: bytes.methods(),
        preferred: None, // its order is not the system's
    }
}

/// Checks that the plan for any facts and options has its promised properties, and that any code has a valid verdict.
///
/// # Panics
///
/// If one does not.
pub fn plan(data: &[u8]) {
    let mut bytes = Bytes(data.iter());
    let facts = facts(&mut bytes);
    let options = Options {
        reflink: bytes.one_of(&[Reflink::Auto, Reflink::Always, Reflink::Never]),
        sparse: bytes.one_of(&[Sparse::Auto, Sparse::Always, Sparse::Never]),
        methods: bytes.is().then(|| bytes.methods()),
        ..Options::default()
    };
    let plan = make_plan(&facts, &options);
    let order = facts.os.order();
    assert_eq!(plan.methods.len() + plan.skipped.len(), order.len());
    for method in order {
        let planned = plan.methods.contains(method);
        let skipped = plan.skipped.iter().any(|(it, _)| it == method);
        assert!(
            planned != skipped,
            "{method} is planned and skipped, or neither"
        );
    }
    let position = |method: &Method| order.iter().position(|it| it == method);
    assert!(plan.methods.is_sorted_by_key(position), "out of order");
    let has = |method| plan.methods.contains(&method);
    match options.reflink {
        Reflink::Always => assert!(plan.methods.iter().all(|it| *it == Method::Clone)),
        Reflink::Never => assert!(!has(Method::Clone) && !has(Method::CopyRange)),
        // Read and write is always possible, so something is always left to try.
        Reflink::Auto if options.methods.is_none() => assert!(has(Method::ReadWrite)),
        Reflink::Auto => {}
    }
    if options.sparse == Sparse::Never {
        assert_eq!(plan.holes, Holes::Ignore);
        assert!(!has(Method::Clone) && !has(Method::CopyRange));
    }
    if plan.holes.use_map() {
        assert!(facts.src_volume.kind.hole_map_is_sound());
    }
    assert!(!plan.preallocate || plan.holes == Holes::Ignore);
    assert!(plan.threads >= 1 && plan.threads <= facts.threads.max(1));
    verdict(&mut bytes, &facts);
}

fn verdict(bytes: &mut Bytes<'_>, facts: &Facts) {
    let code = Code(i32::from(bytes.byte()) - 2);
    let method = bytes.one_of(facts.os.order());
    let situation = Situation {
        os: facts.os,
        method,
        src_fs: facts.src_volume.kind,
        dst_fs: facts.dst_volume.kind,
        touched: bytes.is(),
    };
    let rule = judge(situation, code);
    assert!(!rule.why.is_empty());
    if method == Method::ReadWrite {
        assert_ne!(rule.verdict, Verdict::Next, "there is nothing after it");
    }
}

/// Decodes a journal of any bytes: see `journal::format`.
///
/// # Panics
///
/// If damaged bytes are taken for a record, or a record for damage.
pub fn journal(data: &[u8]) {
    crate::file::journal::fuzz(data);
}

/// Checks that the runs of zeros found in data cover it without gaps, and are correct.
///
/// # Panics
///
/// If they are not.
pub fn runs(data: &[u8]) {
    let Some((first, data)) = data.split_first() else {
        return;
    };
    let block = 1 << (first % 8);
    let (mut at, mut last) = (0, None);
    while at < data.len() {
        let (run, is_zero) = holes::next_run(data, at, block);
        assert!(run.start == at && run.end > at && run.end <= data.len());
        assert!(run.end == data.len() || run.end.is_multiple_of(block));
        assert_eq!(
            is_zero,
            data[run.clone()].iter().all(|byte| *byte == 0),
            "{run:?}"
        );
        assert_ne!(last, Some(is_zero), "two runs that are one");
        (at, last) = (run.end, Some(is_zero));
    }
}
