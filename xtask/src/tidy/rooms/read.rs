//! The modules and imports of a crate, file by file, as far as they are compiled without tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, Token, UseTree, Visibility};

use super::super::Finding;
use crate::error::{Context, Result};

/// One crate.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) files: Vec<File>,
    /// The first is the crate's root.
    pub(super) modules: Vec<Module>,
    /// The files with a `macro_rules!` of this name.
    pub(super) macros: BTreeMap<String, Vec<usize>>,
}

#[derive(Default)]
pub(super) struct File {
    /// From the root of the repository.
    pub(super) path: PathBuf,
    /// Whether there is more in it than `mod` and `use`.
    pub(super) defines: bool,
    pub(super) imports: Vec<Import>,
    /// All identifiers but those of `mod` and `use`.
    pub(super) words: BTreeSet<String>,
}

#[derive(Default)]
pub(super) struct Module {
    /// From the root of the crate: `crate::tree::walk`.
    pub(super) name: String,
    pub(super) parent: usize,
    /// Where it is. There are several if a `cfg` chooses between files.
    pub(super) files: BTreeSet<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// The names that are defined in it, with the file.
    pub(super) items: BTreeMap<String, BTreeSet<usize>>,
    /// The names that `use` brings in, with what each stands for.
    pub(super) uses: BTreeMap<String, Vec<Vec<String>>>,
    /// `use ...::*`
    pub(super) globs: Vec<Vec<String>>,
}

pub(super) struct Import {
    /// Where the path is resolved.
    pub(super) module: usize,
    /// Begins with `crate`, `super`, `self`, or a name of the module.
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(PartialEq, Eq)]
pub(super) enum Kind {
    /// `use`, or a path in the code.
    Name,
    /// `pub use`, which brings this name into the file, too.
    Again(String),
    /// `...::*`
    Glob,
    /// `name!`
    Macro,
}

impl Sources {
    /// Reads the crate with the root `path`. A file that can't be understood is a finding.
    pub(super) fn read(root: &Path, path: &Path, found: &mut Vec<Finding>) -> Result<Self> {
        let mut sources = Self::default();
        sources.modules.push(Module {
            name: "crate".to_owned(),
            ..Module::default()
        });
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        // File, module, and the directory of the files of the module's children.
        let mut rest = vec![(path.to_owned(), 0, directory)];
        while let Some((path, module, directory)) = rest.pop() {
            let at = root.join(&path);
            let text = fs::read_to_string(&at).at("read", &at)?;
            let mut find = |line, what| {
                found.push(Finding {
                    path: path.clone(),
                    line,
                    what,
                });
            };
            let syntax = match syn::parse_file(&text) {
                Ok(syntax) => syntax,
                Err(error) => {
                    find(
                        error.span().start().line,
                        format!("it can't be parsed: {error}"),
                    );
                    continue;
                }
            };
            let file = sources.files.len();
            sources.files.push(File {
                path: path.clone(),
                ..File::default()
            });
            sources.modules[module].files.insert(file);
            let mut reader = Reader {
                sources: &mut sources,
                file,
                module,
                directory,
                own: path.parent().unwrap_or(Path::new("")).to_owned(),
                root,
                blocks: 0,
                children: Vec::new(),
                lost: Vec::new(),
            };
            if !is_only_for_tests(&syntax.attrs) {
                reader.visit_file(&syntax);
            }
            for (line, name) in reader.lost {
                find(line, format!("there is no file for the module `{name}`"));
            }
            rest.append(&mut reader.children);
        }
        Ok(sources)
    }

    /// Whether a file is of a module within a module of the other one, which is not the root.
    pub(super) fn is_within(&self, inner: usize, outer: usize) -> bool {
        let of = |file: usize| {
            self.modules
                .iter()
                .filter(move |it| it.files.contains(&file))
        };
        let is_below = |name: &str, outer: &str| {
            name.strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with("::"))
        };
        of(inner).any(|inner| {
            of(outer).any(|outer| outer.name != "crate" && is_below(&inner.name, &outer.name))
        })
    }
}

