//! Tables in Markdown: lines that look like rows and are none.

use std::path::Path;

use super::Finding;

/// Checks one file; its path is relative to the root of the repository.
pub(super) fn check(path: &Path, text: &str, found: &mut Vec<Finding>) {
    let (mut fence, mut in_table) = (None, false);
    let mut lines = text.lines().map(str::trim_start).enumerate().peekable();
    while let Some((n, line)) = lines.next() {
        if let Some(mark) = ["```", "~~~"].into_iter().find(|it| line.starts_with(it)) {
            fence = match fence {
                None => Some(mark),
                Some(open) if open == mark => None,
                open => open,
            };
        }
        let is_row = fence.is_none() && line.starts_with('|');
        let begins = is_row && !in_table;
        in_table = is_row;
        if begins && !lines.peek().is_some_and(|(_, next)| is_separator(next)) {
            found.push(Finding {
                path: path.to_owned(),
                line: n + 1,
                what:
                    "a row of no table: a table begins with a header and `| --- |`, and an empty \
                       line ends it"
                        .to_owned(),
            });
        }
    }
}

/// `| --- | :-: |`
fn is_separator(line: &str) -> bool {
    let is_part = |c: char| matches!(c, '|' | '-' | ':' | ' ');
    line.starts_with('|') && line.contains("--") && line.trim_end().chars().all(is_part)
}
