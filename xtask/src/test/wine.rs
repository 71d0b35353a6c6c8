//! The lane `wine`: the tests of Windows, as far as Wine can run them. What it can't is listed here.

use std::collections::BTreeSet;

use super::lanes::finish;
use super::libtest::Counts;
use super::summary::Ending;
use crate::cross;
use crate::error::Result;

/// What Wine lacks, and the tests that need it. Such a test says `beyond Wine: NAME: WHY` and ends, or leaves
/// a part out. One that says so and is not listed fails the lane, and so does one that is listed
/// and runs.
const BEYOND: &[(&str, &[&str])] = &[
    (
        "CopyFileExW never calls back, and ignores the flag",
        &["a_system_copy_tells_of_its_progress_and_can_be_cancelled"],
    ),
    (
        "it has no ReFS: no cloning",
        &["files_are_cloned_where_the_volume_clones"],
    ),
    (
        "FSCTL_SET_SPARSE does nothing: no holes",
        &["holes_are_kept"],
    ),
    (
        "it makes no streams of an open file, and lists none",
        &["streams_are_kept", "extended_attributes"],
    ),
    (
        "FSCTL_GET_RETRIEVAL_POINTERS is refused: where data lies is not told",
        &["what_was_read_and_written_shares_nothing"],
    ),
    ("it makes no symbolic links", &["links_are_not_followed"]),
    (
        "it keeps no time of creation (the other times are compared)",
        &["times_are_kept_to_100_ns"],
    ),
    (
        "to root nothing is read-only",
        &["a_read_only_destination_is_replaced_only_by_force"],
    ),
    ("its names are UTF-8", &["names_that_are_no_text_are_kept"]),
    (
        "without a console no Ctrl-Break arrives",
        &["ctrl_break_ends_a_copy_in_an_orderly_way"],
    ),
    // On no Windows.
    (
        "the numbers, words and files are those of Unix",
        &[
            "trees",
            "existing",
            "what_can_not_be",
            "system_errors_have_gnus_words",
            "a_refused_method_is_named_with_its_cause",
            "wrong_names_are_refused_in_gnus_words",
            "codes_have_names",
        ],
    ),
];

/// Tests that have nothing of the system that they run on in them, and take long: the lane `unit` has
/// run them.
const PURE: [&str; 6] = [
    "sim::sweep::",
    "sim::planted::",
    "sim::races::",
    "sim::crash::",
    "sim::scenarios::",
    "plan::tests::",
];

pub(super) fn run(tests: &mut Counts) -> Result<Ending> {
    if let Err(why) = cross::set_up_wine() {
        return Ok(Ending::NotRun(why.to_string()));
    }
    let _server = cross::WineServer::start()?;
    let mut command = cross::windows_tests();
    command.args(["--", "--show-output"]);
    for name in PURE {
        command.args(["--skip", name]);
    }
    let mut said = BTreeSet::new();
    let ending = finish(&mut command, |line| {
        tests.read(line);
        said.extend(beyond(line).map(str::to_owned));
    })?;
    print_table();
    let findings = differences(&said);
    for finding in &findings {
        println!("{finding}");
    }
    Ok(match (ending, findings.len()) {
        (Ending::Ok, 1..) => Ending::Failed("what is beyond Wine is not what is listed".to_owned()),
        (ending, _) => ending,
    })
}

/// The test that a line is about.
fn beyond(line: &str) -> Option<&str> {
    let (name, _) = line.trim().strip_prefix("beyond Wine: ")?.split_once(':')?;
    Some(name)
}

fn listed() -> BTreeSet<&'static str> {
    let names = BEYOND.iter().flat_map(|(_, names)| *names);
    names.copied().collect()
}

fn print_table() {
    println!("\nbeyond Wine: {} tests", listed().len());
    for (why, names) in BEYOND {
        for name in *names {
            println!("  {name}: {why}");
        }
    }
    println!("run by the lane `unit` alone: {}", PURE.join("*, ") + "*");
}

fn differences(said: &BTreeSet<String>) -> Vec<String> {
    let listed = listed();
    let unlisted = said.iter().filter(|name| !listed.contains(&***name));
    let runs = listed.iter().filter(|name| !said.contains(**name));
    unlisted
        .map(|name| format!("{name} says that it is beyond Wine, and is not listed"))
        .chain(runs.map(|name| format!("{name} is listed as beyond Wine, and doesn't say so")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_compared_with_the_list() {
        let line = "beyond Wine: streams_are_kept: it doesn't list streams";
        assert_eq!(beyond(line), Some("streams_are_kept"));
        assert_eq!(beyond("test streams_are_kept ... ok"), None);
        let mut said: BTreeSet<String> = listed().into_iter().map(str::to_owned).collect();
        assert!(differences(&said).is_empty());
        said.remove("streams_are_kept");
        said.insert("other".to_owned());
        assert_eq!(differences(&said).len(), 2);
    }
}
