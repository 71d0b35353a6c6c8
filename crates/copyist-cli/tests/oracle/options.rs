//! Random options of cp, and what they mean for the choice of operands.

use fastrand::Rng;

/// A random choice of options.
#[derive(Clone, Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "cp's options are what they are"
)]
pub(crate) struct Options {
    /// The words for the command line.
    pub(crate) words: Vec<String>,
    /// Directories are copied.
    pub(crate) recursive: bool,
    /// Nothing but `-a`: every attribute is kept.
    pub(crate) archives: bool,
    /// Every symbolic link is followed.
    pub(crate) follows_all: bool,
    /// Hard links, or names of one file found through symbolic links, may be linked at the destination.
    pub(crate) keeps_links: bool,
    /// What exists at the destination decides whether something is copied, or it is kept as a backup.
    pub(crate) minds_existing: bool,
    /// No content is copied: `--attributes-only`, `-l` or `-s`.
    pub(crate) no_content: bool,
    /// `-s`: the operands had better be absolute.
    pub(crate) symbolic: bool,
    /// `--backup`, `-b` or a suffix for backups.
    pub(crate) backs_up: bool,
    /// `--update`, in any of its ways.
    pub(crate) updates: bool,
    /// The order of what is printed can be seen.
    pub(crate) is_ordered: bool,
    /// `--preserve=mode`, `-p` or `-a`.
    pub(crate) keeps_mode: bool,
    /// `--sparse=always`: zeros become holes.
    pub(crate) finds_zeros: bool,
    /// `--copy-contents`: pipes are read.
    pub(crate) reads_pipes: bool,
}

/// Picks one of a list.
pub(crate) fn pick<'a>(rng: &mut Rng, list: &[&'a str]) -> &'a str {
    list[rng.usize(..list.len())]
}

/// Chooses options; the first is what is copied and how links are treated, the others modify it.
pub(crate) fn choose(rng: &mut Rng) -> Options {
    let mut options = Options::default();
    base(rng, &mut options);
    modify_existing(rng, &mut options);
    modify_attributes(rng, &mut options);
    modify_data(rng, &mut options);
    // Order matters where a later option overrides an earlier one.
    rng.shuffle(&mut options.words);
    bundle(rng, &mut options.words);
    understand(options.words)
}

/// What these words mean for the choice of operands.
pub(crate) fn understand(words: Vec<String>) -> Options {
    let mut options = Options {
        words,
        ..Options::default()
    };
    // What follows -S is its argument.
    let letters = |word: &String| word.split_inclusive('S').next().unwrap_or("").to_string();
    let chars: String = options
        .words
        .iter()
        .filter(|word| is_short(word))
        .map(letters)
        .collect();
    let has = |short: &str, longs: &[&str]| {
        chars.chars().any(|found| short.contains(found))
            || options
                .words
                .iter()
                .any(|word| longs.iter().any(|long| word.starts_with(long)))
    };
    options.archives =
        matches!(options.words.as_slice(), [word] if word == "-a" || word == "--archive");
    options.recursive = has("arR", &["--arch", "--recursive"]);
    options.follows_all = has("L", &["--dereference"]);
    options.keeps_links = has("ad", &["--arch", "--preserve"]);
    options.minds_existing = has(
        "uniblsS",
        &[
            "--up",
            "--no-c",
            "--interactive",
            "--backup",
            "--suffix",
            "--link",
            "--sym",
            "--debug",
        ],
    );
    options.no_content = has("ls", &["--attributes-only", "--link", "--symbolic-link"]);
    options.symbolic = has("s", &["--symbolic-link"]);
    options.backs_up = has("bS", &["--backup", "--suffix"]);
    options.updates = has("u", &["--up"]);
    let asks = has("i", &["--interactive"]) && !has("n", &["--no-c"]);
    options.is_ordered = asks || has("v", &["--verbose", "--debug"]);
    options.keeps_mode = has("ap", &["--arch"])
        || options.words.iter().any(|word| {
            let list = word.strip_prefix("--preserve");
            list.is_some_and(|list| {
                ["", "mode", "all"].iter().any(|it| match *it {
                    "" => list.is_empty(),
                    name => list.contains(name),
                })
            })
        });
    options.finds_zeros = has("", &["--sparse=always"]);
    options.reads_pipes = has("", &["--copy-contents"]);
    options
}

fn is_short(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--")
}

