//! The simulator does what a system does: links, permissions, errors, open files.

use std::ffi::OsStr;

use super::build::Builder;
use super::data::{BLOCK, Data};
use super::scenarios::linux;
use super::volume::Volume;
use super::{Handle, Sim, at};
use crate::system::Data as _;
use crate::system::Names;
use crate::system::{Move, Node, Open, Seek, Sys};
use crate::think::rules::linux::{
    EACCES, EEXIST, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOSPC, ENOTDIR, EXDEV,
};
use crate::words::facts::FsKind;
use crate::words::method::Os;

fn root(sim: &Sim) -> Handle {
    sim.current_dir().unwrap()
}

fn open(sim: &Sim, path: &str, how: Open) -> Sys<Handle> {
    sim.open(at(&root(sim), path), how)
}

const READ: Open = Open::Read { follow: false };
const CREATE: Open = Open::Create { mode: 0o666 };

#[test]
fn a_file_without_a_name_lives_while_it_is_open() {
    let sim = linux(FsKind::Ext, None);
    let file = open(&sim, "from/f", CREATE).unwrap();
    sim.remove(at(&root(&sim), "from/f"), false).unwrap();
    assert_eq!(sim.write(&file, Some(0), b"data"), Ok(4));
    assert_eq!(sim.stat_open(&file).unwrap().links, 0);
    let nodes = sim.world().nodes.len();
    sim.close(file).unwrap();
    assert_eq!(sim.world().nodes.len(), nodes - 1);
    assert_eq!(sim.world().open.len(), 0);
}

#[test]
fn names_are_found_as_a_system_finds_them() {
    let sim = linux(FsKind::Ext, None);
    let builder = Builder::below(&sim, OsStr::new("/from"));
    builder
        .dir("d")
        .file("d/f", 1)
        .symlink("l", "d")
        .symlink("loop", "loop")
        .symlink("up", "../to");
    let code = |path: &str, how| open(&sim, path, how).err();
    assert_eq!(code("from/l/f", READ), None);
    assert_eq!(code("/from/d/../l/./f", READ), None);
    assert_eq!(code("from/l", READ), Some(ELOOP));
    assert_eq!(code("from/loop", Open::Read { follow: true }), Some(ELOOP));
    assert_eq!(code("from/up/", Open::Directory { follow: false }), None);
    assert_eq!(
        code("from/up", Open::Directory { follow: false }),
        Some(ENOTDIR)
    );
    assert_eq!(code("from/d/f/x", READ), Some(ENOTDIR));
    assert_eq!(code("from/none/x", READ), Some(ENOENT));
    assert_eq!(code("from/d/f", CREATE), Some(EEXIST));
    assert_eq!(code("from/l", CREATE), Some(EEXIST));
    assert_eq!(
        code(&format!("from/{}", "n".repeat(256)), READ),
        Some(ENAMETOOLONG)
    );
    let through = Open::CreateThrough { mode: 0o600 };
    builder.symlink("new", "d/made");
    assert_eq!(code("from/new", through), None);
    assert_eq!(code("from/d/made", READ), None);
}

#[test]
fn case_is_folded_where_a_volume_folds_it() {
    let sim = linux(FsKind::Fat, None);
    Builder::below(&sim, OsStr::new("/from")).file("Name", 1);
    assert!(open(&sim, "from/nAME", READ).is_ok());
    assert_eq!(open(&sim, "from/NAME", CREATE).err(), Some(EEXIST));
}

#[test]
fn who_may_not_may_not() {
    let sim = linux(FsKind::Ext, None);
    Builder::below(&sim, OsStr::new("/from"))
        .dir("d")
        .file("d/f", 1)
        .mode("d/f", 0)
        .mode("d", 0o500);
    {
        let mut world = sim.world();
        (world.privileged, world.uid, world.gid) = (false, 0, 0);
    }
    assert_eq!(open(&sim, "from/d/f", READ).err(), Some(EACCES));
    assert_eq!(open(&sim, "from/d/new", CREATE).err(), Some(EACCES));
    assert!(!sim.may_write(at(&root(&sim), "from/d/f")));
}

