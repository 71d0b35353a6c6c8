//! Linux on other processors, and with musl, whose parts come with Rust's standard library.

use super::Variables;
use crate::error::Result;

pub(super) const TARGETS: [&str; 6] = [
    "aarch64-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
    MUSL,
    "aarch64-unknown-linux-musl",
];

/// What is linked, statically, and run here too.
pub(super) const MUSL: &str = "x86_64-unknown-linux-musl";

/// Checks all targets; returns their number.
pub(super) fn build() -> Result<u64> {
    // BLAKE3 in Rust alone: nothing is linked, so no processor's C compiler is needed.
    let variables: &Variables = &[("CARGO_FEATURE_PURE".to_owned(), "1".to_owned())];
    for target in TARGETS {
        // What clippy calls a useless conversion is none where a C type has another width.
        super::lint_but(target, variables, &["-A", "clippy::all"])?;
    }
    Ok(TARGETS.len() as u64)
}