fn base(rng: &mut Rng, options: &mut Options) {
    let recursive = pick(rng, &["-r", "-R", "--recursive"]);
    let words: &[&str] = match rng.u8(..100) {
        0..=24 => &[pick(rng, &["-a", "--archive", "-dR --preserve=all"])],
        25..=36 => &[recursive],
        37..=44 => &[recursive, pick(rng, &["-p", "--preserve"])],
        45..=50 => &[recursive, "-d"],
        51..=56 => &[
            recursive,
            pick(rng, &["-L", "--dereference", "-Lp", "-L --preserve=links"]),
        ],
        57..=62 => &[recursive, "-H"],
        63..=66 => &[recursive, pick(rng, &["-P", "--no-dereference"])],
        67..=70 => &[recursive, pick(rng, &["-l", "--link", "-lL", "-lP", "-lH"])],
        71..=74 => &[recursive, pick(rng, &["-s", "--symbolic-link"])],
        75..=79 => &["-p"],
        80..=82 => &[pick(rng, &["-d", "-P", "-L", "-H", "-l", "-s", "-lp"])],
        83..=85 => &["-a", pick(rng, &["-L", "-H", "-l", "-s"])],
        _ => &[],
    };
    options.words.extend(
        words
            .iter()
            .flat_map(|words| words.split(' '))
            .map(String::from),
    );
}

/// True one time in `n`.
fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

fn modify_existing(rng: &mut Rng, options: &mut Options) {
    let mut push = |word: &str| options.words.push(word.into());
    if one_in(rng, 8) {
        push(pick(rng, &["-f", "--force"]));
    }
    if one_in(rng, 12) {
        push(pick(rng, &["-n", "--no-clobber"]));
    }
    if one_in(rng, 9) {
        push(pick(rng, &["-u", "--update"]));
    }
    if one_in(rng, 20) {
        push(pick(rng, &["-i", "--interactive"]));
    }
    if one_in(rng, 12) {
        push("--remove-destination");
    }
    if one_in(rng, 7) {
        let controls = [
            "none", "off", "numbered", "t", "existing", "nil", "simple", "never", "simp", "wrong",
        ];
        match rng.u8(..4) {
            0 => push("-b"),
            1 => push("--backup"),
            _ => push(&format!("--backup={}", pick(rng, &controls))),
        }
    }
    if one_in(rng, 14) {
        push(pick(
            rng,
            &[
                "-S.bak",
                "--suffix=.old",
                "-S~~",
                "--suffix=",
                "--suffix=a/b",
            ],
        ));
    }
    if one_in(rng, 10) {
        push("--strip-trailing-slashes");
    }
}

fn modify_attributes(rng: &mut Rng, options: &mut Options) {
    let names = ["mode", "ownership", "timestamps", "links", "xattr", "all"];
    let list = |rng: &mut Rng| {
        let picked: Vec<&str> = (0..rng.usize(1..4)).map(|_| pick(rng, &names)).collect();
        picked.join(",")
    };
    if one_in(rng, 6) {
        let list = list(rng);
        options.words.push(format!("--preserve={list}"));
    }
    if one_in(rng, 8) {
        let list = list(rng);
        options.words.push(format!("--no-preserve={list}"));
    }
    if one_in(rng, 16) {
        options.words.push("--attributes-only".into());
    }
    if one_in(rng, 60) {
        options.words.push(
            pick(
                rng,
                &[
                    "--preserve=context",
                    "--preserve=nothing",
                    "--no-preserve=context",
                ],
            )
            .into(),
        );
    }
}

fn modify_data(rng: &mut Rng, options: &mut Options) {
    let mut push = |word: &str| options.words.push(word.into());
    if one_in(rng, 5) {
        push(&format!(
            "--sparse={}",
            pick(
                rng,
                &["auto", "always", "never", "auto", "always", "never", "some"]
            )
        ));
    }
    if one_in(rng, 5) {
        push(pick(
            rng,
            &[
                "--reflink",
                "--reflink=auto",
                "--reflink=always",
                "--reflink=never",
                "--reflink=never",
            ],
        ));
    }
    if one_in(rng, 25) {
        push("--copy-contents");
    }
    if one_in(rng, 7) {
        push(pick(rng, &["-v", "--verbose"]));
    }
    if one_in(rng, 12) {
        push(pick(rng, &["-x", "--one-file-system"]));
    }
}

/// Sometimes joins neighbouring short options: `-r -v` becomes `-rv`.
fn bundle(rng: &mut Rng, words: &mut Vec<String>) {
    // -S takes an argument, so nothing may follow it.
    let joins = |word: &str| is_short(word) && !word.contains('S');
    for index in (1..words.len()).rev() {
        if joins(&words[index - 1]) && is_short(&words[index]) && rng.bool() {
            let tail = words.remove(index)[1..].to_string();
            words[index - 1].push_str(&tail);
        }
    }
}
