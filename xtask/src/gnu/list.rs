//! Which of coreutils' tests are run, and which are known to skip.

use std::fs;
use std::path::Path;

use super::suite::Variant;
use crate::error::{Context, Result};

/// Outside tests/cp: those that exercise what cp does too. Where they try every program, the list
/// of programs is narrowed to cp (see [`only_cp`]).
const OTHERS: [&str; 16] = [
    "misc/xattr.sh",
    "misc/selinux.sh",
    "misc/close-stdout.sh",
    "ln/misc.sh",
    "mv/childproof.sh",
    "mv/dup-source.sh",
    "mv/hard-2.sh",
    "mv/hard-3.sh",
    "mv/i-2.sh",
    "mv/part-symlink.sh",
    "mv/trailing-slash.sh",
    "mv/update.sh",
    "help/help-version.sh",
    "misc/usage_vs_getopt.sh",
    "misc/getopt_vs_usage.sh",
    "misc/invalid-opt.pl",
];

/// Tests that skip, and why. A skip that is not here is a failure.
const EXPECTED_SKIPS: &[(&str, &str)] = &[
    ("cp/cp-a-selinux.sh", SELINUX),
    ("cp/no-ctx.sh", SELINUX),
    ("misc/selinux.sh", SELINUX),
    (
        "cp/nfs-removal-race.sh",
        "it stands in for the C library's fstatat, and ours calls fstatat64; \
         `sim::races` plays the same race",
    ),
];

const SELINUX: &str = "it needs a kernel with SELinux; GNU's cp skips it too";

/// Why this test may skip.
pub(super) fn expected_skip(test: &str) -> Option<&'static str> {
    let known = EXPECTED_SKIPS.iter().find(|(name, _)| *name == test);
    known.map(|(_, why)| *why)
}

/// Whether the test tries every program that was built.
pub(super) fn only_cp(test: &str) -> bool {
    test.starts_with("help/") || test.contains("usage") || test.contains("invalid-opt")
}

/// How long a test may take, seconds: two copy thousands of files on purpose.
pub(super) fn limit_secs(test: &str) -> u64 {
    match test {
        "cp/perm.sh" | "cp/link-heap.sh" => 180,
        _ => 60,
    }
}

/// The tests, by their names below `tests`.
pub(super) fn all(tests: &Path) -> Result<Vec<String>> {
    let cp = tests.join("cp");
    let mut names = Vec::new();
    for entry in fs::read_dir(&cp).at("list", &cp)? {
        let name = entry.at("list", &cp)?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".sh") || name.ends_with(".pl") {
            names.push(format!("cp/{name}"));
        }
    }
    names.sort();
    let others = OTHERS.iter().filter(|name| tests.join(name).exists());
    names.extend(others.map(|name| (*name).to_owned()));
    Ok(names)
}

/// Whether a test, of this text, is for this variant.
pub(super) fn belongs(test: &str, text: &str, variant: Variant) -> bool {
    let says = |word: &str| text.lines().any(|line| line.starts_with(word));
    match variant {
        Variant::Ext4 => !says("skip_if_root_"),
        Variant::User => !says("require_root_"),
        Variant::Btrfs | Variant::Xfs => {
            !says("skip_if_root_") && (test.starts_with("cp/") || test == "misc/xattr.sh")
        }
    }
}
