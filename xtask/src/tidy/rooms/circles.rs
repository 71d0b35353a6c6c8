//! Files that import each other in a loop.

use std::fmt::Write;
use std::path::Path;

use super::super::Finding;
use super::read::Sources;
use super::{Circles, Tie};

type Ties<'a> = [(&'a (usize, usize), &'a Vec<Tie>)];

/// Finds each circle: all files that lead to each other.
pub(super) fn find(
    sources: &Sources,
    ties: &super::Ties,
    (src, counted): (&Path, Circles),
    found: &mut Vec<Finding>,
) {
    let count = sources.files.len();
    let counts =
        |(from, to): (usize, usize)| counted == Circles::All || !sources.is_within(from, to);
    let ties: Vec<_> = ties.iter().filter(|(tie, _)| counts(**tie)).collect();
    let reach = reach(count, &ties);
    let mut is_known = vec![false; count];
    for first in 0..count {
        let circle: Vec<usize> = (0..count)
            .filter(|other| reach[first][*other] && reach[*other][first])
            .collect();
        if circle.len() > 1 && !is_known[first] {
            circle.iter().for_each(|file| is_known[*file] = true);
            found.push(finding(sources, &ties, src, &circle));
        }
    }
}

/// Which files lead to which, in any number of steps (Warshall's algorithm).
fn reach(count: usize, ties: &Ties<'_>) -> Vec<Vec<bool>> {
    let mut reach = vec![vec![false; count]; count];
    for ((from, to), _) in ties {
        reach[*from][*to] = true;
    }
    for by in 0..count {
        let further = reach[by].clone();
        for row in reach.iter_mut().filter(|row| row[by]) {
            for (there, is_there) in row.iter_mut().zip(&further) {
                *there |= is_there;
            }
        }
    }
    reach
}

fn finding(sources: &Sources, ties: &Ties<'_>, src: &Path, circle: &[usize]) -> Finding {
    let path = |file: usize| &*sources.files[file].path;
    let mut within: Vec<_> = ties
        .iter()
        .filter(|((from, to), _)| circle.contains(from) && circle.contains(to))
        .collect();
    within.sort_by_key(|((from, to), _)| (path(*from), path(*to)));
    let mut what = format!("a circle of {} files", circle.len());
    for ((from, to), tied) in &within {
        let [from, to] =
            [*from, *to].map(|file| path(file).strip_prefix(src).unwrap_or(path(file)));
        let names: Vec<&str> = tied.iter().map(name).collect();
        let names = names.join(", ");
        // A String takes everything.
        let _ = write!(
            what,
            "\n    {} imports {names} of {}",
            from.display(),
            to.display()
        );
    }
    // A circle has as many ties as files, or more.
    let ((first, _), tied) = within[0];
    Finding {
        path: path(*first).to_owned(),
        line: tied[0].line,
        what,
    }
}

/// The name alone, as the file is named beside it.
fn name(tie: &Tie) -> &str {
    tie.what.rsplit("::").next().unwrap_or(&tie.what)
}
