//! Checks of the tables: every rule has a reason, none hides another, each method covers every code.

use super::*;

const SYSTEMS: [Os; 3] = [Os::Linux, Os::Macos, Os::Windows];

/// Whether every situation that `later` matches is already decided by `earlier`.
fn shadows(earlier: &Rule, later: &Rule) -> bool {
    earlier.method == later.method
        && (earlier.code.is_none() || earlier.code == later.code)
        && (earlier.fs.is_none() || earlier.fs == later.fs)
        && (!earlier.untouched || later.untouched)
}

#[test]
fn every_rule_says_why() {
    for os in SYSTEMS {
        for rule in table(os) {
            assert!(rule.why.len() > 8, "{os:?}: {rule:?}");
        }
    }
}

#[test]
fn no_rule_is_shadowed() {
    for os in SYSTEMS {
        let rules = table(os);
        for (n, later) in rules.iter().enumerate() {
            for earlier in &rules[..n] {
                assert!(
                    !shadows(earlier, later),
                    "{os:?}: {earlier:?} hides {later:?}"
                );
            }
        }
    }
}

#[test]
fn the_shadow_lint_can_fail() {
    let any = Rule::new(Method::Clone, None, Verdict::Next, Scope::File, "any");
    let one = Rule::new(
        Method::Clone,
        Some(Code(5)),
        Verdict::Fatal,
        Scope::File,
        "one",
    );
    assert!(shadows(&any, &one) && !shadows(&one, &any));
}

#[test]
fn every_method_of_a_system_ends_in_a_rule_for_all_codes() {
    for os in SYSTEMS {
        for &method in os.order() {
            let last = table(os).iter().rfind(|rule| rule.method == method);
            assert!(
                last.is_some_and(|rule| rule.code.is_none()),
                "{os:?} {method}"
            );
        }
    }
}

#[test]
fn real_errors_are_never_papered_over() {
    let linux = [linux::EIO, linux::ENOSPC, linux::EDQUOT, linux::ENOMEM];
    let macos = [macos::EIO, macos::ENOSPC, macos::EDQUOT, macos::ENOMEM];
    for (os, real, fs) in [
        (Os::Linux, linux, FsKind::Xfs),
        (Os::Macos, macos, FsKind::Apfs),
    ] {
        for &method in os.order() {
            for (code, touched) in real.iter().flat_map(|it| [(*it, false), (*it, true)]) {
                let situation = Situation {
                    os,
                    method,
                    src_fs: fs,
                    dst_fs: fs,
                    touched,
                };
                let verdict = judge(situation, code).verdict;
                assert_eq!(verdict, Verdict::Fatal, "{method} {code:?}");
            }
        }
    }
}

/// Every rule of macOS's table is reached: each method, code, filesystem and state is judged, and counted.
#[test]
fn every_rule_of_macos_decides_something() {
    let kinds = [FsKind::Apfs, FsKind::HfsPlus, FsKind::ExFat, FsKind::Cifs];
    let own = [Code::NO_PROGRESS, Code(9999)];
    let codes = macos::NAMES.iter().map(|(code, _)| *code).chain(own);
    let mut used = std::collections::BTreeSet::new();
    let mut count = 0;
    for code in codes {
        for &method in Os::Macos.order() {
            for (src_fs, dst_fs) in kinds.iter().flat_map(|a| kinds.map(|b| (*a, b))) {
                for touched in [false, true] {
                    let situation = Situation {
                        os: Os::Macos,
                        method,
                        src_fs,
                        dst_fs,
                        touched,
                    };
                    let rule = judge(situation, code);
                    let place = macos::RULES.iter().position(|it| std::ptr::eq(it, rule));
                    used.insert(place.expect("a rule of macOS's table"));
                    count += 1;
                }
            }
        }
    }
    println!("{count} situations, {} rules of macOS", used.len());
    assert_eq!(used.len(), macos::RULES.len());
}

#[test]
fn cifs_may_refuse_a_range_with_eio_only_before_anything_moved() {
    let mut situation = Situation {
        os: Os::Linux,
        method: Method::CopyRange,
        src_fs: FsKind::Cifs,
        dst_fs: FsKind::Cifs,
        touched: false,
    };
    assert_eq!(judge(situation, linux::EIO).verdict, Verdict::Next);
    situation.touched = true;
    assert_eq!(judge(situation, linux::EIO).verdict, Verdict::Fatal);
}
