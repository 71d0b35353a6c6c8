//! One case: a situation (source, destination and what is aside), a command line, and the user who runs it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use fastrand::Rng;

use super::acl;
use super::existing::Mirror;
use super::options::{self, Options, pick};
use super::pairs;
use super::plan::{Plan, What};
use super::random::{self, DEEP_NAME, Spec};

/// Everything that decides what a run does.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The tree before the run.
    pub(crate) plan: Plan,
    /// Options and operands.
    pub(crate) args: Vec<OsString>,
    /// What the options mean.
    pub(crate) options: Options,
    /// The umask, in octal digits.
    pub(crate) umask: &'static str,
    /// Run as an unprivileged user.
    pub(crate) unprivileged: bool,
    /// More environment.
    pub(crate) env: Vec<(&'static str, &'static str)>,
    /// The answers to questions: all the same, so that the order of the questions does not matter.
    pub(crate) stdin: String,
    /// Pipes in the source, relative to the situation.
    pub(crate) pipes: Vec<Vec<u8>>,
}

impl Case {
    /// Pipes may be read, so they must be filled.
    pub(crate) fn fills_pipes(&self) -> bool {
        !self.options.recursive || self.options.reads_pipes
    }
}

/// The directories of a situation.
struct Places {
    src: usize,
    dst: usize,
}

/// Makes case `seed`; `size` is about how many ordinary entries the source has, `root` whether we may be others.
pub(crate) fn make(seed: u64, size: usize, work: &Path, is_root: bool) -> Case {
    let mut rng = Rng::with_seed(seed);
    let options = options::choose(&mut rng);
    make_with(&mut rng, options, size, work, is_root)
}

/// Makes case `seed` of those that go through all options and pairs of options.
pub(crate) fn make_pair(seed: u64, size: usize, work: &Path, is_root: bool) -> Case {
    let mut rng = Rng::with_seed(seed);
    let options = options::understand(pairs::words(seed));
    make_with(&mut rng, options, size, work, is_root)
}

fn make_with(rng: &mut Rng, mut options: Options, size: usize, work: &Path, is_root: bool) -> Case {
    let unprivileged = is_root && rng.u8(..4) == 0;
    let deep = rng.u8(..8) == 0 && !options.no_content;
    let (mut plan, spec) = (
        Plan::default(),
        Spec {
            work,
            size,
            all: false,
            deep,
            unprivileged,
        },
    );
    let src = plan.push(None, b"src", What::Dir);
    random::grow(rng, &mut plan, src, spec);
    simplify(&mut plan, &options);
    let pipes = plan
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node.what, What::Fifo));
    let pipes = pipes.map(|(index, _)| plan.path(index)).collect();
    let aside = plan.push(None, b"aside", What::Dir);
    let dst = plan.push(None, b"dst", What::Dir);
    let mut mirror = Mirror {
        rng,
        plan: &mut plan,
        options: &options,
        unprivileged,
        aside,
    };
    for dir in [src, dst, aside] {
        mirror.hand_over(dir);
    }
    let operands = operands(&mut mirror, &Places { src, dst }, work);
    let with_old = super::run::oracle_is_old();
    if with_old && options.backs_up && !operands.iter().any(|word| word == b"-T") {
        // GNU cp 9.1 makes simple backups of what is in a target directory relative to the current one
        // (fixed in 9.2): it may even rename source files.
        options.words.push("--backup=numbered".into());
    }
    let mut case = Case {
        plan,
        args: command_line(rng, &options, operands),
        umask: ["0022", "0022", "0077", "0027", "0002", "0000", "0777"][rng.usize(..7)],
        unprivileged,
        env: Vec::new(),
        stdin: ["y\n".repeat(999), "n\n".repeat(999), String::new()][rng.usize(..3)].clone(),
        pipes,
        options,
    };
    if case.umask == "0777" {
        // It takes more than permissions for others: GNU cp then can't go on in its own directories
        // (but as root), and what a default list grants to the owner all the same, ours takes away.
        if case.unprivileged {
            case.umask = "0077";
        }
        for node in &mut case.plan.nodes {
            node.xattrs.retain(|(name, _)| *name != acl::DEFAULT);
        }
    }
    match rng.u8(..25) {
        0 => case.env.push(("POSIXLY_CORRECT", "1")),
        1 => case.env.push(("VERSION_CONTROL", "numbered")),
        2 => case.env.push(("SIMPLE_BACKUP_SUFFIX", ".env")),
        _ => {}
    }
    case
}

