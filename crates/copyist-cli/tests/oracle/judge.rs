//! Decides whether two runs of one case did the same, and knows where ours is meant to differ.

use std::ffi::OsString;

use super::case::Case;
use super::diff::{differences, entry_differences};
use super::meant::as_meant;
use super::plan::What;
use super::random::DEEP_NAME;
use super::run::{Outcome, oracle_is_old};
use super::snapshot::Snapshot;

/// A run and what it left.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    pub(crate) before: Snapshot,
    pub(crate) after: Snapshot,
    /// The second in which the run began.
    pub(crate) began: i64,
    /// The program is ours, not a stand-in.
    pub(crate) is_ours: bool,
}

impl Played {
    /// The same run, had it left another tree.
    pub(crate) fn with(&self, after: Snapshot) -> Self {
        Self {
            after,
            ..self.clone()
        }
    }
}

/// A difference from GNU cp that is meant.
pub(crate) struct Intended {
    /// A few words for it.
    pub(crate) name: &'static str,
    /// Why ours differs.
    pub(crate) reason: &'static str,
    /// What GNU cp's standard error then holds.
    pub(crate) symptom: &'static [u8],
    /// Which cases it can be in.
    when: fn(&Case) -> bool,
    /// What differs from what is expected instead.
    accept: fn(&Case, &Played, &Played) -> Vec<String>,
}

const INTO_ITSELF: &[u8] = b"into itself";
const FOREIGN_LINK: &[u8] = b"a symbolic link of another user";
const NO_FILE: &[u8] = b"which is no regular file";

/// What ours refuses says so, whatever GNU cp says.
const REFUSALS: [&[u8]; 3] = [INTO_ITSELF, FOREIGN_LINK, NO_FILE];

/// All differences that are meant.
pub(crate) const INTENDED: &[Intended] = &[
    Intended {
        name: "--keep-directory-symlink without --copy-contents",
        reason: "as the manual has it, ours copies into the directory; GNU cp refuses",
        symptom: b"",
        when: |case| has_word(case, b"--keep-directory-symlink"),
        accept: |_, _, _| Vec::new(),
    },
    Intended {
        name: "a directory over a file with a backup, with GNU cp 9.1",
        reason: "it refuses, and later ones make the backup",
        symptom: b"cannot overwrite",
        when: |case| oracle_is_old() && case.options.backs_up,
        accept: |_, _, _| Vec::new(),
    },
    Intended {
        name: "a declined question, with GNU cp 9.1",
        reason: "its exit code is 0 then, with later ones 1",
        symptom: b"? ",
        when: |case| oracle_is_old() && case.options.minds_existing,
        accept: same_tree,
    },
    Intended {
        name: "a followed symbolic link to a directory onto itself, with a backup",
        reason: "it becomes the backup, and a directory is made; GNU cp then reads that new one, ours the source",
        symptom: b"",
        when: |case| {
            let onto_itself = case.args.iter().rev().take(2).all(|word| word == "src/x");
            case.options.backs_up && case.options.recursive && onto_itself
        },
        accept: same_ending,
    },
    Intended {
        name: "a directory into itself",
        reason: "GNU cp copies a part and then complains; ours refuses before anything is made",
        symptom: INTO_ITSELF,
        when: |_| true,
        accept: refused_whole,
    },
    Intended {
        name: "a symbolic link of another user in the destination's tree",
        reason: "whoever owns the directory would choose what a superuser overwrites",
        symptom: FOREIGN_LINK,
        when: |_| true,
        accept: refused,
    },
    Intended {
        name: "a FIFO or device in the destination's tree where a file is to go",
        reason: "a stranger's FIFO would stop the copy for ever",
        symptom: NO_FILE,
        when: |_| true,
        accept: refused,
    },
    Intended {
        name: "paths longer than PATH_MAX",
        reason: "GNU cp builds whole paths and stops at 4096 bytes; ours works relative to open directories",
        symptom: b"File name too long",
        when: |_| true,
        accept: copied_deep,
    },
    Intended {
        name: "parents that could not all be made",
        reason: "ours gives those that were made their attributes; GNU cp leaves them as they are",
        symptom: b"failed to get attributes of",
        when: |case| has_word(case, b"--parents"),
        accept: same_ending,
    },
    Intended {
        name: "parents that could not all be made",
        reason: "as above",
        symptom: b"exists but is not a directory",
        when: |case| has_word(case, b"--parents"),
        accept: same_ending,
    },
    Intended {
        name: "a directory met twice",
        reason: "a directory that was an operand, and is in another: GNU cp wants to make a hard link \
                 to the first copy, and fails; ours copies it again",
        symptom: b"will not create hard link",
        when: |_| true,
        accept: |_, _, _| Vec::new(),
    },
    Intended {
        name: "extended attributes that can't be read",
        reason: "those of a directory that can't be read: its failure is told already",
        symptom: b"getting attribute",
        when: |_| true,
        accept: same_tree,
    },
    Intended {
        name: "extended attributes that can't be set",
        reason: "GNU cp also tries to set them on devices that it wrote to, names the attribute twice \
                 and not the file, and fails where the umask takes the permission from its own copy",
        symptom: b"setting attribute",
        when: |_| true,
        accept: same_tree,
    },
];

