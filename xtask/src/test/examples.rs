//! The lane `examples`: each example of the library run, as its documentation says, and what it must print and make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use super::libtest::Counts;
use super::summary::Ending;
use crate::error::{Context, Result};
use crate::{command, signals, workspace};

const EXAMPLES: &str = "crates/copyist/examples";

/// One run of an example, in a directory with `file` (1 MiB), `tree/one.txt`, `tree/two.tmp` and
/// `tree/below/three.txt`. What the runs before it made is there, too.
struct Example {
    /// Its file without `.rs`, or its directory.
    name: &'static str,
    arguments: &'static [&'static str],
    status: i32,
    /// Parts of its standard output and, where it fails, of its standard error.
    says: &'static [&'static str],
    /// Files that are the same in the end.
    same: &'static [(&'static str, &'static str)],
    /// What must not be there in the end.
    absent: &'static [&'static str],
}

/// An example without a row fails the lane, and so does a row without its example. It can have several rows.
const ROWS: &[Example] = &[
    Example {
        name: "progress",
        arguments: &["file", "copy"],
        status: 0,
        says: &["1048576 bytes"],
        same: &[("file", "copy")],
        absent: &[],
    },
    Example {
        name: "progress",
        arguments: &["missing", "copy2"],
        status: 1,
        says: &["missing"],
        same: &[],
        absent: &["copy2"],
    },
    Example {
        name: "tree",
        arguments: &["tree", "tree2", ".tmp"],
        status: 0,
        says: &["2 files, 2 directories, 8 bytes"],
        same: &[
            ("tree/one.txt", "tree2/one.txt"),
            ("tree/below/three.txt", "tree2/below/three.txt"),
        ],
        absent: &["tree2/two.tmp"],
    },
    Example {
        name: "verify",
        arguments: &["tree", "tree3"],
        status: 0,
        says: &["3 files compared, 0 differences"],
        same: &[("tree/two.tmp", "tree3/two.tmp")],
        absent: &[],
    },
    Example {
        name: "probe",
        arguments: &["tree"],
        status: 0,
        says: &["read-write: Yes"],
        same: &[],
        absent: &[],
    },
];

pub(super) fn run(tests: &mut Counts) -> Result<Ending> {
    let directory = workspace::root().join(EXAMPLES);
    let mut faults = unlisted(&names(&directory)?, ROWS);
    let room = workspace::target().join("examples-run");
    furnish(&room)?;
    for row in ROWS {
        let output = play(row, &room)?;
        let found = judge(row, &output, &room);
        *(if found.is_empty() {
            &mut tests.passed
        } else {
            &mut tests.failed
        }) += 1;
        faults.extend(found);
        signals::check()?;
    }
    fs::remove_dir_all(&room).at("remove", &room)?;
    faults.iter().for_each(|fault| println!("{fault}"));
    Ok(match faults.len() {
        0 => Ending::Ok,
        count => Ending::Failed(format!("{count} faults")),
    })
}

/// The names of the examples in a directory, as cargo finds them.
fn names(directory: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).at("list", directory)? {
        let path = entry.at("list", directory)?.path();
        let is_example =
            path.extension().is_some_and(|it| it == "rs") || path.join("main.rs").is_file();
        let name = path.file_stem().filter(|_| is_example);
        names.extend(name.map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(names)
}

/// Examples that are not run, and runs of none.
fn unlisted(names: &BTreeSet<String>, rows: &[Example]) -> Vec<String> {
    let listed: BTreeSet<String> = rows.iter().map(|row| row.name.to_owned()).collect();
    let unlisted = names.difference(&listed);
    let unlisted = unlisted.map(|name| format!("{name}: the lane has no row for this example"));
    let gone = listed.difference(names);
    let gone = gone.map(|name| format!("{name}: there is a row, and no such example"));
    let none = names
        .is_empty()
        .then(|| format!("there is no example in {EXAMPLES}"));
    none.into_iter().chain(unlisted).chain(gone).collect()
}

/// Makes what examples copy, in a new directory.
fn furnish(room: &Path) -> Result<()> {
    if room.exists() {
        fs::remove_dir_all(room).at("remove", room)?;
    }
    let below = room.join("tree/below");
    fs::create_dir_all(&below).at("create", &below)?;
    let large: Vec<u8> = (0..1 << 20).map(|byte: u32| (byte % 251) as u8).collect();
    let files: [(&str, &[u8]); 4] = [
        ("file", &large),
        ("tree/one.txt", b"one"),
        ("tree/two.tmp", b"two"),
        ("tree/below/three.txt", b"three"),
    ];
    for (name, content) in files {
        let path = room.join(name);
        fs::write(&path, content).at("write", &path)?;
    }
    Ok(())
}

fn play(row: &Example, room: &Path) -> Result<Output> {
    let mut cargo = command::cargo(room);
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "copyist",
        "--features",
        "full",
    ]);
    cargo.args(["--example", row.name, "--manifest-path"]);
    cargo.arg(workspace::root().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(workspace::target());
    cargo.arg("--").args(row.arguments);
    println!(
        "$ cargo run --example {} -- {}",
        row.name,
        row.arguments.join(" ")
    );
    cargo.output().doing("run `cargo run --example`")
}

