//! Volumes that don't take an open file's name away at once.

use std::ffi::OsString;

use super::world::{Resolved, World};
use crate::system::Sys;

/// What becomes of a name that is removed while its file is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RemovesOpen {
    #[default]
    Yes,
    /// It stays taken until the file is closed (CIFS).
    AtClose,
    /// It is not removed: the call fails.
    No,
}

/// A name that is to be removed when its file is closed: its directory, and itself.
pub(super) type Pending = (u64, OsString);

impl World {
    /// Whether the name of a file is removed now.
    pub(super) fn removes_now(&mut self, at: &Resolved, ino: u64) -> Sys<bool> {
        let is_open = self.open.values().any(|file| file.ino == ino);
        match self.volume_of(ino).odd.removes_open {
            RemovesOpen::AtClose if is_open => {
                self.pending.insert(ino, (at.dir, at.name.clone()));
                Ok(false)
            }
            RemovesOpen::No if is_open => Err(self.codes.txtbsy),
            _ => Ok(true),
        }
    }

    /// A file was closed.
    pub(super) fn remove_pending(&mut self, ino: u64) {
        let is_open = self.open.values().any(|file| file.ino == ino);
        if !is_open && let Some((dir, name)) = self.pending.remove(&ino) {
            // Another process may have removed it.
            let _ = self.unname(dir, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::scenarios::system;
    use super::super::snapshot;
    use super::super::volume::Volume;
    use super::RemovesOpen;
    use crate::api::probe;
    use crate::words::facts::{FsKind, Known};
    use crate::words::method::{Method, Os};
    use crate::words::observer::CancelToken;

    #[test]
    fn a_probe_tries_what_it_can_and_leaves_nothing() {
        for removes_open in [RemovesOpen::Yes, RemovesOpen::AtClose, RemovesOpen::No] {
            let mut volume = Volume::new(2, FsKind::Cifs);
            volume.odd.removes_open = removes_open;
            let sim = system(Os::Linux, volume, None);
            let before = snapshot::of_world(&sim.world()).len();
            let place = Path::new("/from");
            let cancel = CancelToken::new();
            let probe = probe::probe(&sim, (place, place), &cancel).expect("a probe");
            let tried = probe.method(Method::CopyRange).map(|it| it.known);
            assert_eq!(tried, Some(Known::Yes), "{removes_open:?}: {probe:?}");
            assert_eq!(probe.dst.holes.how, probe::How::Tried, "{removes_open:?}");
            assert_eq!(probe.dst.holes.code, None, "{removes_open:?}");
            assert_eq!(snapshot::of_world(&sim.world()).len(), before);
            assert!(sim.world().open.is_empty());
        }
    }

    #[test]
    fn whatever_nameless_files_are_refused_with_a_copy_takes_a_name() {
        use super::super::scenarios::{Scenario, archive, build};
        use super::super::sweep;
        use crate::think::rules::linux::{EACCES, EEXIST, EINVAL, EIO, ENOENT};
        use crate::words::options::{Atomic, Options};

        for code in [EACCES, EEXIST, EINVAL, EIO, ENOENT] {
            let mut volume = Volume::new(2, FsKind::Ext);
            (volume.nameless, volume.odd.nameless_code) = (false, Some(code));
            let sim = system(Os::Linux, volume, None);
            build(&sim).file("src", 5000);
            let options = Options {
                atomic: Atomic::Required,
                ..archive()
            };
            let scenario = Scenario::new("no nameless", sim.clone(), options);
            let outcome = sweep::run(&sim, &sim, &scenario);
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            let seen = snapshot::of_world(&sim.world());
            assert!(seen.contains_key(Path::new("to/dst")), "{code:?}");
        }
    }

    /// The flag alone says nothing.
    #[test]
    fn direct_io_that_is_refused_at_the_first_transfer_is_none() {
        let sim = system(Os::Linux, Volume::new(2, FsKind::Fuse), None);
        let place = Path::new("/from");
        let probe = probe::probe(&sim, (place, place), &CancelToken::new()).expect("a probe");
        let method = probe.method(Method::Direct).map(|it| it.known);
        assert_eq!(
            (method, probe.dst.direct.known),
            (Some(Known::No), Known::No)
        );
    }

    #[test]
    fn a_cancelled_probe_tries_nothing() {
        let sim = system(Os::Linux, Volume::new(2, FsKind::Btrfs), None).fork();
        let cancel = CancelToken::new();
        cancel.cancel();
        let place = Path::new("/from");
        let probe = probe::probe(&sim, (place, place), &cancel).expect("a probe");
        for (method, answer) in &probe.methods {
            assert_ne!(answer.how, probe::How::Tried, "{method}");
        }
        let writes = |record: &super::super::faults::Record| {
            use super::super::faults::Call;
            matches!(
                record.call,
                Call::Write | Call::Move(_) | Call::Make | Call::Remove
            )
        };
        assert!(!sim.world().faults.log.iter().any(writes));
    }
}