/// GNU cp may stumble over something else on its way into a directory itself.
fn shows(intended: &Intended, gnu: &Played, ours: &Played) -> bool {
    let says = |played: &Played| contains(&played.outcome.stderr, intended.symptom);
    says(gnu) || (REFUSALS.contains(&intended.symptom) && says(ours))
}

fn has_word(case: &Case, word: &[u8]) -> bool {
    case.args.iter().any(|it| it.as_encoded_bytes() == word)
}

/// What GNU cp says where `--reflink=always` can't clone.
pub(crate) const CLONE_FAILED: &[u8] = b"failed to clone";

/// Paths longer than this are compared with the source where GNU cp gave up.
const LONG_PATH: usize = 3500;

/// What differs between GNU cp's run and ours; nothing when all is well. `text_in_order`: compare
/// what they print too, in order or in any order.
pub(crate) fn judge(
    case: &Case,
    gnu: &Played,
    ours: &Played,
    text_in_order: Option<bool>,
) -> Vec<String> {
    if gnu.outcome.status.is_none() {
        println!("GNU cp itself hangs: {:?}", case.args);
        return Vec::new();
    }
    let gnu = &as_meant(case, gnu, ours);
    let mut found = compare(gnu, ours);
    if let Some(in_order) = text_in_order {
        found.extend(text_differences(&gnu.outcome, &ours.outcome, in_order));
    }
    if found.is_empty() {
        return found;
    }
    match INTENDED
        .iter()
        .find(|it| (it.when)(case) && shows(it, gnu, ours))
    {
        Some(intended) => (intended.accept)(case, gnu, ours),
        None => found,
    }
}

pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// The plain comparison.
fn compare(gnu: &Played, ours: &Played) -> Vec<String> {
    let mut found = Vec::new();
    let (left, right) = (gnu.outcome.ending(), ours.outcome.ending());
    if left != right {
        found.push(format!("ending: GNU {left}, ours {right}"));
    }
    match (
        gnu.outcome.stderr.is_empty(),
        ours.outcome.stderr.is_empty(),
    ) {
        (true, false) => found.push("standard error: ours complains, GNU does not".into()),
        (false, true) => found.push("standard error: GNU complains, ours does not".into()),
        _ => {}
    }
    found.extend(differences(&gnu.after, &ours.after, gnu.began));
    found
}

/// Output is compared line by line, in any order where nothing asks for order: a parallel copy
/// reports in its own.
fn text_differences(gnu: &Outcome, ours: &Outcome, in_order: bool) -> Vec<String> {
    // The lines of --debug report the method, and ours has other methods.
    let is_of_data = |line: &&[u8]| line.starts_with(b"copy offload: ");
    let lines = |text: &[u8]| {
        let mut lines: Vec<Vec<u8>> = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !is_of_data(line))
            .map(|line| {
                if in_order {
                    line.to_vec()
                } else {
                    of_any_name(line)
                }
            })
            .collect();
        if !in_order {
            lines.sort();
        }
        lines
    };
    let same = |left: &[u8], right: &[u8]| lines(left) == lines(right);
    let mut found = Vec::new();
    if !same(&gnu.stdout, &ours.stdout) {
        found.push("standard output differs".into());
    }
    if !same(&gnu.stderr, &ours.stderr) {
        found.push("standard error differs".into());
    }
    found
}

fn same_ending(_: &Case, gnu: &Played, ours: &Played) -> Vec<String> {
    let (left, right) = (gnu.outcome.ending(), ours.outcome.ending());
    if left == right {
        Vec::new()
    } else {
        vec![format!("ending: GNU {left}, ours {right}")]
    }
}

fn same_tree(_: &Case, gnu: &Played, ours: &Played) -> Vec<String> {
    differences(&gnu.after, &ours.after, gnu.began)
}

/// Which of several names of a file is copied, and which is linked to that copy, depends on the order.
fn of_any_name(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let Some(rest) = text.strip_prefix("cp: cannot create hard link ") else {
        return line.to_vec();
    };
    let (name, why) = (rest.split(" to ").next(), rest.rsplit(": ").next());
    let (name, why) = (name.unwrap_or_default(), why.unwrap_or_default());
    format!("cp: cannot create regular file {name}: {why}").into_bytes()
}