/// What is wrong with a run.
fn judge(row: &Example, output: &Output, room: &Path) -> Vec<String> {
    let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    let said = if row.status == 0 {
        out.into_owned()
    } else {
        format!("{out}{err}")
    };
    let content = |name: &str| fs::read(room.join(name)).ok();
    let is_same = |one: &str, other: &str| {
        let one = content(one);
        one.is_some() && one == content(other)
    };
    let status = output.status.code() != Some(row.status);
    let status = status.then(|| format!("{}, not {}: {}", output.status, row.status, err.trim()));
    let unsaid = row.says.iter().filter(|part| !said.contains(**part));
    let unsaid = unsaid.map(|part| format!("it didn't print `{part}` but:\n{said}"));
    let differing = row.same.iter().filter(|(one, other)| !is_same(one, other));
    let differing = differing.map(|(one, other)| format!("{one} and {other} are not the same"));
    let there = row.absent.iter().filter(|name| room.join(name).exists());
    let there = there.map(|name| format!("{name} is there"));
    let faults = status
        .into_iter()
        .chain(unsaid)
        .chain(differing)
        .chain(there);
    faults
        .map(|fault| format!("{}: {fault}", row.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    const ROW: Example = Example {
        name: "x",
        arguments: &["file", "copy"],
        status: 0,
        says: &["100 %", "done"],
        same: &[("file", "copy")],
        absent: &["tree/two.tmp"],
    };

    fn names_of(files: &[&str]) -> BTreeSet<String> {
        let room = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = room.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, "").expect("a file");
        }
        names(room.path()).expect("names")
    }

    #[test]
    fn every_example_has_a_row_and_every_row_an_example() {
        let names = names_of(&["x.rs", "y/main.rs", "z/other.rs", "README.md"]);
        assert_eq!(names, BTreeSet::from(["x".to_owned(), "y".to_owned()]));
        let missing = unlisted(&names, &[ROW]);
        assert_eq!(missing, ["y: the lane has no row for this example"]);
        let gone = unlisted(&names_of(&["y.rs"]), &[ROW, Example { name: "y", ..ROW }]);
        assert_eq!(gone, ["x: there is a row, and no such example"]);
        assert_eq!(unlisted(&names_of(&["x.rs"]), &[ROW]), Vec::<String>::new());
        assert_eq!(unlisted(&names_of(&[]), &[]).len(), 1);
    }

    /// What is found where a run ended so, said this, and `spoil` was done to what it made.
    fn judged(row: &Example, code: i32, out: &str, err: &str, spoil: fn(&Path)) -> Vec<String> {
        let room = tempfile::tempdir().expect("a directory");
        let room = room.path().join("room");
        furnish(&room).expect("files");
        fs::remove_file(room.join("tree/two.tmp")).expect("a removal");
        fs::copy(room.join("file"), room.join("copy")).expect("a copy");
        spoil(&room);
        let output = Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: out.into(),
            stderr: err.into(),
        };
        judge(row, &output, &room)
    }

    #[test]
    fn a_run_as_expected_has_no_fault() {
        assert_eq!(
            judged(&ROW, 0, "100 %\ndone\n", "", |_| {}),
            Vec::<String>::new()
        );
        let fails = Example { status: 1, ..ROW };
        assert_eq!(
            judged(&fails, 1, "100 %", "done", |_| {}),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_is_not_as_expected_is_named() {
        let fault = |code, out, spoil| {
            let found = judged(&ROW, code, out, "why\n", spoil);
            assert_eq!(found.len(), 1, "{found:?}");
            found[0].clone()
        };
        let done = "100 % done";
        assert_eq!(fault(3, done, |_| {}), "x: exit status: 3, not 0: why");
        assert_eq!(
            fault(0, "done", |_| {}),
            "x: it didn't print `100 %` but:\ndone"
        );
        let not_same = "x: file and copy are not the same";
        assert_eq!(
            fault(0, done, |it| fs::write(it.join("copy"), "")
                .expect("a file")),
            not_same
        );
        // Two that are both missing are not the same either.
        let gone = |it: &Path| {
            let gone = ["file", "copy"].map(|name| fs::remove_file(it.join(name)));
            gone.into_iter().for_each(|it| it.expect("a removal"));
        };
        assert_eq!(fault(0, done, gone), not_same);
        let there = |it: &Path| fs::write(it.join("tree/two.tmp"), "").expect("a file");
        assert_eq!(fault(0, done, there), "x: tree/two.tmp is there");
    }
}
