//! What the system limits, and copyist gets along with.

#![cfg(unix)]

mod cli;

use std::process::Command;

use cli::{Scratch, run};

/// A walk has two directories open for each level, and the limit that a login begins with is low.
#[test]
fn a_deep_tree_needs_more_open_files_than_the_soft_limit() {
    let scratch = Scratch::new();
    let deepest = format!("{}leaf", "d/".repeat(100));
    scratch.write(&format!("deep/{deepest}"), "leaf");
    let mut limited = Command::new("sh");
    limited
        .current_dir(&scratch.0)
        .args(["-c", r#"ulimit -Sn 40 && exec "$0" cp -r deep copy"#])
        .arg(env!("CARGO_BIN_EXE_copyist"));
    run(&mut limited, "").is(0, "", "");
    assert_eq!(scratch.read(&format!("copy/{deepest}")), "leaf");
}
