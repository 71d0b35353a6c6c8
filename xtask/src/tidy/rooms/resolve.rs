//! Which file defines what a path names.

use std::collections::BTreeSet;

use super::read::{Import, Kind, Sources};
use super::{Tie, Ties};

/// `pub use` of a `pub use`, and so on.
const DEEPEST: usize = 16;

/// What a path names.
struct Target {
    files: BTreeSet<usize>,
    name: String,
}

/// Each file with those that it imports, and what.
pub(super) fn ties(sources: &Sources) -> Ties {
    let mut ties = Ties::new();
    for (from, file) in sources.files.iter().enumerate() {
        // An import of this item also imports what is behind it.
        if !file.defines {
            continue;
        }
        for import in &file.imports {
            if matches!(&import.kind, Kind::Again(name) if !file.words.contains(name)) {
                continue;
            }
            for Target { files, name } in sources.targets(import) {
                for to in files.into_iter().filter(|to| *to != from) {
                    let tied = ties.entry((from, to)).or_default();
                    if tied.iter().all(|tie| tie.what != name) {
                        let what = name.clone();
                        tied.push(Tie {
                            line: import.line,
                            what,
                        });
                    }
                }
            }
        }
    }
    for tied in ties.values_mut() {
        let all: Vec<String> = tied.iter().map(|tie| format!("{}::", tie.what)).collect();
        // A module is taken for what is in it.
        let is_prefix =
            |prefix: &String| all.iter().any(|it| it != prefix && it.starts_with(prefix));
        let mut is_module = all.iter().map(is_prefix);
        tied.retain(|_| is_module.next() == Some(false));
    }
    ties
}

impl Sources {
    fn targets(&self, import: &Import) -> Vec<Target> {
        let Import {
            module, path, kind, ..
        } = import;
        match kind {
            Kind::Macro => self.called(import).into_iter().collect(),
            Kind::Name | Kind::Again(_) => self.resolve(*module, path, 0).into_iter().collect(),
            Kind::Glob => match self.module(*module, path) {
                Some(of) if !self.defines(of) => {
                    let uses = self.modules[of].uses.values().flatten();
                    uses.filter_map(|path| self.resolve(of, path, 1)).collect()
                }
                Some(of) => vec![self.whole(of, "::*")],
                None => self.resolve(*module, path, 0).into_iter().collect(),
            },
        }
    }

    /// A macro that is in scope because it was defined further up, not by a `use`.
    fn called(&self, import: &Import) -> Option<Target> {
        let name = import.path.first()?;
        let is_imported = self.modules[import.module].uses.contains_key(name);
        match &self.macros.get(name)?[..] {
            [file] if !is_imported => Some(Target {
                files: BTreeSet::from([*file]),
                name: format!("{name}!"),
            }),
            _ => None,
        }
    }

    /// What a path names in a module; none if that is in another crate.
    fn resolve(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        if depth > DEEPEST {
            return None;
        }
        let (start, rest) = self.start(module, path)?;
        if rest.len() == path.len() && !self.knows(start, &path[0], depth) {
            return None;
        }
        self.walk(start, rest, depth)
    }

    /// The module that `crate`, `self` and `super` lead to, and the rest of the path.
    fn start<'a>(&self, mut module: usize, path: &'a [String]) -> Option<(usize, &'a [String])> {
        let mut rest = path;
        while let Some((first, others)) = rest.split_first() {
            match &**first {
                "crate" => module = 0,
                "self" => {}
                "super" => module = self.modules[module].parent,
                _ => break,
            }
            rest = others;
        }
        (!path.is_empty()).then_some((module, rest))
    }

    /// Whether a name means something of this crate in a module, where it may as well be another crate.
    fn knows(&self, module: usize, name: &str, depth: usize) -> bool {
        let it = &self.modules[module];
        let is_own = |path: &Vec<String>| {
            // `use a::b` in the module `a` is not what `a` stands for.
            path[0] != name && self.resolve(module, path, depth + 1).is_some()
                || ["crate", "self", "super"].contains(&&*path[0])
        };
        it.children.contains_key(name)
            || it.items.contains_key(name)
            || it
                .uses
                .get(name)
                .is_some_and(|paths| paths.iter().any(is_own))
    }

    fn walk(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let it = &self.modules[module];
        let Some((name, rest)) = path.split_first() else {
            return Some(self.whole(module, ""));
        };
        if let Some(child) = it.children.get(name) {
            return self.walk(*child, rest, depth);
        }
        let named = |files: &BTreeSet<usize>| Target {
            files: files.clone(),
            name: format!("{}::{name}", it.name),
        };
        if let Some(files) = it.items.get(name) {
            return Some(named(files));
        }
        if let Some(paths) = it.uses.get(name) {
            let behind = paths.iter().find_map(|path| {
                let path = [path, rest].concat();
                self.resolve(module, &path, depth + 1)
            });
            // Something of another crate, by way of this file.
            return Some(behind.unwrap_or_else(|| named(&it.files)));
        }
        let behind = it.globs.iter().find_map(|glob| {
            let of = self.module(module, glob).filter(|of| *of != module)?;
            let target = self
                .module_has(of, name, depth + 1)
                .then(|| self.walk(of, path, depth + 1));
            target.flatten()
        });
        // What is left is made by a macro.
        Some(behind.unwrap_or_else(|| named(&it.files)))
    }

    fn module_has(&self, module: usize, name: &str, depth: usize) -> bool {
        let it = &self.modules[module];
        let has = it.children.contains_key(name)
            || it.items.contains_key(name)
            || it.uses.contains_key(name);
        has || depth <= DEEPEST
            && it.globs.iter().any(|glob| {
                self.module(module, glob)
                    .is_some_and(|of| self.module_has(of, name, depth + 1))
            })
    }

    /// The module that a path leads to, if it is one of this crate.
    fn module(&self, module: usize, path: &[String]) -> Option<usize> {
        let (start, rest) = self.start(module, path)?;
        let child = |module: usize, name: &String| self.modules[module].children.get(name).copied();
        rest.iter().try_fold(start, child)
    }

    fn defines(&self, module: usize) -> bool {
        let mut files = self.modules[module].files.iter();
        files.any(|file| self.files[*file].defines)
    }

    /// A module itself: its files, unless these only declare.
    fn whole(&self, module: usize, what: &str) -> Target {
        let it = &self.modules[module];
        let files = it.files.iter().copied();
        Target {
            files: files.filter(|file| self.files[*file].defines).collect(),
            name: format!("{}{what}", it.name),
        }
    }
}
