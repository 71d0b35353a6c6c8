//! Names of incomplete files.
//!
//! `.copyist-` and 24 hexadecimal digits: 16 random ones, and 8 computed from these, so that no other file is taken
//! for ours. The process that writes one keeps it locked ([`crate::system::Data::lock`]); a file that is not locked
//! was left by a run that crashed.

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
        // The hash tables of the standard library get their seeds from the system.
        Temporary(RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The name itself.
    pub(crate) fn name(self) -> String {
        format!("{PREFIX}{:016x}{:08x}", self.0, check(self.0))
    }

    /// The path of that name in the directory of `path`.
    pub(crate) fn beside(self, path: &OsStr) -> OsString {
        Path::new(path).with_file_name(self.name()).into_os_string()
    }

    /// Parses a name; `None` if it is not one of ours.
    pub(crate) fn parse(name: &OsStr) -> Option<Temporary> {
        let digits = name.to_str()?.strip_prefix(PREFIX)?;
        let number = u64::from_str_radix(digits.get(..16)?, 16).ok()?;
        // Compared as a whole: each number has one spelling.
        let is_ours = Temporary(number).name() == name.to_str()?;
        is_ours.then_some(Temporary(number))
    }
}

/// Digits computed from the number, by the mixing function of MurmurHash3.
fn check(number: u64) -> u32 {
    let mut mixed = number ^ 0x636f_7079_6973_7431; // "copyist1"
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed >> 32) as u32
}

/// The times to wait for a mount that has not processed a close yet, milliseconds.
const CLOSE_WAITS_MS: [u64; 4] = [1, 4, 16, 64];

/// Removes a file that was just closed. On a mount that can't remove the name of an open file, a FUSE server may
/// process the close later than the kernel returns from it.
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
    /// Nameless files don't work here, or can't be named.
    pub(super) no_nameless: AtomicBool,
    /// Volumes that refuse something that publishing a file needs, with the code.
    pub(super) refused: Mutex<HashMap<(u64, Needed), Code>>,
    /// The map is not empty.
    pub(super) some_refuse: AtomicBool,
}

/// What publishing a file needs of its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Needed {
    /// Rename, to replace any file.
    Rename,
    /// A change of permission bits, to replace a file whose permissions are kept.
    Mode,
}

impl TempFilePolicy {
    pub(super) fn refused(&self) -> MutexGuard<'_, HashMap<(u64, Needed), Code>> {
        // The map is consistent after a panic too.
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