struct Reader<'a> {
    sources: &'a mut Sources,
    file: usize,
    module: usize,
    /// Where the files of the module's children are.
    directory: PathBuf,
    /// Where the file itself is.
    own: PathBuf,
    root: &'a Path,
    /// How many blocks it is in: their items have no path.
    blocks: usize,
    children: Vec<(PathBuf, usize, PathBuf)>,
    /// Modules without a file, with their line.
    lost: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn import(&mut self, path: Vec<String>, line: usize, kind: Kind) {
        self.sources.files[self.file].imports.push(Import {
            module: self.module,
            path,
            line,
            kind,
        });
    }

    fn define(&mut self, name: &Ident) {
        if self.blocks == 0 {
            let items = &mut self.sources.modules[self.module].items;
            items.entry(name.to_string()).or_default().insert(self.file);
        }
    }

    /// Goes into an inline module, and notes the file of another one.
    fn child(&mut self, item: &syn::ItemMod) {
        let name = item.ident.to_string();
        let child = self.child_module(&name);
        if let Some((_, items)) = &item.content {
            let outer = (self.module, self.directory.clone());
            self.module = child;
            self.directory.push(&name);
            let files = &mut self.sources.modules[child].files;
            files.insert(self.file);
            items.iter().for_each(|item| self.visit_item(item));
            (self.module, self.directory) = outer;
            return;
        }
        let (file, below) = match path_of(&item.attrs) {
            Some(path) => {
                let file = self.own.join(path);
                let below = file.parent().unwrap_or(Path::new("")).to_owned();
                (file, below)
            }
            None => {
                let below = self.directory.join(&name);
                let file = below.with_extension("rs");
                let is_beside = self.root.join(&file).is_file();
                (
                    if is_beside {
                        file
                    } else {
                        below.join("mod.rs")
                    },
                    below,
                )
            }
        };
        if is_file_of_tests(&file) {
            return;
        }
        if self.root.join(&file).is_file() {
            self.children.push((file, child, below));
        } else {
            self.lost.push((item.ident.span().start().line, name));
        }
    }

    fn child_module(&mut self, name: &str) -> usize {
        let parent = &self.sources.modules[self.module];
        if let Some(child) = parent.children.get(name) {
            return *child;
        }
        let child = self.sources.modules.len();
        let module = Module {
            name: format!("{}::{name}", parent.name),
            parent: self.module,
            ..Module::default()
        };
        self.sources.modules.push(module);
        let parent = &mut self.sources.modules[self.module];
        parent.children.insert(name.to_owned(), child);
        child
    }

    /// The names of a `use`, in its groups too.
    fn bring(&mut self, tree: &UseTree, prefix: &[String], is_public: bool) {
        let (last, name) = match tree {
            UseTree::Path(path) => {
                let prefix = [prefix, &[path.ident.to_string()]].concat();
                return self.bring(&path.tree, &prefix, is_public);
            }
            UseTree::Group(group) => {
                let trees = group.items.iter();
                return trees.for_each(|tree| self.bring(tree, prefix, is_public));
            }
            UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                let globs = &mut self.sources.modules[self.module].globs;
                globs.push(prefix.to_owned());
                return self.import(prefix.to_owned(), line, Kind::Glob);
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let mut path = prefix.to_owned();
        // `use a::{self}` brings in `a`.
        if last != "self" || path.is_empty() {
            path.push(last.to_string());
        }
        let name = match path.last() {
            Some(last) if name == "self" => last.clone(),
            _ => name.to_string(),
        };
        let uses = &mut self.sources.modules[self.module].uses;
        uses.entry(name.clone()).or_default().push(path.clone());
        let kind = if is_public {
            Kind::Again(name)
        } else {
            Kind::Name
        };
        self.import(path, last.span().start().line, kind);
    }

    /// The paths in what a macro is given, or consists of.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut is_continued) = (0, false);
        let mut is_first = true;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) => {
                    if !is_continued {
                        path.clear();
                        line = word.span().start().line;
                    }
                    // `pub(in a::b)` says who may use something.
                    if is_first && word == "in" {
                        return;
                    }
                    self.visit_ident(&word);
                    path.push(word.to_string());
                    is_continued = false;
                    if is_separator(&mut tokens) {
                        is_continued = true;
                    } else if path.len() > 1 {
                        self.import(std::mem::take(&mut path), line, Kind::Name);
                    } else if is_call(&mut tokens) {
                        self.import(std::mem::take(&mut path), line, Kind::Macro);
                    }
                }
                TokenTree::Group(group) => {
                    // `a::{b, c}`, `a::<b>`: what comes before is known.
                    if is_continued && group.delimiter() == Delimiter::Brace && path.len() > 1 {
                        self.import(std::mem::take(&mut path), line, Kind::Name);
                    }
                    is_continued = false;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    if is_continued && path.len() > 1 {
                        self.import(std::mem::take(&mut path), line, Kind::Name);
                    }
                    is_continued = false;
                }
            }
            is_first = false;
        }
    }
}