/// Takes from a source tree what makes the outcome depend on the order in which directories are read.
fn simplify(plan: &mut Plan, options: &Options) {
    for node in &mut plan.nodes {
        match node.what {
            // A pipe is filled for one reader only, and might be found again through a link.
            What::Fifo if options.reads_pipes && options.follows_all => node.what = What::Socket,
            // Which name of a file do the symbolic links of -s lead to, when links are kept?
            What::HardLink(_) if options.symbolic && options.keeps_links => {
                node.what = What::Socket
            }
            What::Symlink(_) if options.symbolic && options.keeps_links && options.follows_all => {
                node.what = What::Socket;
            }
            // Under --sparse=auto GNU cp also looks for zeros in the data of a file that has holes; ours
            // keeps the holes as they are. So there are zeros only where both must find them.
            What::File { ref mut pieces, .. } if !options.finds_zeros => {
                for piece in pieces {
                    piece.noise = piece.noise.or(Some(1));
                }
            }
            _ => {}
        }
    }
}

/// The case that holds every specimen and copies all of it with `-a`.
pub(crate) fn make_complete(seed: u64, work: &Path, deep: bool) -> Case {
    let mut plan = Plan::default();
    let src = plan.push(None, b"src", What::Dir);
    let options = Options {
        recursive: true,
        keeps_links: true,
        archives: true,
        ..Options::default()
    };
    let spec = Spec {
        work,
        size: 30,
        all: true,
        deep,
        unprivileged: false,
    };
    random::grow(&mut Rng::with_seed(seed), &mut plan, src, spec);
    simplify(&mut plan, &options);
    Case {
        plan,
        args: ["-a", "src", "dst"].map(OsString::from).to_vec(),
        options,
        umask: "0022",
        unprivileged: false,
        env: Vec::new(),
        stdin: String::new(),
        pipes: Vec::new(),
    }
}

/// Options first, or last, or on both sides.
fn command_line(rng: &mut Rng, options: &Options, operands: Vec<Vec<u8>>) -> Vec<OsString> {
    let operands = operands.into_iter().map(OsString::from_vec);
    let words = options.words.iter().map(OsString::from);
    let starts_with_dash = operands
        .clone()
        .any(|word| word.as_bytes().starts_with(b"-"));
    if rng.u8(..6) == 0 && !starts_with_dash {
        return operands.chain(words).collect();
    }
    let end = (rng.u8(..6) == 0).then(|| OsString::from("--"));
    // After "--" nothing is an option, so -t and -T come before it.
    let (more, operands): (Vec<_>, Vec<_>) = operands.partition(|word| {
        let word = word.as_bytes();
        word.starts_with(b"--") || word == b"-T" || word.starts_with(b"-t")
    });
    words.chain(more).chain(end).chain(operands).collect()
}

/// Chooses the form of the operands and puts things at the destination that suit it.
fn operands(mirror: &mut Mirror<'_>, places: &Places, work: &Path) -> Vec<Vec<u8>> {
    let shallow = shallow_nodes(mirror.plan, places.src);
    let one = |mirror: &mut Mirror<'_>| shallow[mirror.rng.usize(..shallow.len())];
    let (src, dst) = (places.src, places.dst);
    let form = mirror
        .rng
        .u8(..if mirror.options.recursive { 24 } else { 12 });
    let mut words: Vec<Vec<u8>> = match form {
        0..=3 => {
            let node = one(mirror);
            one_file(mirror, node, dst)
        }
        4..=5 => {
            let node = one(mirror);
            same_file(mirror, node, dst)
        }
        6..=7 => {
            let nodes = [one(mirror), one(mirror), one(mirror)];
            several(mirror, nodes, dst)
        }
        8 => {
            let node = one(mirror);
            let top = mirror.plan.push(Some(dst), b"src", What::Dir);
            mirror.hand_over(top);
            mirror.children(src, top);
            vec![
                b"--parents".to_vec(),
                mirror.plan.path(node),
                b"dst".to_vec(),
            ]
        }
        9 => {
            let node = one(mirror);
            broken(mirror, node)
        }
        10 => vec![b"src/".to_vec(), b"dst/new/".to_vec()],
        11..=13 => vec![
            b"src".to_vec(),
            pick(mirror.rng, &["new", "dst/new", "./dst//new"]).into(),
        ],
        14..=16 => {
            mirror.counterpart(src, dst);
            vec![
                pick(mirror.rng, &["src", "src/", "./src"]).into(),
                pick(mirror.rng, &["dst", "dst/", "dst/."]).into(),
            ]
        }
        17..=19 => {
            mirror.children(src, dst);
            vec![b"-T".to_vec(), b"src".to_vec(), b"dst".to_vec()]
        }
        20..=22 => {
            mirror.children(src, dst);
            vec![b"src/.".to_vec(), b"dst".to_vec()]
        }
        _ => vec![
            b"src".to_vec(),
            pick(mirror.rng, &["src", "src/new", "src/.", "."]).into(),
        ],
    };
    if mirror.options.symbolic && mirror.rng.u8(..4) != 0 {
        make_absolute(&mut words, work);
    }
    words
}

