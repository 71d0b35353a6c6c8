//! The options of copyist's own, which `cp` and `copy` both take: a new one is a line of this table, and
//! what it does is said in `settings/own.rs`.

use super::option::{HOW, Opt, Own, REPORT, SAFE};
use crate::args::getopt::Flag;
use crate::args::getopt::Takes::{self, Nothing, Optional, Required};

const fn own(
    id: Own,
    long: &'static [&'static str],
    takes: Takes,
    group: &'static str,
    help: &'static str,
) -> Flag<Opt> {
    Flag {
        id: Opt::Own(id),
        short: "",
        long,
        takes,
        group,
        help,
        ours: true,
    }
}

#[rustfmt::skip] // one option, one line: a table
pub(super) const OWN: &[Flag<Opt>] = &[
    own(Own::Atomic, &["atomic"], Optional("WHEN"), SAFE, "Give each file its name when it is complete, in one step (yes, the same as --atomic alone: where that can't be, it is an error), where the destination allows it (auto; what 'copy' does by itself, with a warning where it has to write into the destination), or write into the destination (no)"),
    own(Own::Fsync, &["fsync"], Required("WHEN"), SAFE, "Make what was copied safe from a power failure: file (each, before it is reported as done), end (everything, before the command ends), none (leave it to the system, the default)"),
    own(Own::OnChange, &["on-change"], Required("WHAT"), SAFE, "A file that changes while it is copied: retry (up to 3 times, then report), report (a warning, the default), fail"),
    own(Own::Jobs, &["jobs"], Required("N"), HOW, "Copy up to N files at a time (one if -v, -i or --debug ask for order)"),
    own(Own::Journal, &["journal"], Required("FILE"), SAFE, "Like --resume, with the journal in FILE"),
    own(Own::Cache, &["cache"], Required("WHEN"), HOW, "What a copy may leave in the page cache: keep (what the system likes), drop (write it back and drop it behind the copy, and count it when it is written), direct (go around the cache), auto (drop for a file that with its copy is larger than the free memory, else keep; the default)"),
    own(Own::Explain, &["explain"], Nothing, REPORT, "Copy nothing; say what is known of each source, which methods would be tried in which order, and why others not"),
    own(Own::Hash, &["hash"], Required("KIND"), REPORT, "The hash of --manifest and --verify: blake3 (the default), xxh3 (128 bits), sha256"),
    own(Own::KeepBad, &["keep-bad"], Nothing, HOW, "Keep a copy that --verify has found to differ (without it, such a copy is removed; one that could not be read back is kept in any case)"),
    own(Own::Manifest, &["manifest"], Required("FILE"), REPORT, "Write the hash of each copied file to FILE (- for standard output), for 'copyist verify --manifest', b3sum -c or sha256sum -c"),
    own(Own::Method, &["method"], Required("LIST"), HOW, "Allow only these methods: clone, copy-range, system-copy, sendfile, direct, read-write (those that this system has). Where both filesystems refuse direct I/O, direct is read-write"),
    own(Own::Progress, &["progress"], Optional("WHEN"), REPORT, "Show bytes, files, rate and time left on standard error: always (the same as --progress alone), auto if that is a terminal, never (the default)"),
    own(Own::Prove, &["prove"], Nothing, REPORT, "Ask the filesystem, after each file, how many bytes it shares with its source; the report has the answer (\"shared\")"),
    own(Own::Resume, &["resume"], Nothing, SAFE, "Go on with the same copy if it was interrupted, by the journal that is kept beside DEST until all is copied; implies --atomic=auto"),
    own(Own::Sandbox, &["sandbox"], Optional("WHEN"), HOW, "Let the system keep this process from all but the sources and the destination: always (the same as --sandbox alone), auto where the system can (Linux 5.13 and newer), never (the default)"),
    own(Own::Report, &["report"], Required("FILE"), REPORT, "Write what was done to FILE (- for standard output), one JSON object a line"),
    own(Own::Verify, &["verify"], Nothing, HOW, "Read each copy back, from the device where the system allows that, and compare it with what was copied"),
];
