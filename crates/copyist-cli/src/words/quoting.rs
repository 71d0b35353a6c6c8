//! File names as GNU tools print them.
//!
//! A name can hold any byte: a newline that would forge a second message, an escape sequence that
//! would control the terminal. Messages therefore quote it as a shell would read it back. The
//! quoting is GNU's, so that scripts that compare messages see the same text.

use std::ffi::OsStr;
use std::fmt::Write as _;

/// Quotes names by the character set of the locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoter {
    utf8: bool,
}

/// A part of a name: a character, or a byte that is not part of one.
#[derive(Clone, Copy)]
enum Piece {
    Char(char),
    Byte(u8),
}

impl Quoter {
    /// For a locale with UTF-8 characters, or for one with ASCII only (`C`).
    pub(crate) const fn new(utf8: bool) -> Quoter {
        Quoter { utf8 }
    }

    /// As the environment says: the first that is set and not empty of `LC_ALL`, `LC_CTYPE` and
    /// `LANG` names the character set. Without any of them the locale is `C`, except on Windows, where it is UTF-8.
    pub(crate) fn from_environment() -> Quoter {
        let name = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty());
        let Some(name) = name else {
            return Quoter::new(copyist_sys::SPEAKS_UTF_8);
        };
        let name = name.to_string_lossy().to_ascii_lowercase();
        Quoter::new(name.contains("utf-8") || name.contains("utf8"))
    }

    /// For most messages: always quoted, as a shell would read it back (GNU's `quoteaf`).
    pub(crate) fn always(self, name: impl AsRef<OsStr>) -> String {
        let bytes = name.as_ref().as_encoded_bytes();
        if bytes.contains(&b'\'') && self.reads_well_in_double_quotes(bytes) {
            return format!("\"{}\"", String::from_utf8_lossy(bytes));
        }
        let mut out = String::with_capacity(bytes.len() + 2);
        out.push('\'');
        let mut in_escape = false;
        for piece in self.pieces(bytes) {
            if let Some(escape) = self.escape(piece) {
                if !in_escape {
                    out.push_str("'$'");
                }
                in_escape = true;
                out.push_str(&escape);
                continue;
            }
            let Piece::Char(c) = piece else { continue };
            if c == '\'' {
                // Inside $'...' too: the first quote ends it, the last begins a plain one.
                out.push_str("'\\''");
            } else {
                if in_escape {
                    out.push_str("''");
                }
                out.push(c);
            }
            in_escape = false;
        }
        out.push('\'');
        out
    }

    /// For messages that begin with the name: quoted only if a shell (or the colon that follows)
    /// needs it (GNU's `quotef`).
    pub(crate) fn if_needed(self, name: impl AsRef<OsStr>) -> String {
        let name = name.as_ref();
        let bytes = name.as_encoded_bytes();
        let mut needed = bytes.is_empty() || bytes == b"{" || bytes == b"}";
        for (index, piece) in self.pieces(bytes).enumerate() {
            needed |= self.escape(piece).is_some();
            if let Piece::Char(c) = piece {
                needed |= " '!\"$&()*;<=>[^`|\\?:".contains(c);
                needed |= index == 0 && "#~".contains(c);
            }
        }
        if needed {
            self.always(name)
        } else {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }

    /// For words of the command line (GNU's `quote`): in the locale's own quotes, with escapes as
    /// in C.
    pub(crate) fn word(self, word: impl AsRef<OsStr>) -> String {
        let (left, right) = if self.utf8 {
            ('\u{2018}', '\u{2019}')
        } else {
            ('\'', '\'')
        };
        let mut out = String::from(left);
        for piece in self.pieces(word.as_ref().as_encoded_bytes()) {
            match piece {
                Piece::Char('\\') => out.push_str("\\\\"),
                Piece::Char(c) if c == right => {
                    out.push('\\');
                    out.push(c);
                }
                _ => match (self.escape(piece), piece) {
                    (Some(escape), _) => out.push_str(&escape),
                    (None, Piece::Char(c)) => out.push(c),
                    (None, Piece::Byte(_)) => {}
                },
            }
        }
        out.push(right);
        out
    }

    /// Whether a name with a single quote can be in double quotes: no other character of it is special
    /// there. The set of characters is GNU's, which accepts `#` and `~` only at the start.
    fn reads_well_in_double_quotes(self, bytes: &[u8]) -> bool {
        self.pieces(bytes).enumerate().all(|(index, piece)| {
            let Piece::Char(c) = piece else { return false };
            match c {
                '#' | '~' => index == 0,
                '{' | '}' => bytes.len() == 1,
                '\'' | ' ' | '%' | '+' | ',' | '-' | '.' | '/' | ':' | ']' | '_' | '@' => true,
                _ if c.is_ascii() => c.is_ascii_alphanumeric(),
                _ => self.escape(piece).is_none(),
            }
        })
    }

    /// The escape for what can't be shown, without quotes around it.
    fn escape(self, piece: Piece) -> Option<String> {
        let c = match piece {
            Piece::Byte(byte) => return Some(octal(&[byte])),
            Piece::Char(c) => c,
        };
        let letter = match c {
            '\x07' => 'a',
            '\x08' => 'b',
            '\x0c' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\x0b' => 'v',
            _ if is_printable(c) => return None,
            _ => return Some(octal(c.encode_utf8(&mut [0; 4]).as_bytes())),
        };
        Some(format!("\\{letter}"))
    }

    fn pieces(self, bytes: &[u8]) -> impl Iterator<Item = Piece> {
        let utf8 = self.utf8;
        bytes.utf8_chunks().flat_map(move |chunk| {
            let chars = chunk.valid().chars().flat_map(move |c| {
                let split = !utf8 && !c.is_ascii();
                let whole = (!split).then_some(Piece::Char(c));
                let mut buffer = [0; 4];
                let length = if split {
                    c.encode_utf8(&mut buffer).len()
                } else {
                    0
                };
                let split = buffer.into_iter().take(length).map(Piece::Byte);
                whole.into_iter().chain(split)
            });
            chars.chain(chunk.invalid().iter().copied().map(Piece::Byte))
        })
    }
}

