//! Applies earlier measurements between two volumes to the order of the methods.

use arrayvec::ArrayVec;

use super::Plan;
use crate::words::bench_results::Preferred;
use crate::words::facts::Facts;
use crate::words::method::Method;
use crate::words::method::Skip;
use crate::words::options::Options;

/// Orders the methods that copy by their measured speed, including those that are usually skipped as slower. Whether
/// to clone does not depend on speed, and a method that is skipped for another reason than speed stays skipped.
pub(super) fn apply(plan: &mut Plan, preferred: &Preferred, facts: &Facts, options: &Options) {
    if options.methods.is_some() || facts.src.size < preferred.from_bytes {
        return;
    }
    let copies = |method: Method| method != Method::Clone;
    let is_wanted = |(method, why): &(Method, Skip)| {
        copies(*method) && *why == Skip::Slower && preferred.rank(*method).is_some()
    };
    let again: ArrayVec<Method, { Method::ALL.len() }> = plan
        .skipped
        .iter()
        .filter(|skipped| is_wanted(skipped))
        .map(|(method, _)| *method)
        .collect();
    plan.skipped.retain(|skipped| !is_wanted(skipped));
    plan.methods.extend(again);
    // Methods that were not measured come after those that were.
    plan.methods.sort_by_key(|&method| {
        let rank = preferred.rank(method).unwrap_or(usize::MAX);
        (copies(method), rank)
    });
    // Read and write is never refused, so a method after it would never run.
    if let Some(last) = plan.methods.iter().position(|it| *it == Method::ReadWrite) {
        let slower = plan.methods.drain(last + 1..);
        plan.skipped
            .extend(slower.map(|method| (method, Skip::Slower)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;
    use crate::words::facts::{FileFacts, FsKind, Kernel, Known, VolumeFacts};
    use crate::words::method::{MethodSet, Os};
    use crate::words::options::Reflink;

    const GIB: u64 = 1 << 30;

    fn facts(size: u64, order: &[Method]) -> Facts {
        let volume = VolumeFacts {
            id: 1,
            kind: FsKind::Btrfs,
            block_bytes: 4096,
            clone: Known::Yes,
            folds_case: Known::No,
            parallel_from_bytes: Some(8 << 20),
        };
        Facts {
            os: Os::Linux,
            kernel: Kernel(6, 18),
            src: FileFacts {
                size,
                allocated_bytes: size,
                is_regular: true,
                is_compressed: false,
            },
            src_volume: volume,
            dst_volume: volume,
            dst_is_regular: true,
            dst_is_free: true,
            threads: 2,
            memory_bytes: None,
            refused: MethodSet::EMPTY,
            preferred: Some(Preferred::new(GIB, order)),
        }
    }

    fn methods(facts: &Facts, options: &Options) -> Vec<Method> {
        plan(facts, options).methods.to_vec()
    }

    #[test]
    fn the_fastest_comes_first_and_cloning_before_it() {
        use Method::{Clone, CopyRange, Direct, ReadWrite, Sendfile};
        let order = [Direct, CopyRange, ReadWrite, Sendfile, Clone];
        let all = Options::default();
        assert_eq!(
            methods(&facts(GIB, &order), &all),
            [Clone, Direct, CopyRange, ReadWrite]
        );
        let slower = plan(&facts(GIB, &order), &all).skipped;
        assert_eq!(slower.as_slice(), [(Sendfile, Skip::Slower)]);
        // Small files were not measured, and methods that the caller names are not reordered.
        assert_eq!(methods(&facts(GIB / 4, &order), &all), [Clone, ReadWrite]);
        let chosen = Options {
            methods: Some([CopyRange, ReadWrite].into_iter().collect()),
            ..Options::default()
        };
        assert_eq!(
            methods(&facts(GIB, &order), &chosen),
            [CopyRange, ReadWrite]
        );
    }

    #[test]
    fn what_is_forbidden_or_was_refused_stays_out() {
        use Method::{CopyRange, Direct, ReadWrite};
        let order = [CopyRange, Direct, ReadWrite];
        let never = Options {
            reflink: Reflink::Never,
            ..Options::default()
        };
        assert_eq!(methods(&facts(GIB, &order), &never), [Direct, ReadWrite]);
        let mut refused = facts(GIB, &order);
        refused.refused = MethodSet::EMPTY.with(Direct);
        assert_eq!(methods(&refused, &never), [ReadWrite]);
    }
}
