//! The FUSE filesystem passes everything through, and misbehaves exactly as asked.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A mounted filesystem; dropping it unmounts and waits for its process.
struct Mount {
    directory: TempDir,
    process: Child,
}

impl Mount {
    /// None, and a line that says so, where nobody can mount.
    fn new(options: &[&str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
            println!("not run: mounting needs root and /dev/fuse");
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        let (point, backing) = (
            directory.path().join("mount"),
            directory.path().join("backing"),
        );
        fs::create_dir(&point).expect("a mount point");
        fs::create_dir(&backing).expect("a backing directory");
        // Few descriptors, so that inodes have to be closed and found again.
        let process = Command::new("sh")
            .args(["-c", r#"ulimit -n 300; exec "$0" fuse "$@""#])
            .arg(env!("CARGO_BIN_EXE_xtask"))
            .args([&point, &backing])
            .args(options)
            .spawn()
            .expect("xtask fuse starts");
        let device = |path: &Path| fs::metadata(path).expect("metadata").dev();
        let deadline = Instant::now() + Duration::from_secs(10);
        while device(&point) == device(&backing) {
            assert!(Instant::now() < deadline, "it is not mounted");
            thread::sleep(Duration::from_millis(5));
        }
        Some(Self { directory, process })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("mount").join(name)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.path("")).status();
        let ended = self.process.wait();
        if !thread::panicking() {
            assert!(unmounted.expect("umount").success());
            assert!(ended.expect("an ending").success(), "xtask fuse failed");
        }
    }
}

/// Runs a shell script with `$1` and `$2`, and returns what it printed.
#[track_caller]
fn shell(script: &str, arguments: [&Path; 2]) -> String {
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", script, "sh"]).args(arguments);
    let output = command.output().expect("sh runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &errors
}

const TREE: &str = r#"
    cd "$1"
    echo hi > a; ln a hard; ln -s a sym; ln -s /nonexistent dangling
    mkfifo fifo; mknod null c 1 3; mknod disk b 7 300
    touch -d '1960-02-03 04:05:06.123456789' old; touch -d '1969-12-31 23:59:59.9Z' older
    touch -d '2300-01-01 00:00:00.987654321' future; touch -h -d '2001-01-01 00:00:00.5' sym
    truncate -s 100M sparse; echo data | dd of=sparse bs=1 seek=50000000 conv=notrunc 2> /dev/null
    setfattr -n user.x -v y a; setfattr -h -n trusted.sym -v onlink sym; setfacl -m u:1234:rwx a
    mkdir d; setfacl -d -m g:77:rx d; chmod 1777 d
    cp /bin/true suid; chown 12:34 suid; chmod 6755 suid; setcap cap_net_raw+ep suid
    mkdir ro; echo x > ro/f; chmod 500 ro; chmod 0 future
    printf x > "$(printf 'new\nline')"; printf x > "$(printf '\377\376')"
    printf x > "$(printf '%0255d' 0)"; seq 300000 > large
"#;

#[test]
fn cp_and_rsync_copy_everything() {
    let Some(mount) = Mount::new(&[]) else { return };
    let source = TempDir::new().expect("a temporary directory");
    let compare = r#"rsync -aHAXn --delete --itemize-changes "$1/" "$2/""#;
    shell(TREE, [source.path(), source.path()]);
    for (copy, name) in [
        (r#"cp -a "$1" "$2""#, "cp"),
        (r#"rsync -aHAXS "$1/" "$2/""#, "rsync"),
    ] {
        let destination = mount.path(name);
        shell(copy, [source.path(), &destination]);
        assert_eq!(
            shell(compare, [source.path(), &destination]),
            "",
            "after {copy}"
        );
        assert_eq!(
            shell(compare, [&destination, source.path()]),
            "",
            "backwards, after {copy}"
        );
        let sparse = fs::metadata(destination.join("sparse")).expect("metadata");
        assert!(sparse.blocks() < 1000, "the hole was filled by {copy}");
        assert_eq!(
            fs::read(destination.join("large")).ok(),
            fs::read(source.path().join("large")).ok()
        );
    }
}

#[test]
fn there_may_be_more_files_than_descriptors() {
    let Some(mount) = Mount::new(&[]) else {
        return;
    };
    let source = TempDir::new().expect("a temporary directory");
    let make = r#"
        cd "$1"
        for d in $(seq 40); do mkdir -p "a/$d/b"; for f in $(seq 30); do echo "$d $f" > "a/$d/b/$f"; done; done
        seq 100 | while read d; do mkdir d; cd d; echo x > f; done
    "#;
    shell(make, [source.path(), source.path()]);
    let change = r#"
        cd "$1"; find . > /dev/null
        exec 3< a/7/b/7; mv a/7 moved; mv -T a/8/b a/9/c; mv a/10/b/1 a/10/b/2; rm -r a/11
        find . -type f -exec cat {} + > /dev/null
        cat <&3
    "#;
    let copy = mount.path("copy");
    shell(r#"cp -a "$1" "$2""#, [source.path(), &copy]);
    assert_eq!(shell(change, [&copy, &copy]), "7 7\n");
    assert_eq!(shell(change, [source.path(), source.path()]), "7 7\n");
    let compare = r#"rsync -aHAXnO --delete --itemize-changes "$1/" "$2/""#;
    assert_eq!(shell(compare, [source.path(), &copy]), "");
    shell(r#"rm -r "$1""#, [&copy, &copy]);
}

#[test]
fn programs_run_from_it() {
    // The kernel maps them into memory.
    let Some(mount) = Mount::new(&[]) else { return };
    fs::copy("/bin/true", mount.path("true")).expect("a copy");
    assert!(
        Command::new(mount.path("true"))
            .status()
            .expect("it starts")
            .success()
    );
}

#[test]
fn a_removed_file_lives_while_it_is_open() {
    let Some(mount) = Mount::new(&[]) else { return };
    let path = mount.path("f");
    let mut file = File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&path)
        .expect("a file");
    fs::remove_file(&path).expect("removed");
    file.write_all(b"still here").expect("written");
    fs::write(&path, b"another").expect("another of that name");
    let mut content = String::new();
    file.rewind().expect("rewound");
    file.read_to_string(&mut content).expect("read");
    assert_eq!(content, "still here");
    assert_eq!(file.metadata().expect("metadata").nlink(), 0);
}

#[test]
fn what_a_user_creates_is_the_users() {
    let Some(mount) = Mount::new(&[]) else { return };
    fs::set_permissions(mount.path(""), fs::Permissions::from_mode(0o777)).expect("chmod");
    // The user needs to reach the mount point too.
    fs::set_permissions(mount.directory.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let script = "setpriv --reuid 1234 --regid 1234 --clear-groups sh -euc \
        'cd \"$0\"; umask 027; touch f; mkdir d; ln -s f l; mknod p p; touch d/f; ! cat ../backing/none 2>/dev/null' \"$1\"";
    shell(script, [&mount.path(""), Path::new("")]);
    for (name, mode) in [
        ("f", 0o640),
        ("d", 0o750),
        ("l", 0o777),
        ("p", 0o640),
        ("d/f", 0o640),
    ] {
        let metadata = fs::symlink_metadata(mount.path(name)).expect("metadata");
        let found = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        assert_eq!(found, (1234, 1234, mode), "{name}");
    }
}

#[test]
fn the_chosen_write_fails() {
    let Some(mount) = Mount::new(&["--fail", "write:EIO:2", "--fail", "fsync:EDQUOT:1+"]) else {
        return;
    };
    let file = File::create(mount.path("f")).expect("a file");
    let outcomes: Vec<_> = (0..3)
        .map(|number| file.write_at(b"x", number * 4096))
        .collect();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(code(&outcomes[1]), Some(libc::EIO));
    for _ in 0..2 {
        assert_eq!(code(&file.sync_all()), Some(libc::EDQUOT));
    }
}

fn code<T>(outcome: &std::io::Result<T>) -> Option<i32> {
    outcome
        .as_ref()
        .err()
        .and_then(std::io::Error::raw_os_error)
}

#[test]
fn parallel_requests_wait_together() {
    let Some(mount) = Mount::new(&["--latency-ms", "50"]) else {
        return;
    };
    let path = mount.path("f");
    fs::write(&path, vec![1; 16 << 20]).expect("a file");
    let file = File::open(&path).expect("opened");
    let started = Instant::now();
    thread::scope(|scope| {
        for number in 0..16 {
            let file = &file;
            scope.spawn(move || {
                file.read_exact_at(&mut [0; 4096], number << 20)
                    .expect("read")
            });
        }
    });
    let took = started.elapsed();
    assert!(
        (50..800).contains(&took.as_millis()),
        "16 reads took {took:?}"
    );
}

#[test]
fn holes_are_told_or_lied_about() {
    for (options, lies) in [(&[][..], false), (&["--lie-holes"][..], true)] {
        let Some(mount) = Mount::new(options) else {
            return;
        };
        let file = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(mount.path("f"));
        let file = file.expect("a file");
        file.write_all_at(&[7; 65536], 1 << 20).expect("written");
        file.set_len(4 << 20).expect("extended");
        let data = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0)).ok();
        let hole = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(1 << 20)).ok();
        let truth = (Some(1 << 20), Some((1 << 20) + 65536));
        assert_eq!(
            (data, hole),
            if lies { (None, Some(1 << 20)) } else { truth }
        );
        let end = (&file).seek(SeekFrom::End(0)).expect("an ordinary seek");
        assert_eq!(end, 4 << 20);
    }
}

#[test]
fn case_is_folded_and_kept() {
    let Some(mount) = Mount::new(&["--fold-case"]) else {
        return;
    };
    fs::write(mount.path("Straße"), b"1").expect("a file");
    assert_eq!(fs::read(mount.path("STRAßE")).expect("found"), b"1");
    let again = File::options()
        .create_new(true)
        .write(true)
        .open(mount.path("straße"));
    assert_eq!(code(&again), Some(libc::EEXIST));
    fs::rename(mount.path("straße"), mount.path("STRASSE")).expect("renamed");
    let names: Vec<_> = fs::read_dir(mount.path(""))
        .expect("a listing")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["STRASSE"]);
    fs::remove_file(mount.path("sTrAsSe")).expect("removed");
    assert!(!mount.path("Strasse").exists());
}

#[test]
fn what_it_does_not_offer_is_refused_clearly() {
    let Some(mount) = Mount::new(&[]) else { return };
    let file = File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(mount.path("f"))
        .expect("a file");
    let allocated = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, 4096);
    assert_eq!(allocated, Err(rustix::io::Errno::OPNOTSUPP));
    assert_eq!(
        rustix::fs::ioctl_ficlone(&file, &file),
        Err(rustix::io::Errno::OPNOTSUPP)
    );
}

#[test]
fn a_signal_ends_it() {
    let Some(mut mount) = Mount::new(&[]) else {
        return;
    };
    let pid = rustix::process::Pid::from_child(&mount.process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert!(mount.process.wait().expect("an ending").success());
    // Drop wants something to unmount.
    shell(
        r#"mount -t tmpfs none "$1""#,
        [&mount.path(""), Path::new("")],
    );
}