/// Source operands of `-s` are absolute as a rule: relative ones only work into the current directory.
pub(crate) fn make_absolute(words: &mut [Vec<u8>], work: &Path) {
    for word in words
        .iter_mut()
        .filter(|word| word.starts_with(b"src") || word.starts_with(b"./src"))
    {
        let mut absolute = work.as_os_str().as_bytes().to_vec();
        absolute.push(b'/');
        absolute.append(word);
        *word = absolute;
    }
}

/// The nodes of the source that make good operands.
fn shallow_nodes(plan: &Plan, src: usize) -> Vec<usize> {
    let is_deep = |index: usize| {
        plan.path(index)
            .split(|byte| *byte == b'/')
            .any(|name| name == DEEP_NAME)
    };
    let mut nodes = plan.below(src);
    nodes.retain(|&index| !is_deep(index) && plan.path(index).len() < 2000);
    if nodes.is_empty() { vec![src] } else { nodes }
}

fn one_file(mirror: &mut Mirror<'_>, node: usize, dst: usize) -> Vec<Vec<u8>> {
    let mut operand = mirror.plan.path(node);
    if mirror.rng.u8(..8) == 0 {
        operand.push(b'/');
    }
    mirror.counterpart(node, dst);
    let mut exact = b"dst/".to_vec();
    exact.extend(&mirror.plan.nodes[node].name);
    match mirror.rng.u8(..6) {
        0 => vec![operand, b"dst".to_vec()],
        1 => vec![operand, b"dst/".to_vec()],
        2 => vec![operand, b"-T".to_vec(), exact],
        3 => vec![b"-tdst".to_vec(), operand],
        4 => vec![operand, b"dst/another name".to_vec()],
        _ => vec![operand, exact],
    }
}

/// A file onto itself, by its own name and through links.
fn same_file(mirror: &mut Mirror<'_>, node: usize, dst: usize) -> Vec<Vec<u8>> {
    if matches!(mirror.plan.nodes[node].what, What::Symlink(_)) {
        // It may lead to a directory, which would be copied into itself: see the last form.
        return one_file(mirror, node, dst);
    }
    let operand = mirror.plan.path(node);
    let mut target = b"../".to_vec();
    target.extend(&operand);
    mirror
        .plan
        .push(Some(dst), b"symlink", What::Symlink(target));
    let is_dir = matches!(mirror.plan.nodes[node].what, What::Dir);
    let first = match mirror.plan.nodes[node].what {
        What::HardLink(first) => first,
        _ => node,
    };
    if !is_dir {
        mirror
            .plan
            .push(Some(dst), b"hardlink", What::HardLink(first));
        mirror.plan.push(
            Some(dst),
            b"symlink to hardlink",
            What::Symlink(b"hardlink".to_vec()),
        );
    }
    let other = pick(
        mirror.rng,
        &["dst/symlink", "dst/hardlink", "dst/symlink to hardlink", ""],
    );
    let other = if other.is_empty() || is_dir {
        operand.clone()
    } else {
        other.into()
    };
    if mirror.rng.bool() {
        vec![operand, other]
    } else {
        vec![other, operand]
    }
}

/// Several operands, sometimes two with one name, into a directory.
fn several(mirror: &mut Mirror<'_>, nodes: [usize; 3], dst: usize) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for node in nodes {
        let name = mirror.plan.nodes[node].name.clone();
        let path = mirror.plan.path(node);
        let taken = mirror
            .plan
            .children(dst)
            .into_iter()
            .any(|other| mirror.plan.nodes[other].name == name);
        // A pipe is filled for one reader only. With -u GNU cp replaces what it had left alone by a
        // link to another copy of the same source.
        let is_covered = words
            .iter()
            .any(|word| path.starts_with(word) || word.starts_with(&path));
        let once = mirror.options.reads_pipes || !mirror.options.recursive;
        if is_covered && (once || mirror.options.updates) {
            continue;
        }
        if !taken {
            mirror.counterpart(node, dst);
        }
        words.push(path);
    }
    match mirror.rng.u8(..4) {
        0 => words.insert(0, b"--target-directory=dst".to_vec()),
        1 => words.insert(0, b"-tdst/".to_vec()),
        2 => words.push(b"dst/".to_vec()),
        _ => words.push(b"dst".to_vec()),
    }
    words
}

/// Command lines that must fail.
fn broken(mirror: &mut Mirror<'_>, node: usize) -> Vec<Vec<u8>> {
    let operand = mirror.plan.path(node);
    let word = |text: &str| text.as_bytes().to_vec();
    match mirror.rng.u8(..8) {
        0 => vec![word("src/not there"), word("dst")],
        1 => vec![operand],
        2 => vec![],
        3 => vec![word("-T"), operand.clone(), operand, word("dst")],
        4 => vec![operand.clone(), operand, word("not a directory")],
        5 => vec![operand, word("dst/no/such/directory")],
        6 => vec![word("-tdst"), word("-T"), operand],
        _ => vec![operand, word("src/not there"), word("dst")],
    }
}