type Tokens = std::iter::Peekable<proc_macro2::token_stream::IntoIter>;

/// Takes `::`, if that is next.
fn is_separator(tokens: &mut Tokens) -> bool {
    let is_colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':');
    // A single colon, as of a type, is nothing that anything depends on.
    tokens.next_if(is_colon).is_some() && tokens.next_if(is_colon).is_some()
}

fn is_call(tokens: &mut Tokens) -> bool {
    let mut ahead = tokens.clone();
    let is_mark = matches!(ahead.next(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
    is_mark && matches!(ahead.next(), Some(TokenTree::Group(_)))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_only_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Mod(item) => return self.child(item),
            Item::Use(item) => {
                let is_public = !matches!(item.vis, Visibility::Inherited);
                if item.leading_colon.is_none() {
                    self.bring(&item.tree, &[], is_public);
                }
                return;
            }
            Item::ExternCrate(_) => return,
            _ => {}
        }
        self.sources.files[self.file].defines = true;
        if let Some(name) = name(item) {
            self.define(name);
        }
        if let Item::Macro(item) = item
            && let Some(name) = &item.ident
        {
            let macros = self.sources.macros.entry(name.to_string());
            macros.or_default().push(self.file);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(it) => &it.attrs[..],
            syn::ImplItem::Fn(it) => &it.attrs,
            syn::ImplItem::Type(it) => &it.attrs,
            syn::ImplItem::Macro(it) => &it.attrs,
            _ => &[],
        };
        if !is_only_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_only_for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !is_only_for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path.segments.iter();
            let names: Vec<_> = segments.map(|it| it.ident.to_string()).collect();
            let line = path.segments[0].ident.span().start().line;
            self.import(names, line, Kind::Name);
        }
        visit::visit_path(self, path);
    }

    /// `pub(in a::b)` says who may use something.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.get_ident() {
            let line = name.span().start().line;
            self.import(vec![name.to_string()], line, Kind::Macro);
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_ident(&mut self, word: &Ident) {
        let words = &mut self.sources.files[self.file].words;
        words.insert(word.to_string());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::ForeignMod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::TraitAlias(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<&Ident> {
    Some(match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::TraitAlias(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    })
}

/// `#[path = "..."]`
fn path_of(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(value) if pair.path.is_ident("path") => match &value.lit {
                Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        }
    })
}

/// Files of tests, by their names.
fn is_file_of_tests(path: &Path) -> bool {
    let is_in_simulator = path.iter().any(|part| part == "sim");
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    is_in_simulator || name == "fuzzing" || name == "tests" || name.ends_with("_tests")
}

fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list
            .parse_args::<Meta>()
            .is_ok_and(|condition| !can_be(&condition, true)),
        Meta::Path(path) => path.is_ident("test"),
        _ => false,
    })
}

/// Whether a condition of a `cfg` can be true, or false, where no test is compiled.
fn can_be(condition: &Meta, wanted: bool) -> bool {
    let parts = |list: &syn::MetaList| {
        let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        parts
            .map(|parts| parts.into_iter().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    match condition {
        Meta::Path(path) if path.is_ident("test") || path.is_ident("fuzzing") => !wanted,
        Meta::List(list) if list.path.is_ident("not") => {
            parts(list).iter().all(|part| can_be(part, !wanted))
        }
        // All must be true for it to be true; one is enough for it to be false.
        Meta::List(list) if list.path.is_ident("all") == wanted => {
            parts(list).iter().all(|part| can_be(part, wanted))
        }
        Meta::List(list) => parts(list).iter().any(|part| can_be(part, wanted)),
        _ => true,
    }
}
