//! Two files compared where stat's size is not their length.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;

use super::build::Builder;
use super::scenarios::system;
use super::volume::Volume;
use crate::compare::{self, Compare, Difference, Found};
use crate::error::Error;
use crate::facts::FsKind;
use crate::method::Os;
use crate::progress::CancelToken;

#[derive(Default)]
struct Differences(Mutex<Vec<Difference>>);

impl Found for Differences {
    fn difference(&self, _: &Path, difference: &Difference) {
        self.0.lock().unwrap().push(difference.clone());
    }

    fn error(&self, error: &Error) {
        panic!("{error}");
    }
}

/// Compares a file of `len` bytes on a server, whose size is said to be `says`, with a copy of `copied`.
fn differences(says: u64, len: u64, copied: u64) -> Vec<Difference> {
    let server = Volume {
        says_size: Some(says),
        ..Volume::new(2, FsKind::Fuse)
    };
    let sim = system(Os::Linux, server, Some(Volume::new(3, FsKind::Ext)));
    Builder::below(&sim, OsStr::new("/from")).file("file", len);
    Builder::below(&sim, OsStr::new("/to")).file("file", copied);
    let compare = Compare {
        threads: 2,
        ..Compare::default()
    };
    let found = Differences::default();
    let sides = (Path::new("/from/file"), Path::new("/to/file"));
    compare::run(&sim, &compare, sides, &CancelToken::new(), &found);
    found.0.into_inner().unwrap()
}

#[test]
fn files_are_compared_to_where_reads_end() {
    let len = 3_000_001;
    for says in [3, len, 1 << 20, 1 << 30] {
        assert_eq!(differences(says, len, len), [], "{says}");
        // What lies behind the size that both agree in, and a copy that is short or long.
        let content = |at| [Difference::Content(at)];
        assert_eq!(differences(says, len, len - 1), content(len - 1), "{says}");
        assert_eq!(differences(says, len, len + 1), content(len), "{says}");
    }
}
