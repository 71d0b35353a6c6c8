//! The calls that would change the process are not made: they end it here.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![forbid(unsafe_code)]

use std::fs;
use std::process::Command;

mod process;

use process::UMASK;

/// Ends the process at the first call that would change it.
const STAND_IN: &str = r#"
void abort(void);
long write(int, const void *, unsigned long);

#define REFUSED(name) int name() { write(2, #name "\n", sizeof #name); abort(); }
REFUSED(umask)
REFUSED(chdir)
REFUSED(fchdir)
REFUSED(chroot)
REFUSED(setrlimit)
REFUSED(setrlimit64)
REFUSED(setenv)
REFUSED(setpriority)
REFUSED(prctl)
"#;

/// The test above once more, in a process that ends at the first such call: seen or not, it is not made.
#[test]
fn no_call_changes_the_process() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    let (source, library) = (temp.path().join("it.c"), temp.path().join("it.so"));
    fs::write(&source, STAND_IN)?;
    // The compiler that Rust links with on this system.
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .args([&library, &source]);
    assert!(cc.status()?.success(), "no compiler");
    let mut again = Command::new("sh");
    again
        .args(["-c", &format!("umask {UMASK:o}; LD_PRELOAD=$0 exec \"$@\"")])
        .arg(&library)
        .arg(std::env::current_exe()?)
        .args([
            "--exact",
            "process::eight_threads_copy_and_the_process_stays_as_it_was",
        ]);
    let output = again.output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let ran = String::from_utf8_lossy(&output.stdout);
    assert!(ran.contains("1 passed"), "{ran}");
    Ok(())
}
