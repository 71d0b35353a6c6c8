//! Every kind of source over every kind of destination, with the options that bear on it.

use std::path::Path;

use super::case::{Case, make_absolute};
use super::options;
use super::plan::{Piece, Plan, Time, What};
use super::random::NOBODY;

const SOURCES: &[Source] = &[
    Source::File,
    Source::Dir,
    Source::LinkToFile,
    Source::LinkToDir,
    Source::Dangling,
    Source::Fifo,
];

const DESTINATIONS: &[Dst] = &[
    Dst::Nothing,
    Dst::Older,
    Dst::Newer,
    Dst::Unwritable,
    Dst::OfTwoNames,
    Dst::Dir,
    Dst::LinkToFile,
    Dst::LinkToDir,
    Dst::Dangling,
    Dst::Loop,
    Dst::Fifo,
    Dst::Itself,
    Dst::HardLink,
    Dst::LinkToSource,
];

/// What is done about what exists.
const EXISTING: &[&str] = &[
    "",
    "-f",
    "-i",
    "-i -f",
    "-n",
    "-u",
    "--update=none",
    "--update=none-fail",
    "--remove-destination",
    "-b",
    "-b -f",
    "--backup=numbered",
    "-u -b",
    "-i -b",
    "-n -f",
    "--update=none --remove-destination",
];

/// What is made, and which links are followed.
const MADE: &[&str] = &[
    "",
    "-l",
    "-s",
    "-d",
    "-L",
    "-P",
    "-l -L",
    "--attributes-only",
    "-p",
];

const DEEP: &[&str] = &["", "-r", "-r --keep-directory-symlink --copy-contents"];

const FORMS: &[Form] = &[Form::Plain, Form::Exact, Form::Tree];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    File,
    Dir,
    LinkToFile,
    LinkToDir,
    Dangling,
    Fifo,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dst {
    Nothing,
    Older,
    Newer,
    Unwritable,
    OfTwoNames,
    Dir,
    LinkToFile,
    LinkToDir,
    Dangling,
    Loop,
    Fifo,
    Itself,
    HardLink,
    LinkToSource,
}

/// How the operands are named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `src/x dst/x`
    Plain,
    /// The same with `-T`.
    Exact,
    /// `src/. dst`: both are found in a tree.
    Tree,
}

/// How many cases there are: both answers to questions count.
pub(crate) const ALL: u64 = (2
    * SOURCES.len()
    * DESTINATIONS.len()
    * EXISTING.len()
    * MADE.len()
    * DEEP.len()
    * FORMS.len()) as u64;

/// Takes one of a list by the lowest digit of a number, and leaves the others.
fn take<T: Copy>(number: &mut u64, list: &[T]) -> T {
    let len = list.len() as u64;
    let item = list[usize::try_from(*number % len).unwrap_or(0)];
    *number /= len;
    item
}

/// Makes case `seed`, which counts through all of them.
pub(crate) fn make(seed: u64, _: usize, work: &Path, is_root: bool) -> Case {
    let mut rest = seed % ALL;
    let source = take(&mut rest, SOURCES);
    let dst = take(&mut rest, DESTINATIONS);
    let existing = take(&mut rest, EXISTING);
    let made = take(&mut rest, MADE);
    let mut deep = take(&mut rest, DEEP);
    let form = take(&mut rest, FORMS);
    let answer = take(&mut rest, &["y\n", "n\n"]);
    if form == Form::Tree && deep.is_empty() {
        deep = "-r";
    }
    let line = format!("{deep} {made} {existing}");
    let words: Vec<String> = line.split_whitespace().map(String::from).collect();
    let options = options::understand(words);
    let mut plan = Plan::default();
    grow(&mut plan, source, (dst, form), &options.words);
    for node in &mut plan.nodes {
        if is_root {
            node.owner = (NOBODY, NOBODY);
        }
    }
    let mut operands: Vec<Vec<u8>> = match (form, dst) {
        (Form::Tree, _) => vec![b"src/.".into(), b"dst".into()],
        (_, Dst::Itself) => vec![b"src/x".into(), b"src/x".into()],
        _ => vec![b"src/x".into(), b"dst/x".into()],
    };
    if options.symbolic && form != Form::Plain {
        make_absolute(&mut operands, work);
    }
    if form == Form::Exact {
        operands.insert(0, b"-T".into());
    }
    let operands = operands
        .into_iter()
        .map(std::os::unix::ffi::OsStringExt::from_vec);
    Case {
        plan,
        args: options
            .words
            .iter()
            .map(Into::into)
            .chain(operands)
            .collect(),
        umask: "0022",
        unprivileged: is_root,
        env: Vec::new(),
        stdin: answer.repeat(99),
        pipes: match source {
            Source::Fifo => vec![b"src/x".into()],
            _ => Vec::new(),
        },
        options,
    }
}

