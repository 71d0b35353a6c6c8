//! The library has no effect on the process that it is in: eight threads copy, and at no moment is
//! anything of the process other than before.

#![cfg(unix)]
#![forbid(unsafe_code)]

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use copyist::options::{NewMode, Preserve};
use copyist::probe::Probe;
use copyist::verify::{Compare, Difference, Found};
use copyist::{CancelToken, Copier, Error};
use rustix::fs::Mode;
use rustix::process::{Resource, getpriority_process, getrlimit, umask};

const THREADS: usize = 8;
const FILES: usize = 16;
pub(crate) const UMASK: u32 = 0o027;

/// What a process has that a library could change. Linux says most of it in one file, which other systems
/// do not have.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    status: Vec<String>,
    current_dir: std::path::PathBuf,
    limits: Vec<(Option<u64>, Option<u64>)>,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    niceness: i32,
}

const LINES: &[&str] = &[
    "Umask:",
    "SigBlk:",
    "SigIgn:",
    "SigCgt:",
    "Uid:",
    "Gid:",
    "Groups:",
    "NoNewPrivs:",
    "Seccomp:",
    "CapEff:",
    "Cpus_allowed:",
    "CoreDumping:",
    "TracerPid:",
];

/// The lines of this thread's status that stay the same.
fn status() -> Vec<String> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let lines = status.lines().map(str::to_owned);
    lines
        .filter(|line| LINES.iter().any(|name| line.starts_with(name)))
        .collect()
}

fn process() -> io::Result<Process> {
    let limits = [
        Resource::Nofile,
        Resource::Fsize,
        Resource::As,
        Resource::Core,
        Resource::Cpu,
        Resource::Data,
        Resource::Stack,
    ];
    Ok(Process {
        status: status(),
        current_dir: std::env::current_dir()?,
        limits: limits
            .map(|limit| {
                let limit = getrlimit(limit);
                (limit.current, limit.maximum)
            })
            .to_vec(),
        environment: std::env::vars_os().collect(),
        niceness: getpriority_process(None)?,
    })
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

/// Makes files and looks at their modes until told to stop: the host, whose files copyist must not touch.
fn host(dir: &Path, stop: &AtomicBool) -> io::Result<usize> {
    let before = status();
    let mut made = 0;
    while !stop.load(Ordering::Relaxed) {
        let path = dir.join("host");
        fs::write(&path, "")?;
        assert_eq!(mode(&path)?, 0o666 & !UMASK, "the host's file {made}");
        fs::remove_file(&path)?;
        assert_eq!(status(), before, "after the host's file {made}");
        made += 1;
    }
    Ok(made)
}

/// What is found is not what is tested here.
struct Silent;

impl Found for Silent {
    fn difference(&self, _: &Path, _: &Difference) {}
    fn error(&self, _: &Error) {}
}

/// What one thread copies, each time in another way, with the mode that it has in the end.
fn copies(dir: &Path, thread: usize) -> Result<(), Box<dyn std::error::Error>> {
    let own = dir.join(thread.to_string());
    fs::create_dir(&own)?;
    let mut owner = Preserve::NOTHING;
    owner.owner = true;
    let new_modes = [NewMode::FromSource, NewMode::SystemDefault];
    for n in 0..FILES {
        let (src, dst) = (dir.join("src/f"), own.join(format!("f{n}")));
        copyist::copy(&src, &dst)?;
        assert_eq!(mode(&dst)?, 0o777, "{}", dst.display());
        let copier = Copier::new().preserve(owner).new_mode(new_modes[n % 2]);
        let (src, dst) = (dir.join("src"), own.join(format!("d{n}")));
        copier.copy_tree(&src, &dst)?;
        let of_file = [0o777, 0o666][n % 2] & !UMASK;
        assert_eq!(mode(&dst)?, 0o777 & !UMASK, "{}", dst.display());
        assert_eq!(mode(&dst.join("f"))?, of_file, "{}", dst.display());
    }
    let compare = Compare::default();
    let compared = compare.run(
        dir.join("src"),
        own.join("d0"),
        &CancelToken::new(),
        &Silent,
    );
    assert_eq!(compared.errors, 0);
    Probe::pair(dir.join("src"), &own)?;
    copyist::hash::hash_file(
        dir.join("src/f"),
        copyist::hash::HashKind::Blake3,
        false,
        &CancelToken::new(),
    )?;
    Ok(())
}

#[test]
fn eight_threads_copy_and_the_process_stays_as_it_was() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    let dir = temp.path();
    fs::create_dir(dir.join("src"))?;
    fs::write(dir.join("src/f"), "data")?;
    for (name, mode) in [("src", 0o777), ("src/f", 0o777)] {
        fs::set_permissions(dir.join(name), Permissions::from_mode(mode))?;
    }
    fs::write(dir.join("first"), "")?;
    if mode(&dir.join("first"))? != 0o666 & !UMASK {
        umask(Mode::from_raw_mode(UMASK as _));
    }
    let before = process()?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let host = scope.spawn(|| host(dir, &stop));
        let copying: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || copies(dir, thread).map_err(|it| it.to_string())))
            .collect();
        let ended: Vec<_> = copying.into_iter().map(|it| it.join()).collect();
        stop.store(true, Ordering::Relaxed);
        let made = host.join();
        for copied in ended {
            copied.expect("it did not panic")?;
        }
        assert!(made.expect("it did not panic")? > 0);
        Ok::<(), Box<dyn std::error::Error>>(())
    })?;
    assert_eq!(process()?, before);
    Ok(())
}
