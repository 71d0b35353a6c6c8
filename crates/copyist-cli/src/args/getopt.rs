//! The rules by which GNU tools read a command line, applied to a table of flags.
//!
//! clap reads command lines differently (it knows no order between different options, has other
//! rules for abbreviations and other messages), and scripts depend on GNU's rules: long options
//! may be abbreviated, operands may come before options, a value that may be left out must be
//! attached by `=`, and an error or `--help` takes effect before what follows it is read.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};

use clap_lex::OsStrExt as _;

use crate::words::suggest::nearest;

/// Whether an option takes a value, and the value's name in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// `--option` or `--option=VALUE`.
    Optional(&'static str),
    /// `--option=VALUE`, `--option VALUE`, `-oVALUE` or `-o VALUE`.
    Required(&'static str),
}

/// One line of a table of flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag<I> {
    /// What it means. Several lines may mean the same.
    pub(crate) id: I,
    /// Its letters; the first is the one that the help shows.
    pub(crate) short: &'static str,
    /// Its long names; the first is the one that the help shows.
    pub(crate) long: &'static [&'static str],
    pub(crate) takes: Takes,
    /// The heading in the help.
    pub(crate) group: &'static str,
    pub(crate) help: &'static str,
    /// GNU has no such option: it must not make an abbreviation of one of GNU's ambiguous.
    pub(crate) ours: bool,
}

/// One thing found on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<I> {
    Option { id: I, value: Option<OsString> },
    Operand(OsString),
}

/// Why a command line can't be read.
#[derive(Debug)]
pub(crate) struct Misread {
    /// GNU's message.
    pub(crate) message: String,
    /// The long name that may have been meant by one that is unknown.
    pub(crate) meant: Option<&'static str>,
}

impl From<String> for Misread {
    fn from(message: String) -> Misread {
        Misread {
            message,
            meant: None,
        }
    }
}

/// Reads a command line.
#[derive(Debug)]
pub(crate) struct Getopt<I: 'static> {
    flags: Vec<&'static Flag<I>>,
    rest: VecDeque<OsString>,
    /// The letters of `-abc` that have not been read.
    letters: Option<OsString>,
    /// Everything that follows is an operand.
    operands_only: bool,
    /// Options end at the first operand (POSIXLY_CORRECT).
    stop_at_operand: bool,
}

impl<I: Copy + PartialEq> Getopt<I> {
    pub(crate) fn new(
        flags: impl IntoIterator<Item = &'static Flag<I>>,
        arguments: impl IntoIterator<Item = OsString>,
        posixly_correct: bool,
    ) -> Getopt<I> {
        Getopt {
            flags: flags.into_iter().collect(),
            rest: arguments.into_iter().collect(),
            letters: None,
            operands_only: false,
            stop_at_operand: posixly_correct,
        }
    }

    /// The next option or operand.
    pub(crate) fn next(&mut self) -> Result<Option<Found<I>>, Misread> {
        if let Some(letters) = self.letters.take() {
            return self.letter(&letters).map(Some);
        }
        let Some(argument) = self.rest.pop_front() else {
            return Ok(None);
        };
        if self.operands_only {
            return Ok(Some(Found::Operand(argument)));
        }
        if argument == "--" {
            self.operands_only = true;
            return self.next();
        }
        if let Some(long) = argument.strip_prefix("--") {
            return self.long(long).map(Some);
        }
        match argument.strip_prefix("-") {
            Some(letters) if !letters.is_empty() => self.letter(letters).map(Some),
            _ => {
                self.operands_only = self.stop_at_operand;
                Ok(Some(Found::Operand(argument)))
            }
        }
    }

    fn long(&mut self, argument: &OsStr) -> Result<Found<I>, Misread> {
        let (name, value) = match argument.split_once("=") {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument, None),
        };
        let (flag, name) = self.resolve(name, argument)?;
        let value = match (flag.takes, value) {
            (Takes::Nothing, Some(_)) => {
                return Err(format!("option '--{name}' doesn't allow an argument").into());
            }
            (Takes::Required(_), None) => match self.rest.pop_front() {
                Some(value) => Some(value),
                None => return Err(format!("option '--{name}' requires an argument").into()),
            },
            (_, value) => value,
        };
        Ok(Found::Option { id: flag.id, value })
    }

    /// The flag with this long name, or with the only one that begins so.
    fn resolve(
        &self,
        name: &OsStr,
        argument: &OsStr,
    ) -> Result<(&'static Flag<I>, &'static str), Misread> {
        let unknown = |meant| Misread {
            message: format!("unrecognized option '--{}'", argument.display()),
            meant,
        };
        let name = name.to_str().ok_or_else(|| unknown(None))?;
        let names = || {
            self.flags
                .iter()
                .flat_map(|flag| flag.long.iter().map(move |long| (*flag, *long)))
        };
        if let Some(exact) = names().find(|(_, long)| *long == name) {
            return Ok(exact);
        }
        for ours in [false, true] {
            let begin_so =
                || names().filter(|(flag, long)| flag.ours == ours && long.starts_with(name));
            let Some(first) = begin_so().next() else {
                continue;
            };
            // Two names of the same option are not ambiguous.
            let others: String = begin_so()
                .filter(|(flag, _)| flag.id != first.0.id || flag.takes != first.0.takes)
                .map(|(_, long)| format!(" '--{long}'"))
                .collect();
            if others.is_empty() {
                return Ok(first);
            }
            let possible = format!(" '--{}'{others}", first.1);
            let argument = argument.display();
            return Err(
                format!("option '--{argument}' is ambiguous; possibilities:{possible}").into(),
            );
        }
        Err(unknown(nearest(name, names().map(|(_, long)| long))))
    }

    fn letter(&mut self, letters: &OsStr) -> Result<Found<I>, Misread> {
        let lead = letters.as_encoded_bytes().first().copied();
        let mut buffer = [0; 4];
        let found = lead.map(char::from).and_then(|c| {
            let rest = letters.strip_prefix(&*c.encode_utf8(&mut buffer))?;
            let flag = self.flags.iter().find(|flag| flag.short.contains(c))?;
            Some((c, rest, flag))
        });
        let Some((c, rest, flag)) = found else {
            let text = letters.to_string_lossy();
            let c = text.chars().next().unwrap_or_default();
            return Err(format!("invalid option -- '{c}'").into());
        };
        let mut value = None;
        if !matches!(flag.takes, Takes::Required(_)) {
            self.letters = (!rest.is_empty()).then(|| rest.to_owned());
        } else if !rest.is_empty() {
            value = Some(rest.to_owned());
        } else {
            value = Some(
                self.rest
                    .pop_front()
                    .ok_or_else(|| format!("option requires an argument -- '{c}'"))?,
            );
        }
        Ok(Found::Option { id: flag.id, value })
    }
}