/// Ours must have failed with a message and left everything as it was; a stand-in need not.
fn refused_whole(case: &Case, _: &Played, ours: &Played) -> Vec<String> {
    let mut found = Vec::new();
    if ours.outcome.ending() != "exit 1" || ours.outcome.stderr.is_empty() {
        found.push(format!(
            "not refused with a message: {}",
            ours.outcome.ending()
        ));
    }
    // What other operands made is another matter.
    let several = case
        .args
        .iter()
        .filter(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let into = |word: &OsString| word.as_encoded_bytes().starts_with(b"-t");
    if !ours.is_ours
        || case.fills_pipes()
        || has_word(case, b"--parents")
        || several.count() > 2
        || case.args.iter().any(into)
    {
        return found;
    }
    let made = differences(&ours.before, &ours.after, ours.began);
    found.extend(
        made.into_iter()
            .map(|line| format!("refused, yet changed (GNU = before): {line}")),
    );
    found
}

/// Where GNU cp only stopped at long paths, ours may go on; what is long must be like the source.
fn copied_deep(case: &Case, gnu: &Played, ours: &Played) -> Vec<String> {
    let too_long = |line: &[u8]| {
        line.is_empty()
            || contains(line, b"File name too long")
            || contains(line, b"warning: ignoring --context")
    };
    let only_too_long = |played: &Played| {
        played
            .outcome
            .stderr
            .split(|byte| *byte == b'\n')
            .all(too_long)
    };
    let mut found = Vec::new();
    let (left, right) = (gnu.outcome.ending(), ours.outcome.ending());
    let warns = contains(&ours.outcome.stderr, b"ignoring --context");
    let quiet = ours.outcome.stderr.is_empty() || case.options.is_ordered || warns;
    if left != right && !(only_too_long(gnu) && right == "exit 0" && quiet) {
        found.push(format!("ending: GNU {left}, ours {right}"));
    }
    let shallow = |snapshot: &Snapshot| {
        let entries = snapshot
            .entries
            .iter()
            .filter(|(path, _)| path.len() <= LONG_PATH);
        Snapshot {
            entries: entries
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
        }
    };
    found.extend(differences(
        &shallow(&gnu.after),
        &shallow(&ours.after),
        gnu.began,
    ));
    if ours.is_ours && !contains(&gnu.outcome.stderr, CLONE_FAILED) {
        found.extend(deep_differences(case, gnu, ours));
    }
    found
}

/// One thing was refused, the rest was copied.
fn refused(_: &Case, _: &Played, ours: &Played) -> Vec<String> {
    match ours.outcome.ending() {
        ending if ending == "exit 1" => Vec::new(),
        ending => vec![format!("ours refuses something, and ends with {ending}")],
    }
}

/// Compares what is deep below the source with what ours made of it at the destination.
fn deep_differences(case: &Case, gnu: &Played, ours: &Played) -> Vec<String> {
    let has_deep = case
        .plan
        .nodes
        .iter()
        .any(|node| node.name == DEEP_NAME && matches!(node.what, What::Dir));
    let source_top = [b"src/", DEEP_NAME].concat();
    let tops = gnu
        .after
        .entries
        .keys()
        .filter(|path| path.rsplit(|byte| *byte == b'/').next() == Some(DEEP_NAME));
    let mut found = Vec::new();
    for top in tops.filter(|top| has_deep && **top != source_top) {
        // GNU cp must have come near the limit below this directory, else it was not copied at all.
        let reached = |path: &Vec<u8>| path.starts_with(top) && path.len() > LONG_PATH - 600;
        if !gnu.after.entries.keys().any(reached) {
            continue;
        }
        for (path, entry) in &ours.before.entries {
            let Some(rest) = path.strip_prefix(source_top.as_slice()) else {
                continue;
            };
            if path.len() <= LONG_PATH || (case.options.follows_all && !entry.target.is_empty()) {
                continue;
            }
            let copy = [top.as_slice(), rest].concat();
            let shown = &copy[copy.len() - 20..];
            match ours.after.entries.get(&copy) {
                None => found.push(format!("deep: ...{} is missing", shown.escape_ascii())),
                Some(other) if case.options.archives => {
                    let lines = entry_differences(entry, other, ours.began);
                    found.extend(
                        lines
                            .iter()
                            .map(|line| format!("deep: ...{}: {line}", shown.escape_ascii())),
                    );
                }
                Some(other) if (entry.kind, entry.content) != (other.kind, other.content) => {
                    found.push(format!(
                        "deep: ...{} is not like the source",
                        shown.escape_ascii()
                    ));
                }
                Some(_) => {}
            }
        }
    }
    found
}
