//! Counts tests by reading what `cargo test` prints.

/// Tests, as libtest counts them, and how many said that they did not really run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    /// These are among the passed: libtest knows no way to skip while running.
    pub(super) not_run: u64,
    /// So are these: they need more of Windows than Wine implements.
    pub(super) beyond_wine: u64,
}

impl Counts {
    /// Adds what one line of output says. One result line comes from each test binary.
    pub(super) fn read(&mut self, line: &str) {
        let line = without_colours(line);
        if line.trim_start().starts_with("not run: ") {
            self.not_run += 1;
        }
        if line.trim_start().starts_with("beyond Wine: ") {
            self.beyond_wine += 1;
        }
        let Some(result) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        // "ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
        let Some((_, numbers)) = result.split_once(". ") else {
            return;
        };
        for part in numbers.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Removes the escape sequences that set colours: ESC `[` ... `m`.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            counts.read(line);
        }
        counts
    }

    #[test]
    fn results_add_up() {
        let counts = counts(&[
            "running 4 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s",
        ]);
        assert_eq!(
            counts,
            Counts {
                passed: 4,
                failed: 2,
                ignored: 1,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn colours_do_not_matter() {
        let line =
            "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 2 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(counts(&[line]).passed, 2);
    }

    #[test]
    fn a_test_can_say_that_it_did_not_run() {
        let counts = counts(&[
            "not run: COPYIST_LAB is not set",
            "it was not run: really",
            "not running: x",
            "beyond Wine: streams: it lists none",
        ]);
        assert_eq!((counts.not_run, counts.beyond_wine), (1, 1));
    }
}
