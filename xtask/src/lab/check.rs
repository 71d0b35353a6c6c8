//! Puts the claims of a filesystem to the test.
//!
//! A test that believes it runs on XFS and runs on the host's ext4 proves nothing, so each claim
//! is checked by what the kernel does, not by what the lab did to bring it about.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{SeekFrom, XattrFlags};
use rustix::io::Errno;

use super::spec::{Claim, Spec};
use crate::error::{Context, Error, Result};

/// Proves all claims of `spec`, mounted under `root`.
pub(super) fn check(root: &Path, spec: &Spec, lab_bytes: u64) -> Result<()> {
    let mountpoint = root.join(spec.name);
    is_mounted(&mountpoint)?;
    for claim in spec.claims {
        let proof = prove(*claim, &mountpoint, lab_bytes);
        proof
            .map_err(|error| Error::new(format!("{} is not what it claims: {error}", spec.name)))?;
    }
    Ok(())
}

/// Without this, a failed mount on a host with ext4 would pass for an ext4 of the lab.
pub(super) fn is_mounted(mountpoint: &Path) -> Result<()> {
    let own = fs::metadata(mountpoint).at("stat", mountpoint)?;
    let parent = mountpoint.parent().unwrap_or(mountpoint);
    let parent_device = fs::metadata(parent).at("stat", parent)?.dev();
    if own.dev() == parent_device {
        return Err(Error::new(format!(
            "nothing is mounted at {}",
            mountpoint.display()
        )));
    }
    Ok(())
}

fn prove(claim: Claim, mountpoint: &Path, lab_bytes: u64) -> Result<()> {
    match claim {
        Claim::Magic(magic) => has_magic(mountpoint, magic),
        Claim::Clones => cloning_gives(mountpoint, Ok(())),
        Claim::RefusesClones => cloning_gives(mountpoint, Err(Errno::OPNOTSUPP)),
        Claim::AtMost(bytes) => has_between(mountpoint, 0, bytes),
        Claim::Roomy => has_between(mountpoint, lab_bytes / 10 * 8, lab_bytes),
        Claim::FoldsCase => folds_case(mountpoint),
        Claim::Delays(latency) => delays(mountpoint, latency),
        Claim::MovesShort => moves_short(mountpoint),
        Claim::LiesAboutHoles => lies_about_holes(mountpoint),
        Claim::CorruptsCopies => corrupts_copies(mountpoint),
        Claim::HoldsAttributes => holds_attributes(mountpoint),
    }
}

fn moves_short(mountpoint: &Path) -> Result<()> {
    const ASKED: usize = 30_000;
    let (here, there) = (mountpoint.join("short"), mountpoint.join("short.copy"));
    fs::write(&here, vec![1; ASKED]).at("write", &here)?;
    let src = File::open(&here).at("open", &here)?;
    let dst = File::create(&there).at("create", &there)?;
    let mut buffer = vec![0; ASKED];
    let moved = [
        rustix::io::pread(&src, &mut buffer[..], 0),
        rustix::io::pwrite(&dst, &buffer, 0),
        rustix::fs::copy_file_range(&src, Some(&mut 0), &dst, Some(&mut 0), ASKED),
    ];
    for path in [&here, &there] {
        fs::remove_file(path).at("remove", path)?;
    }
    let is_short = |moved: &Result<usize, Errno>| moved.is_ok_and(|it| (1..ASKED).contains(&it));
    if moved.iter().all(is_short) {
        return Ok(());
    }
    Err(Error::new(format!(
        "of {ASKED} bytes, a read, a write and copy_file_range moved {moved:?}"
    )))
}

fn has_magic(mountpoint: &Path, magic: u32) -> Result<()> {
    let statfs = rustix::fs::statfs(mountpoint).at("statfs", mountpoint)?;
    // The field's width differs between machines; the numbers have 32 bits.
    let found = statfs.f_type as u32;
    if found == magic {
        return Ok(());
    }
    Err(Error::new(format!(
        "statfs reports type {found:#x}, not {magic:#x}"
    )))
}

fn has_between(mountpoint: &Path, least: u64, most: u64) -> Result<()> {
    let statvfs = rustix::fs::statvfs(mountpoint).at("statfs", mountpoint)?;
    let bytes = statvfs.f_blocks * statvfs.f_frsize;
    if (least..=most).contains(&bytes) {
        return Ok(());
    }
    Err(Error::new(format!(
        "it has {bytes} bytes, not {least} to {most}"
    )))
}

fn cloning_gives(mountpoint: &Path, expected: Result<(), Errno>) -> Result<()> {
    in_scratch(mountpoint, |directory| {
        let (src, dst) = (directory.join("src"), directory.join("dst"));
        fs::write(&src, [7; 64 * 1024]).at("write", &src)?;
        let source = File::open(&src).at("open", &src)?;
        let destination = File::create(&dst).at("create", &dst)?;
        let cloned = rustix::fs::ioctl_ficlone(&destination, &source);
        if cloned != expected {
            return Err(Error::new(format!(
                "FICLONE gave {cloned:?}, not {expected:?}"
            )));
        }
        let copied = fs::read(&dst).at("read", &dst)?;
        if cloned.is_ok() && copied != [7; 64 * 1024] {
            return Err(Error::new("FICLONE succeeded and the clone differs"));
        }
        Ok(())
    })
}