fn octal(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(out, "\\{byte:03o}");
    }
    out
}

/// Whether a terminal shows the character. It is printable if `Debug` of Rust does not escape it
/// after a letter, where combining marks are printable.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let text: String = ['a', c].into_iter().collect();
    text.escape_debug().eq(text.chars())
}

#[cfg(test)]
mod tests {
    use super::Quoter;

    use copyist_sys::os_string_from_bytes;

    /// What GNU cp 9.10 prints: the name, then in LC_ALL=C, then in LC_ALL=C.UTF-8.
    const GNU: &[(&[u8], &str, &str)] = &[
        (b"a\nb", r"'a'$'\n''b'", r"'a'$'\n''b'"),
        (b"\ta", r"''$'\t''a'", r"''$'\t''a'"),
        (b"a'b", r#""a'b""#, r#""a'b""#),
        (b"a'#b", r"'a'\''#b'", r"'a'\''#b'"),
        (b"#a", "'#a'", "'#a'"),
        (b"~'", r#""~'""#, r#""~'""#),
        (b"~a", "'~a'", "'~a'"),
        (b"=b", "'=b'", "'=b'"),
        (b"", "''", "''"),
        (b"\xff", r"''$'\377'", r"''$'\377'"),
        (b"caf\xc3\xa9", r"'caf'$'\303\251'", "'café'"),
        (b"a b", "'a b'", "'a b'"),
        (b"a'b$", r"'a'\''b$'", r"'a'\''b$'"),
        (b"\\", r"'\'", r"'\'"),
        (b"a'\\", r"'a'\''\'", r"'a'\''\'"),
        (b"?", "'?'", "'?'"),
        (b"'?", r"''\''?'", r"''\''?'"),
        (b"{", "'{'", "'{'"),
        (b"{'", r"'{'\'''", r"'{'\'''"),
        (b"x:y", "'x:y'", "'x:y'"),
        (b"a\n\n'", r"'a'$'\n\n'\'''", r"'a'$'\n\n'\'''"),
        (b"\xc3\xa9'", r"''$'\303\251'\'''", "\"é'\""),
        (b"\x7f", r"''$'\177'", r"''$'\177'"),
        (b"a\xff\xfeb", r"'a'$'\377\376''b'", r"'a'$'\377\376''b'"),
    ];

    #[test]
    fn names_are_quoted_as_gnu_does() {
        for (bytes, c, utf8) in GNU {
            let Some(name) = os_string_from_bytes(bytes.to_vec()) else {
                continue;
            };
            assert_eq!(Quoter::new(false).always(&name), *c);
            assert_eq!(Quoter::new(true).always(&name), *utf8);
        }
    }

    #[test]
    fn a_leading_name_is_quoted_only_if_needed() {
        let quoter = Quoter::new(false);
        for plain in ["a", "a/b.c", "a~", "a#b", "a{b"] {
            assert_eq!(quoter.if_needed(plain), plain);
        }
        for odd in ["", "a b", "a:b", "~a", "a=b", "a\nb", "{", "it's"] {
            assert_eq!(quoter.if_needed(odd), quoter.always(odd));
        }
    }

    #[test]
    fn words_are_quoted_as_the_locale_does() {
        let word = "x\n\u{2019}\u{7f}'";
        assert_eq!(
            Quoter::new(true).word(word),
            "\u{2018}x\\n\\\u{2019}\\177'\u{2019}"
        );
        assert_eq!(Quoter::new(false).word(word), r"'x\n\342\200\231\177\''");
        assert_eq!(Quoter::new(false).word("a\\"), r"'a\\'");
    }
}
