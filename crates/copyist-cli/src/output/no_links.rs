//! Links that a copy could not make, and why.

use copyist::observer::{Made, NoLink};
use indicatif::HumanCount;

/// Links that could not be made, counted by kind and reason.
#[derive(Debug, Default)]
pub(crate) struct NoLinks(Vec<(Made, NoLink, u64)>);

impl NoLinks {
    pub(crate) fn add(&mut self, what: Made, why: NoLink) {
        match self.0.iter_mut().find(|it| (it.0, it.1) == (what, why)) {
            Some((.., count)) => *count += 1,
            None => self.0.push((what, why, 1)),
        }
    }

    /// One sentence for each kind and reason.
    pub(crate) fn sentences(&self, dry: bool) -> Vec<String> {
        let sentence = |&(what, why, count): &(Made, NoLink, u64)| {
            let would = if dry { "would become" } else { "became" };
            let could = if dry {
                "can't be made"
            } else {
                "could not be made"
            };
            let became = match (what, count) {
                (Made::HardLink, 1) => format!("1 hard link {would} a copy"),
                (Made::HardLink, n) => format!("{} hard links {would} copies", HumanCount(n)),
                (_, 1) => format!("1 symbolic link {could}"),
                (_, n) => format!("{} symbolic links {could}", HumanCount(n)),
            };
            let why = match why {
                NoLink::Unsupported(kind) => format!("{} has none", kind.name()),
                NoLink::TooMany => "the filesystem allows a file no more names".to_owned(),
                NoLink::Elsewhere => "the names are on different mounts".to_owned(),
                NoLink::NotReplaceable => "what has the name can't be replaced".to_owned(),
                _ => "the filesystem does not allow it".to_owned(),
            };
            format!("{became}: {why}")
        };
        let is_hard = |it: &&(Made, NoLink, u64)| it.0 == Made::HardLink;
        let hard = self.0.iter().filter(is_hard);
        let others = self.0.iter().filter(|it| !is_hard(it));
        hard.chain(others).map(sentence).collect()
    }
}
