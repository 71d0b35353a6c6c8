//! Names of files that are not complete yet.
//!
//! `.copyist-` and 24 hexadecimal digits: 16 chosen at random, and 8 that follow from them, so
//! that no other file is ever taken for one of ours. Whoever writes one keeps it locked
//! ([`crate::system::Data::lock`]); one that is not locked was left by a run that crashed.

use crate::words::code::Code;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::system::{At, Platform, Sys};
use crate::think::rules;

const PREFIX: &str = ".copyist-";

/// The name of one incomplete file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Temporary(pub(crate) u64);

impl Temporary {
    /// A name that no other process uses.
    pub(crate) fn new() -> Temporary {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // The standard library's hash tables have their seeds from the system.
        Temporary(RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The name itself.
    pub(crate) fn name(self) -> String {
        format!("{PREFIX}{:016x}{:08x}", self.0, check(self.0))
    }

    /// The path of that name in the directory that `path` is in.
    pub(crate) fn beside(self, path: &OsStr) -> OsString {
        Path::new(path).with_file_name(self.name()).into_os_string()
    }

    /// Reads a name; `None` if it is another's.
    pub(crate) fn parse(name: &OsStr) -> Option<Temporary> {
        let digits = name.to_str()?.strip_prefix(PREFIX)?;
        let number = u64::from_str_radix(digits.get(..16)?, 16).ok()?;
        // Compared as a whole: there is one way to write it.
        let is_ours = Temporary(number).name() == name.to_str()?;
        is_ours.then_some(Temporary(number))
    }
}

/// Digits that follow from the number: the mixing function of MurmurHash3.
fn check(number: u64) -> u32 {
    let mut mixed = number ^ 0x636f_7079_6973_7431; // "copyist1"
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed >> 32) as u32
}

/// How long a mount is waited for that has not heard of a close yet, milliseconds.
const CLOSE_WAITS_MS: [u64; 4] = [1, 4, 16, 64];

/// Removes a file that was closed just now. Where a name can't be removed while its file is open, a FUSE
/// server may hear of the close a moment later: the kernel doesn't wait for its answer.
pub(crate) fn remove_closed<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<()> {
    for wait_ms in CLOSE_WAITS_MS {
        match platform.remove(at, false) {
            Err(code) if rules::is_open_elsewhere(platform.os(), code) => {
                std::thread::sleep(Duration::from_millis(wait_ms));
            }
            removed => return removed,
        }
    }
    platform.remove(at, false)
}

/// What a run has learnt about incomplete files.
#[derive(Debug, Default)]
pub(crate) struct TempFilePolicy {
    /// Nameless files can't be had here, or not be named.
    pub(super) no_nameless: AtomicBool,
    /// Volumes that refuse something that publishing a file needs, and what they say.
    pub(super) refused: Mutex<HashMap<(u64, Needed), Code>>,
    /// There are some.
    pub(super) some_refuse: AtomicBool,
}

/// What publishing a file needs of its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Needed {
    /// Renames: to replace anything.
    Rename,
    /// Changes of permission bits: to replace a file whose permissions stay.
    Mode,
}

impl TempFilePolicy {
    pub(super) fn refused(&self) -> MutexGuard<'_, HashMap<(u64, Needed), Code>> {
        // Nothing is half done in it, wherever a panic came.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_told_from_others() {
        let name = Temporary(0x0123_4567_89ab_cdef).name();
        assert_eq!(name.len(), PREFIX.len() + 24);
        assert_eq!(
            Temporary::parse(name.as_ref()),
            Some(Temporary(0x0123_4567_89ab_cdef))
        );
        let mut wrong = name.clone();
        wrong.replace_range(9..10, "1");
        let upper = name.to_uppercase().replace("COPYIST", "copyist");
        for other in [&wrong, &upper, &name[..20], "", ".copyist-", "x"] {
            assert_eq!(Temporary::parse(other.as_ref()), None, "{other}");
        }
        assert_ne!(Temporary::new(), Temporary::new());
    }

    #[test]
    fn it_is_in_the_same_directory() {
        let name = Temporary(1).name();
        let beside = |path: &str| Temporary(1).beside(path.as_ref());
        assert_eq!(beside("a/b"), Path::new("a").join(&name).into_os_string());
        assert_eq!(beside("b"), OsString::from(name));
    }
}