#[cfg(test)]
mod tests {
    use super::{Flag, Found, Getopt, Takes};

    const fn flag(
        id: u8,
        short: &'static str,
        long: &'static [&'static str],
        takes: Takes,
    ) -> Flag<u8> {
        Flag {
            id,
            short,
            long,
            takes,
            group: "",
            help: "",
            ours: id >= 9,
        }
    }

    const FLAGS: &[Flag<u8>] = &[
        flag(1, "a", &["archive"], Takes::Nothing),
        flag(2, "", &["parents", "path"], Takes::Nothing),
        flag(3, "", &["preserve"], Takes::Optional("LIST")),
        flag(4, "t", &["target-directory"], Takes::Required("DIR")),
        flag(9, "", &["progress"], Takes::Optional("WHEN")),
    ];

    /// What is found, in short: `3=x` is option 3 with the value x.
    fn read(line: &str, posix: bool) -> String {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let mut getopt = Getopt::new(FLAGS, words.map(Into::into), posix);
        let mut out = Vec::new();
        loop {
            out.push(match getopt.next() {
                Ok(None) => return out.join(" "),
                Ok(Some(Found::Operand(operand))) => operand.display().to_string(),
                Ok(Some(Found::Option { id, value: None })) => id.to_string(),
                Ok(Some(Found::Option {
                    id,
                    value: Some(value),
                })) => format!("{id}={}", value.display()),
                Err(misread) => {
                    out.push(format!("! {}", misread.message));
                    return out.join(" ");
                }
            });
        }
    }

    #[test]
    fn command_lines_are_read_as_getopt_does() {
        let table = [
            ("x -a y", "x 1 y"),
            ("-- -a", "-a"),
            ("- -a -- --archive", "- 1 --archive"),
            ("-aa -tx -t y", "1 1 4=x 4=y"),
            ("-atx", "1 4=x"),
            ("--target-directory x --target=y", "4=x 4=y"),
            ("--preserve x --preserve=x --preserve=", "3 x 3=x 3="),
            ("--pa --pat --path", "2 2 2"),
            ("--pre --pr=x --pro", "3 3=x 9"),
            (
                "--p=x",
                "! option '--p=x' is ambiguous; possibilities: '--parents' '--preserve'",
            ),
            ("--foo=b", "! unrecognized option '--foo=b'"),
            (
                "--archive=1",
                "! option '--archive' doesn't allow an argument",
            ),
            ("--arch=1", "! option '--archive' doesn't allow an argument"),
            (
                "--targ",
                "! option '--target-directory' requires an argument",
            ),
            ("-t", "! option requires an argument -- 't'"),
            ("-ak", "1 ! invalid option -- 'k'"),
            ("x --bad -a", "x ! unrecognized option '--bad'"),
        ];
        for (line, expected) in table {
            assert_eq!(read(line, false), expected, "{line}");
        }
        assert_eq!(read("-a x -a -- y", true), "1 x -a -- y");
    }

    #[test]
    fn values_may_be_any_bytes() {
        let named = |odd: &[u8], text: &[u8]| {
            let name = copyist_sys::os_string_from_bytes(odd.to_vec());
            name.or(copyist_sys::os_string_from_bytes(text.to_vec()))
                .expect("a name")
        };
        let odd = named(b"-t\xff", "-t\u{e9}".as_bytes());
        let value = named(b"\xff", "\u{e9}".as_bytes());
        let mut getopt = Getopt::new(FLAGS, [odd], false);
        let found = getopt.next().expect("an option");
        assert_eq!(
            found,
            Some(Found::Option {
                id: 4,
                value: Some(value)
            })
        );
    }
}
