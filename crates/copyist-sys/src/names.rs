use std::ffi::{OsStr, OsString};

/// Whether text is Unicode even if the environment names no character set: on Windows, where the standard library
/// writes UTF-16 to a console.
pub const SPEAKS_UTF_8: bool = cfg!(windows);

/// A list of names in one allocation.
///
/// A directory of a million entries is read name by name; an allocation for each would cost more
/// than reading them does.
#[derive(Clone, Debug, Default)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Names {
    /// Adds a name at the end.
    pub fn push(&mut self, name: &OsStr) {
        self.bytes.extend_from_slice(name.as_encoded_bytes());
        self.ends.push(self.bytes.len());
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The `n`th name.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    pub fn get(&self, n: usize) -> &OsStr {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        let bytes = &self.bytes[start..self.ends[n]];
        // SAFETY: these bytes were added by `push` as the whole encoding of one OsStr of this
        // very program, and nothing changes bytes that were added.
        unsafe { OsStr::from_encoded_bytes_unchecked(bytes) }
    }

    /// Takes all names out, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// The longest beginning of `name` of at most `bytes` bytes that can be cut off.
pub fn name_prefix(name: &OsStr, bytes: usize) -> &OsStr {
    let all = name.as_encoded_bytes();
    if all.len() <= bytes {
        return name;
    }
    let begins_character = |at: usize| {
        (1..=4).any(|len| {
            all.get(at..at + len)
                .is_some_and(|part| std::str::from_utf8(part).is_ok())
        })
    };
    let cut = (1..=bytes)
        .rev()
        .find(|&at| begins_character(at))
        .unwrap_or(0);
    // SAFETY: the encoding may be split before any valid UTF-8 (and at the start): see the
    // documentation of OsStr::from_encoded_bytes_unchecked.
    unsafe { OsStr::from_encoded_bytes_unchecked(&all[..cut]) }
}

/// A name out of the bytes that a file says it has; `None` where the system has no such names.
pub fn os_string_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStringExt::from_vec(bytes));
    #[cfg(not(unix))]
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        let cut = |name, bytes| name_prefix(OsStr::new(name), bytes).to_str();
        assert_eq!(cut("abc", 3), Some("abc"));
        assert_eq!(cut("abc", 2), Some("ab"));
        assert_eq!(cut("a\u{1F980}b", 4), Some("a"));
        assert_eq!(cut("a\u{1F980}b", 5), Some("a\u{1F980}"));
        assert_eq!(cut("\u{1F980}b", 3), Some(""));
    }

    #[test]
    fn names_come_back_as_they_were() {
        let mut names = Names::default();
        let all = ["a", "", "b c", "\u{1F980}", "a\nb"];
        for name in all {
            names.push(OsStr::new(name));
        }
        assert_eq!(names.len(), all.len());
        assert!(
            all.iter()
                .enumerate()
                .all(|(n, name)| names.get(n) == *name)
        );
        names.clear();
        assert!(names.is_empty());
    }
}