fn folds_case(mountpoint: &Path) -> Result<()> {
    in_scratch(mountpoint, |directory| {
        let upper = directory.join("Ä");
        fs::write(&upper, b"upper").at("write", &upper)?;
        let lower = directory.join("ä");
        let content = fs::read(&lower).at("read, by another case,", &lower)?;
        if content != b"upper" {
            return Err(Error::new("two cases of a name are two files"));
        }
        Ok(())
    })
}

/// Looks up names that do not exist: no cache has them, so each is one request.
fn delays(mountpoint: &Path, latency: Duration) -> Result<()> {
    const REQUESTS: u32 = 16;
    const TRIES: u32 = 10;
    let look_up = |number: u32| mountpoint.join(format!(".absent-{number}")).exists();
    let one_by_one = latency * REQUESTS;
    let started = Instant::now();
    for number in 0..REQUESTS {
        look_up(number);
    }
    let took = started.elapsed();
    if took < one_by_one {
        return Err(Error::new(format!(
            "{REQUESTS} requests took {took:?}, less than the latency"
        )));
    }
    // A busy machine may hold back the threads, but only requests that overlap can ever be faster.
    for _ in 0..TRIES {
        let started = Instant::now();
        thread::scope(|scope| {
            for number in 0..REQUESTS {
                scope.spawn(move || look_up(number));
            }
        });
        if started.elapsed() < one_by_one {
            return Ok(());
        }
    }
    Err(Error::new(format!(
        "{REQUESTS} parallel requests never took less than {one_by_one:?}: they do not overlap"
    )))
}

fn lies_about_holes(mountpoint: &Path) -> Result<()> {
    in_scratch(mountpoint, |directory| {
        let path = directory.join("full");
        fs::write(&path, [7; 64 * 1024]).at("write", &path)?;
        let file = File::open(&path).at("open", &path)?;
        let data = rustix::fs::seek(&file, SeekFrom::Data(0));
        let hole = rustix::fs::seek(&file, SeekFrom::Hole(0));
        match (data, hole) {
            (Err(Errno::NXIO), Ok(0)) => Ok(()),
            honest => Err(Error::new(format!(
                "SEEK_DATA and SEEK_HOLE gave {honest:?}"
            ))),
        }
    })
}

fn corrupts_copies(mountpoint: &Path) -> Result<()> {
    in_scratch(mountpoint, |directory| {
        let (src, dst) = (directory.join("src"), directory.join("dst"));
        let data = [7; 64 * 1024];
        fs::write(&src, data).at("write", &src)?;
        let source = File::open(&src).at("open", &src)?;
        let destination = File::create(&dst).at("create", &dst)?;
        let copied = rustix::fs::copy_file_range(&source, None, &destination, None, data.len());
        let found = fs::read(&dst).at("read", &dst)?;
        match copied {
            Ok(count) if count == data.len() && found.len() == count && found != data => Ok(()),
            honest => Err(Error::new(format!(
                "copy_file_range gave {honest:?}, and the copy is the same"
            ))),
        }
    })
}

fn holds_attributes(mountpoint: &Path) -> Result<()> {
    // version 2; owner rwx, user 1234 r--, group r-x, mask r-x, others ---; see linux/posix_acl_xattr.h.
    const ACL: [u8; 44] = [
        2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xD2, 4, 0, 0, 4, 0, 5, 0, 255,
        255, 255, 255, 16, 0, 5, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
    ];
    in_scratch(mountpoint, |directory| {
        let path = directory.join("attributes");
        fs::write(&path, b"").at("write", &path)?;
        for (name, value) in [
            ("user.lab", &b"value"[..]),
            ("system.posix_acl_access", &ACL),
        ] {
            rustix::fs::setxattr(&path, name, value, XattrFlags::empty())
                .at(&format!("set {name} of"), &path)?;
            let mut found = [0; 64];
            let length =
                rustix::fs::getxattr(&path, name, &mut found).at("read xattrs of", &path)?;
            if &found[..length] != value {
                return Err(Error::new(format!(
                    "{name} reads back as {:?}",
                    &found[..length]
                )));
            }
        }
        Ok(())
    })
}

/// Gives a check a directory of its own, and removes it whatever the outcome.
fn in_scratch(mountpoint: &Path, check: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let directory = mountpoint.join(format!(".lab-check-{}", std::process::id()));
    fs::create_dir(&directory).at("create", &directory)?;
    let outcome = check(&directory);
    let removed = fs::remove_dir_all(&directory).at("remove", &directory);
    outcome.and(removed)
}
