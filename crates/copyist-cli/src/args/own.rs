//! The options of copyist's own, which `cp` and `copy` both take: a new one is a line of this table, and
//! its effect is in `settings/own.rs`.

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
    own(Own::Atomic, &["atomic"], Optional("WHEN"), SAFE, "Give each file its name only when it is complete, in one step: yes (the same as --atomic alone; an error where that is impossible), auto (where the destination allows it, else write into the destination, with a warning; the default of 'copy'), no (write into the destination)"),
    own(Own::Fsync, &["fsync"], Required("WHEN"), SAFE, "Flush copies to stable storage: file (each before it is reported as done), end (all before the command ends), none (when the system does so, the default)"),
    own(Own::OnChange, &["on-change"], Required("WHAT"), SAFE, "What to do with a file that changes while it is copied: retry (up to 3 times, then report), report (a warning, the default), fail"),
    own(Own::Jobs, &["jobs"], Required("N"), HOW, "Copy up to N files at a time (one with -v, -i or --debug, which keep the order)"),
    own(Own::Journal, &["journal"], Required("FILE"), SAFE, "Like --resume, with the journal in FILE"),
    own(Own::Cache, &["cache"], Required("WHEN"), HOW, "What a copy leaves in the page cache: keep (the kernel's default), drop (write back and drop the pages behind the copy; progress counts bytes when they are written back), direct (bypass the cache), auto (drop for a file that with its copy exceeds the available memory, else keep; the default)"),
    own(Own::Explain, &["explain"], Nothing, REPORT, "Copy nothing; show for each source its properties, which methods would be tried in which order, and why others would not"),
    own(Own::Hash, &["hash"], Required("KIND"), REPORT, "The hash of --manifest and --verify: blake3 (the default), xxh3 (128 bits), sha256"),
    own(Own::KeepBad, &["keep-bad"], Nothing, HOW, "Keep a copy that --verify finds to differ (without it, such a copy is removed; one that can't be read back is always kept)"),
    own(Own::Manifest, &["manifest"], Required("FILE"), REPORT, "Write the hash of each copied file to FILE (- for standard output), for 'copyist verify --manifest', b3sum -c or sha256sum -c"),
    own(Own::Method, &["method"], Required("LIST"), HOW, "Allow only these methods: clone, copy-range, system-copy, sendfile, direct, read-write (if this system has them). Where both filesystems refuse direct I/O, direct is the same as read-write"),
    own(Own::Progress, &["progress"], Optional("WHEN"), REPORT, "Show bytes, files, rate and time left on standard error: always (the same as --progress alone), auto if that is a terminal, never (the default)"),
    own(Own::Prove, &["prove"], Nothing, REPORT, "Query after each file how many bytes it shares with its source, and write the number to the report (\"shared\")"),
    own(Own::Resume, &["resume"], Nothing, SAFE, "Continue an interrupted copy from its journal, which is kept beside DEST until all is copied; implies --atomic=auto"),
    own(Own::Sandbox, &["sandbox"], Optional("WHEN"), HOW, "Restrict this process to the sources and the destination: always (the same as --sandbox alone), auto where the system supports it (Linux 5.13 and newer), never (the default)"),
    own(Own::Report, &["report"], Required("FILE"), REPORT, "Write what was done to FILE (- for standard output), one JSON object a line"),
    own(Own::Verify, &["verify"], Nothing, HOW, "Read each copy back, from the device where the system allows that, and compare it with what was copied"),
];
