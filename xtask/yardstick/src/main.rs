//! What `cargo xtask compare` measures with. A program of its own, so that it is built for release while
//! the tasks are not, and small, so that its own memory is not taken for that of what it starts.

#![forbid(unsafe_code)]

mod floor;
mod stopwatch;

use std::ffi::OsString;
use std::process::ExitCode;

use floor::{How, Task};

const USAGE: &str = "usage: yardstick floor [--clone] [--attributes] SOURCE DESTINATION
       yardstick look SOURCE DESTINATION
       yardstick run [--times N --fresh PATH] -- PROGRAM [ARGUMENT]...";

const CLONE: &str = "--clone";
const ATTRIBUTES: &str = "--attributes";
const FLAGS: [&str; 2] = [CLONE, ATTRIBUTES];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let outcome = match words[..] {
        ["floor", ref flags @ .., _, _] if flags.iter().all(|flag| FLAGS.contains(flag)) => {
            let [src, dst] = [2, 1].map(|back| &arguments[arguments.len() - back]);
            let how = if flags.contains(&CLONE) {
                How::Clone
            } else {
                How::ReadWrite
            };
            let attributes = flags.contains(&ATTRIBUTES);
            floor::run(src, dst, Task::Copy { how, attributes })
        }
        ["look", _, _] => floor::run(&arguments[1], &arguments[2], Task::Look),
        ["run", "--times", times, "--fresh", _, "--", _, ..] => match times.parse() {
            Ok(times) => stopwatch::run(times, Some(&arguments[4]), &arguments[6..]),
            Err(_) => Err(format!("how many times is {times}?")),
        },
        ["run", "--", _, ..] => stopwatch::run(1, None, &arguments[2..]),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("yardstick: {why}");
            ExitCode::FAILURE
        }
    }
}