/// Puts the source and what has the destination's name where they belong.
fn grow(plan: &mut Plan, source: Source, (dst, form): (Dst, Form), words: &[String]) {
    let src_dir = plan.push(None, b"src", What::Dir);
    let aside = plan.push(None, b"aside", What::Dir);
    let dst_dir = plan.push(None, b"dst", What::Dir);
    let dir = |plan: &mut Plan, parent, name: &[u8], seed| {
        let dir = plan.push(Some(parent), name, What::Dir);
        plan.push(Some(dir), b"in", file(seed));
        dir
    };
    let link = |plan: &mut Plan, parent, to: &[u8]| {
        plan.push(Some(parent), b"x", What::Symlink(to.into()))
    };
    let src = match source {
        Source::File => plan.push(Some(src_dir), b"x", file(1)),
        Source::Dir => dir(plan, src_dir, b"x", 2),
        Source::LinkToFile => {
            plan.push(Some(aside), b"file", file(3));
            link(plan, src_dir, b"../aside/file")
        }
        Source::LinkToDir => {
            dir(plan, aside, b"dir", 4);
            link(plan, src_dir, b"../aside/dir")
        }
        Source::Dangling => link(plan, src_dir, b"nowhere"),
        Source::Fifo => plan.push(Some(src_dir), b"x", What::Fifo),
    };
    let older = |plan: &mut Plan, node: usize| {
        plan.nodes[node].modified = Time {
            sec: 1_000_000_000,
            nsec: 0,
        };
    };
    let there = match dst {
        Dst::Nothing => return,
        // In a tree nothing is its own source.
        Dst::Itself if form != Form::Tree => return,
        Dst::Itself | Dst::HardLink => plan.push(Some(dst_dir), b"x", What::HardLink(src)),
        Dst::LinkToSource => link(plan, dst_dir, b"../src/x"),
        Dst::Newer => {
            let node = plan.push(Some(dst_dir), b"x", file(5));
            plan.nodes[node].modified.sec += 1000;
            return;
        }
        Dst::Older => plan.push(Some(dst_dir), b"x", file(6)),
        Dst::Unwritable => {
            let node = plan.push(Some(dst_dir), b"x", file(7));
            plan.nodes[node].mode = 0o444;
            node
        }
        Dst::OfTwoNames => {
            let node = plan.push(Some(aside), b"x", file(8));
            plan.push(Some(dst_dir), b"x", What::HardLink(node));
            node
        }
        Dst::Dir => dir(plan, dst_dir, b"x", 9),
        Dst::LinkToFile => {
            let node = plan.push(Some(aside), b"old", file(10));
            link(plan, dst_dir, b"../aside/old");
            node
        }
        Dst::LinkToDir => {
            dir(plan, aside, b"there", 11);
            link(plan, dst_dir, b"../aside/there")
        }
        Dst::Dangling => link(plan, dst_dir, b"missing"),
        Dst::Loop => link(plan, dst_dir, b"x"),
        Dst::Fifo => plan.push(Some(dst_dir), b"x", fifo(words)),
    };
    if !matches!(dst, Dst::Itself | Dst::HardLink) {
        older(plan, there);
    }
}

/// Nobody reads from it, so that whoever opens it waits for ever: where it may be opened it is a socket.
fn fifo(words: &[String]) -> What {
    let spares = [
        "-l",
        "-s",
        "-n",
        "--update=none",
        "--update=none-fail",
        "-b",
        "--remove-destination",
    ];
    match words.iter().any(|word| spares.contains(&word.as_str())) {
        true => What::Fifo,
        false => What::Socket,
    }
}

fn file(seed: u64) -> What {
    let len = 20 + usize::try_from(seed).unwrap_or(0);
    What::File {
        size: len as u64,
        pieces: vec![Piece {
            offset: 0,
            len,
            noise: Some(seed),
        }],
    }
}
