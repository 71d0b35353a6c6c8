//! The calls that would change the process are not made: they end it here.

#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
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
REFUSED(unsetenv)
REFUSED(putenv)
REFUSED(nice)
REFUSED(alarm)
REFUSED(setitimer)
REFUSED(setuid)
REFUSED(seteuid)
REFUSED(setgid)
REFUSED(setegid)
REFUSED(setsid)
REFUSED(setpgid)
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

/// The number of constructors of a program: the pointers in its `.init_array` (see elf(5)).
fn constructors(program: &Path) -> usize {
    let bytes = fs::read(program).expect("a program");
    let number = |at: usize, len: usize| {
        let mut number = [0; 8];
        number[..len].copy_from_slice(&bytes[at..at + len]);
        u64::from_le_bytes(number) as usize
    };
    assert_eq!(&bytes[..6], b"\x7fELF\x02\x01", "64 bits, little endian");
    const SHT_INIT_ARRAY: usize = 14;
    let (sections, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let sections = (0..count).map(|n| sections + n * size);
    let arrays = sections.filter(|at| number(at + 4, 4) == SHT_INIT_ARRAY);
    arrays.map(|at| number(at + 0x20, 8)).sum::<usize>() / 8
}

/// A program that links the library begins as one that does not: nothing of copyist runs before its `main`.
#[test]
fn the_library_brings_no_constructor() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    let (source, empty) = (temp.path().join("empty.rs"), temp.path().join("empty"));
    fs::write(&source, "fn main() {}\n")?;
    let mut rustc = Command::new("rustc");
    rustc.arg("-o").args([&empty, &source]);
    assert!(rustc.status()?.success(), "no compiler");
    let expected = constructors(&empty);
    assert!(expected > 0, "the standard library has one");
    assert_eq!(constructors(&std::env::current_exe()?), expected);
    Ok(())
}
