//! Linux on other processors, and with musl, whose parts come with Rust's standard library.

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
    for target in TARGETS {
        let mut clippy = super::cargo("clippy", target, &[]);
        // Nothing is linked, so that no processor's C compiler is needed.
        clippy.args(["--features", "copyist/pure", "--all-targets"]);
        // What clippy calls a useless conversion is none where a C type has another width.
        clippy.args(["--", "-D", "warnings", "-A", "clippy::all"]);
        super::succeed(&mut clippy, |_| {})?;
    }
    Ok(TARGETS.len() as u64)
}
