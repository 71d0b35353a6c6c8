//! Files that are up to date are left alone: not even their ctime changes. (On other systems the names of
//! extended attributes don't show all access control lists, so attributes are set again.)

#![cfg(target_os = "linux")]

mod cli;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use cli::Scratch;

#[test]
fn a_second_run_over_an_unchanged_tree_changes_nothing() {
    let scratch = Scratch::new();
    scratch.write("src/one", "one");
    scratch.write("src/sub/two", "two and more");
    fs::hard_link(scratch.path("src/one"), scratch.path("src/same")).expect("a link");
    let again = ["cp", "-a", "-u", "-T", "src", "dst"];
    let changed = || {
        ["dst", "dst/one", "dst/same", "dst/sub", "dst/sub/two"].map(|name| {
            let stat = fs::symlink_metadata(scratch.path(name)).expect("there");
            (name, stat.ctime(), stat.ctime_nsec())
        })
    };
    // The first two may find that the source's directories were read.
    scratch.copyist(&again).is(0, "", "");
    scratch.copyist(&again).is(0, "", "");
    let before = changed();
    scratch.copyist(&again).is(0, "", "");
    assert_eq!(changed(), before);

    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(scratch.path("src/sub"), mode).expect("a mode");
    scratch.copyist(&again).is(0, "", "");
    let mode = fs::metadata(scratch.path("dst/sub")).expect("there").mode();
    assert_eq!(mode & 0o777, 0o700, "what has changed is kept");
}