#[test]
fn links_and_moves_stay_on_their_volume() {
    let sim = linux(FsKind::Ext, Some(FsKind::Xfs));
    Builder::below(&sim, OsStr::new("/from")).file("f", 10);
    let dir = root(&sim);
    let link = Node::HardLink {
        to: at(&dir, "from/f"),
        follow: false,
    };
    assert_eq!(sim.make(at(&dir, "to/f"), link), Err(EXDEV));
    assert_eq!(sim.rename(at(&dir, "from/f"), at(&dir, "to/f")), Err(EXDEV));
    let src = open(&sim, "from/f", READ).unwrap();
    let dst = open(&sim, "to/g", CREATE).unwrap();
    for how in [Move::CloneFile, Move::CopyRange] {
        assert_eq!(sim.move_data(how, &src, &dst, 0, 10), Err(EXDEV));
    }
    assert_eq!(sim.move_data(Move::Sendfile, &src, &dst, 0, 100), Ok(10));
}

#[test]
fn a_clone_shares_blocks_and_nothing_else_does() {
    let sim = linux(FsKind::Btrfs, None);
    Builder::below(&sim, OsStr::new("/from")).sparse("f", 50_000, [0..3, 7..9]);
    let src = open(&sim, "from/f", READ).unwrap();
    let shared = |how| {
        let dst = open(&sim, "to/g", CREATE).unwrap();
        let moved = sim.move_data(how, &src, &dst, 0, 50_000);
        sim.remove(at(&root(&sim), "to/g"), false).unwrap();
        let world = sim.world();
        let ino = |handle: &Handle| world.file(handle.id).unwrap().ino;
        let (src, dst) = (
            world.data(ino(&src)).unwrap(),
            world.data(ino(&dst)).unwrap(),
        );
        assert!(moved.is_err() || src.same_bytes(dst));
        let bytes = dst.shared_bytes(src);
        drop(world);
        (moved, bytes)
    };
    assert_eq!(shared(Move::CloneFile), (Ok(50_000), 50_000));
    assert_eq!(shared(Move::CopyRange), (Ok(50_000), 0));
    let dst = open(&sim, "to/g", CREATE).unwrap();
    assert_eq!(
        sim.move_data(Move::CloneRange, &src, &dst, 1, BLOCK),
        Err(EINVAL)
    );
}

#[test]
fn a_full_volume_takes_what_fits() {
    let small = Volume::new(2, FsKind::Ext).with_free_bytes(4 * BLOCK);
    let sim = super::scenarios::system(Os::Linux, small, None);
    let file = open(&sim, "from/f", CREATE).unwrap();
    assert_eq!(
        sim.write(&file, Some(0), &[1; 5 * BLOCK as usize]),
        Ok(3 * BLOCK as usize)
    );
    assert_eq!(sim.write(&file, Some(3 * BLOCK), &[1]), Err(ENOSPC));
}

#[test]
fn holes_are_where_nothing_was_written() {
    let mut data = Data::default();
    data.write(BLOCK, &[7; 10]);
    data.set_len(5 * BLOCK);
    assert_eq!(data.seek(0, true), Some(BLOCK));
    assert_eq!(data.seek(BLOCK, false), Some(2 * BLOCK));
    assert_eq!(data.seek(2 * BLOCK, true), None);
    assert_eq!(data.seek(5 * BLOCK, false), None);
    assert_eq!(data.allocated_bytes(), BLOCK);
    let mut tail = [9; 20];
    assert_eq!(data.read(BLOCK + 5, &mut tail), 20);
    assert_eq!(tail[..5], [7; 5]);
    assert_eq!(tail[5..], [0; 15]);
    data.set_len(BLOCK + 3);
    data.set_len(2 * BLOCK);
    data.read(BLOCK, &mut tail);
    assert_eq!(tail[..4], [7, 7, 7, 0]);
}

#[test]
fn a_lying_map_hides_data() {
    let sim = linux(FsKind::Zfs, None);
    Builder::below(&sim, OsStr::new("/from")).file("f", 10_000);
    let file = open(&sim, "from/f", READ).unwrap();
    assert_eq!(sim.seek(&file, 0, Seek::Data), Ok(None));
}
