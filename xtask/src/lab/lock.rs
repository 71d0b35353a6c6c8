//! One command at a time works on a lab.
//!
//! The lock is held by this process and by each program that it starts to make the lab, through
//! their standard input. So when this process is killed, the next `down` waits until the last
//! `mkfs` or `mount` is over, and nothing is mounted behind its back.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::error::{Context, Error, Result};

/// How long the programs of a killed command may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel drops the lock when its last holder ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn take(root: &Path) -> Result<Self> {
        let directory = File::open(root).at("open", root)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(Errno::WOULDBLOCK) => {
                    let root = root.display();
                    return Err(Error::new(format!(
                        "another command is using the lab at {root}"
                    )));
                }
                outcome => return outcome.at("lock", root).map(|()| Self(directory)),
            }
        }
    }

    /// The standard input for a program that has to hold the lock too.
    pub(super) fn input(&self) -> Result<Stdio> {
        self.0
            .try_clone()
            .doing("duplicate the lock of the lab")
            .map(Stdio::from)
    }
}
