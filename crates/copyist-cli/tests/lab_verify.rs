//! `verify` finds what the medium lost, beneath the page cache.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;
use rustix::fs::{XattrFlags, removexattr, setxattr};

fn text(command: &mut Command) -> Fallible<String> {
    let output = command.output()?;
    assert!(output.status.success(), "{command:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the file's first byte lies in its volume.
fn first_byte(file: &Path) -> Fallible<u64> {
    let table = text(Command::new("filefrag").args(["-v", "-b1"]).arg(file))?;
    // "   0:        0..  1048575:  134217728.. 135266303: ..."
    let line = table
        .lines()
        .find(|line| line.trim_start().starts_with("0:"));
    let physical = line
        .and_then(|line| line.split(':').nth(2))
        .ok_or("no extent")?;
    Ok(physical
        .split("..")
        .next()
        .unwrap_or_default()
        .trim()
        .parse()?)
}

/// The image that holds the volume of a file.
fn image(file: &Path) -> Fallible<PathBuf> {
    let device = text(
        Command::new("findmnt")
            .args(["-n", "-o", "SOURCE", "-T"])
            .arg(file),
    )?;
    let name = device.trim().trim_start_matches("/dev/").to_owned();
    let backing = fs::read_to_string(format!("/sys/block/{name}/loop/backing_file"))?;
    Ok(PathBuf::from(backing.trim_end()))
}

fn verify(arguments: &[&str], src: &Path, dst: &Path) -> Fallible<(Option<i32>, String)> {
    let mut command = Command::new(Program::under_test().path);
    let output = command
        .arg("verify")
        .args(arguments)
        .arg(src)
        .arg(dst)
        .output()?;
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

#[test]
fn a_byte_flipped_in_the_image_is_found() -> Fallible<()> {
    let Some(place) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&place)?;
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    let mut data = vec![0; 1 << 20];
    fastrand::Rng::with_seed(7).fill(&mut data);
    fs::write(&src, &data)?;
    // Not by copyist: what is not proved here is the copy.
    fs::write(&dst, &data)?;
    File::open(&dst)?.sync_all()?;
    let ignore = "--ignore=timestamps";
    assert_eq!(verify(&[ignore], &src, &dst)?.0, Some(0));

    let (at, image) = (first_byte(&dst)? + 1000, image(&dst)?);
    let image = OpenOptions::new().read(true).write(true).open(image)?;
    let mut byte = [0];
    image.read_exact_at(&mut byte, at)?;
    assert_eq!(byte[0], data[1000], "the place in the image is right");
    // What was read just now is in the cache again.
    assert_eq!(fs::read(&dst)?, data);
    image.write_all_at(&[byte[0] ^ 1], at)?;
    image.sync_all()?;

    assert_eq!(fs::read(&dst)?, data, "the cache still hides it");
    let cached = verify(&[ignore, "--cached"], &src, &dst)?;
    assert_eq!(cached.0, Some(0), "{cached:?}");
    let (code, said) = verify(&[ignore], &src, &dst)?;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with(".: its content differs from byte 1000 on\n"),
        "{said}"
    );
    Ok(())
}

#[test]
fn an_owner_and_extended_attributes_are_compared() -> Fallible<()> {
    for name in ["btrfs", "xfs", "ext4", "tmpfs"] {
        let Some(place) = place(name) else { continue };
        let scratch = Scratch::new(&place)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        fs::create_dir(&src)?;
        for file in ["less", "more", "other", "owner", "same"] {
            fs::write(src.join(file), file)?;
            setxattr(src.join(file), "user.a", b"1", XattrFlags::empty())?;
        }
        let mut copy = Command::new(Program::under_test().path);
        copy.args(["copy", "--quiet"]).arg(&src).arg(&dst);
        text(&mut copy)?;
        assert_eq!(verify(&[], &src, &dst)?.0, Some(0), "{name}");

        std::os::unix::fs::chown(dst.join("owner"), Some(1234), Some(5678))?;
        removexattr(dst.join("less"), "user.a")?;
        setxattr(dst.join("more"), "user.b", b"", XattrFlags::empty())?;
        setxattr(dst.join("other"), "user.a", b"2", XattrFlags::empty())?;
        let (code, said) = verify(&[], &src, &dst)?;
        assert_eq!(code, Some(1), "{name}: {said}");
        let mut lines: Vec<_> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines[1..],
            [
                "less: its attribute user.a differs",
                "more: its attribute user.b differs",
                "other: its attribute user.a differs",
                "owner: its owner is 1234:5678, and in the source 0:0",
            ],
            "{name}"
        );
        assert!(lines[0].ends_with("4 DIFFERENCES"), "{name}: {said}");
        let (code, said) = verify(&["--ignore=ownership,xattr"], &src, &dst)?;
        assert_eq!(code, Some(0), "{name}: {said}");
    }
    Ok(())
}
