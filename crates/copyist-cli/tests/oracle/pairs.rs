//! Every option of cp with every other one, each way that it can be given.

/// The options with the values that they take. A space separates two words.
const OPTIONS: &[&str] = &[
    "-a",
    "-b",
    "-d",
    "-f",
    "-i",
    "-H",
    "-l",
    "-L",
    "-n",
    "-P",
    "-p",
    "-R",
    "-r",
    "-s",
    "-S.bak",
    "-T",
    "-tdst",
    "-u",
    "-v",
    "-x",
    "-Z",
    "--attributes-only",
    "--backup",
    "--backup=none",
    "--backup=numbered",
    "--backup=existing",
    "--backup=simple",
    "--copy-contents",
    "--context",
    "--context=x",
    "--debug",
    "--keep-directory-symlink",
    "--no-preserve=mode",
    "--no-preserve=ownership",
    "--no-preserve=timestamps",
    "--no-preserve=links",
    "--no-preserve=xattr",
    "--no-preserve=context",
    "--no-preserve=all",
    "--parents",
    "--preserve",
    "--preserve=mode",
    "--preserve=ownership",
    "--preserve=timestamps",
    "--preserve=links",
    "--preserve=xattr",
    "--preserve=context",
    "--preserve=all",
    "--reflink",
    "--reflink=auto",
    "--reflink=always",
    "--reflink=never",
    "--remove-destination",
    "--sparse=auto",
    "--sparse=always",
    "--sparse=never",
    "--strip-trailing-slashes",
    "--suffix=.old",
    "--update",
    "--update=all",
    "--update=none",
    "--update=none-fail",
    "--update=older",
    "--arch",
    "--no-c",
    "--up=o",
    "--p",
    "--wrong",
    "-a -v",
    "-R -i",
    "-a -f",
    "-R -u",
    "-R -b",
    "-R -d",
    "-R -L",
    "-R -H",
    "-a --debug",
];

/// How many pairs there are, an option with itself included.
pub(crate) const PAIRS: u64 = (OPTIONS.len() * (OPTIONS.len() + 1) / 2) as u64;

/// The words of pair `seed`, which counts on through the pairs again and again; half of the rounds
/// have the two the other way round, and copy directories.
pub(crate) fn words(seed: u64) -> Vec<String> {
    let mut rest = usize::try_from(seed % PAIRS).unwrap_or(0);
    let mut first = 0;
    while rest >= OPTIONS.len() - first {
        rest -= OPTIONS.len() - first;
        first += 1;
    }
    let (mut one, mut two) = (OPTIONS[first], OPTIONS[first + rest]);
    let round = seed / PAIRS;
    if round % 2 == 1 {
        (one, two) = (two, one);
    }
    let recursive = if round % 4 < 2 { "-R " } else { "" };
    let line = format!("{recursive}{one} {two}");
    line.split(' ').map(String::from).collect()
}
