//! As much of Rust's grammar as the rules need: what is code, where a block ends, what is a word.

use std::ops::Range;

/// A source file with everything that is not code blanked out, byte for byte, so that positions
/// and lines stay the same.
#[derive(Debug)]
pub(super) struct Code {
    text: String,
}

/// A word of the code: an identifier, keyword or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Code {
    pub(super) fn new(source: &str) -> Self {
        Self {
            text: blank(source),
        }
    }

    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    }

    /// Lines that have any code on them.
    pub(super) fn code_lines(&self, range: Range<usize>) -> usize {
        self.text[range]
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = Word<'_>> {
        self.words_in(0..self.text.len())
    }

    pub(super) fn words_in(&self, range: Range<usize>) -> impl Iterator<Item = Word<'_>> {
        let mut rest = range.start;
        std::iter::from_fn(move || {
            let start = rest + self.text[rest..range.end].find(is_word)?;
            let tail = &self.text[start..range.end];
            let length = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
            rest = start + length;
            Some(Word {
                text: &tail[..length],
                at: start,
            })
        })
    }

    /// What follows a position, without the white space.
    pub(super) fn after(&self, at: usize) -> &str {
        self.text[at..].trim_start()
    }

    pub(super) fn before(&self, at: usize) -> &str {
        self.text[..at].trim_end()
    }

    /// The range of the bracket that opens at or after `at` and what it encloses.
    pub(super) fn enclosed(&self, at: usize, open: char, close: char) -> Option<Range<usize>> {
        let start = at + self.text[at..].find(open)?;
        let mut depth = 0;
        for (offset, c) in self.text[start..].char_indices() {
            if c == open {
                depth += 1;
            } else if c == close {
                depth -= 1;
                if depth == 0 {
                    return Some(start..start + offset + 1);
                }
            }
        }
        None
    }

    /// The body of the item whose header starts at `at`; none if it ends with a semicolon.
    pub(super) fn body(&self, at: usize) -> Option<Range<usize>> {
        let mut depth = 0;
        for (offset, c) in self.text[at..].char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                ';' if depth == 0 => return None,
                '{' if depth == 0 => return self.enclosed(at + offset, '{', '}'),
                _ => {}
            }
        }
        None
    }

    /// The items marked `#[cfg(test)]`.
    pub(super) fn tests(&self) -> Vec<Range<usize>> {
        let mut tests: Vec<Range<usize>> = Vec::new();
        for (start, _) in self.text.match_indices("#[cfg(test)]") {
            if tests.last().is_none_or(|last| !last.contains(&start)) {
                let end = self.body(start).map_or(start, |body| body.end);
                tests.push(start..end);
            }
        }
        tests
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Replaces comments, strings and characters by spaces.
fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut last = ' ';
    while let Some(c) = rest.chars().next() {
        let length = not_code(rest, last).unwrap_or(0);
        let (piece, tail) = rest.split_at(length.max(c.len_utf8()));
        if length == 0 {
            out.push_str(piece);
        } else {
            out.extend(
                piece
                    .bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        }
        last = piece.chars().next_back().unwrap_or(' ');
        rest = tail;
    }
    out
}

/// The length of the comment or literal that `rest` begins with, if it does. `last` is the
/// character before it.
fn not_code(rest: &str, last: char) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(string(rest));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    // `r"..."`, `br#"..."#` and the like, unless the r ends a longer word.
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    if is_word(last) {
        None
    } else {
        raw_string(&rest[prefix.len()..]).map(|n| n + prefix.len())
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A lifetime looks like a character that does not end.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let (escaped, _) = chars.next()?;
        let end = rest[escaped + 1..].find('\'')?;
        return Some(escaped + 1 + end + 1);
    }
    match chars.next()? {
        (at, '\'') => Some(at + 1),
        _ => None,
    }
}

fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(hashes + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> String {
        let code = Code::new(source);
        code.words()
            .map(|word| word.text)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn only_code_has_words() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(words(r##"a "b \" c" d r#"e " f"# g br"h" i"##), "a d g i");
        assert_eq!(
            words(r"a 'b' c '\'' d '\u{1F600}' e b'\\' f"),
            "a c d e b f"
        );
        assert_eq!(words("fn f<'a>(x: &'a str)"), "fn f a x a str");
        assert_eq!(words("bar\"x\" r#type"), "bar r type");
    }

    #[test]
    fn positions_survive() {
        let code = Code::new("\"é\n\" a");
        let word = code.words().next().expect("a word");
        assert_eq!((word.text, code.line_of(word.at)), ("a", 2));
    }

    #[test]
    fn a_body_is_not_a_parameter() {
        let code = Code::new("fn f(x: [u8; 3]) -> u8 { { x[0] } } fn g();");
        assert_eq!(code.body(0), Some(23..35));
        assert_eq!(code.body(36), None);
    }
}
