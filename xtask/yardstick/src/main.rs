//! What `cargo xtask compare` measures with. A program of its own, so that it is built for release while
//! the tasks are not, and small, so that its own memory is not taken for that of what it starts.

#![forbid(unsafe_code)]

mod floor;
mod stopwatch;

use std::ffi::OsString;
use std::process::ExitCode;

const USAGE: &str = "usage: yardstick floor [--clone] SOURCE DESTINATION
       yardstick run [--times N --fresh PATH] -- PROGRAM [ARGUMENT]...";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let outcome = match words[..] {
        ["floor", "--clone", _, _] => floor::copy(&arguments[2], &arguments[3], floor::How::Clone),
        ["floor", _, _] => floor::copy(&arguments[1], &arguments[2], floor::How::ReadWrite),
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
