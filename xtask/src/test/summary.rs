//! How lanes ended, and what that adds up to.

use std::fmt;
use std::time::Duration;

use super::libtest::Counts;

/// How a lane ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Ok,
    Failed(String),
    /// It could not run here, and why.
    NotRun(String),
}

/// A lane that ended.
#[derive(Debug)]
pub(super) struct Outcome {
    lane: &'static str,
    ending: Ending,
    passed: u64,
    failed: u64,
    skipped: u64,
    took: Duration,
}

impl Outcome {
    /// If `strict`, whatever did not run has failed.
    pub(super) fn new(
        lane: &'static str,
        ending: Ending,
        tests: Counts,
        took: Duration,
        strict: bool,
    ) -> Self {
        // A test that says that it did not run has passed only for libtest.
        let beyond = tests.beyond_wine.min(tests.passed);
        let unrun = tests.not_run.min(tests.passed - beyond);
        let passed = tests.passed - unrun - beyond;
        let (mut failed, mut skipped) = (tests.failed, tests.ignored + beyond);
        *(if strict { &mut failed } else { &mut skipped }) += unrun;
        let ending = match ending {
            Ending::NotRun(why) if strict => Ending::Failed(format!("not run: {why}")),
            Ending::Ok if strict && unrun > 0 => {
                Ending::Failed(format!("{unrun} tests did not run"))
            }
            ending => ending,
        };
        match ending {
            Ending::Failed(_) => failed = failed.max(1),
            Ending::NotRun(_) => skipped += 1,
            Ending::Ok => {}
        }
        Self {
            lane,
            ending,
            passed,
            failed,
            skipped,
            took,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lane,
            ending,
            passed,
            failed,
            skipped: _,
            took,
        } = self;
        let seconds = took.as_secs_f64();
        match ending {
            Ending::Ok => write!(f, "lane {lane}: ok, {passed} tests, {seconds:.1} s"),
            Ending::NotRun(why) => write!(f, "lane {lane}: not run: {why}"),
            Ending::Failed(why) => write!(
                f,
                "lane {lane}: FAILED: {why}; {passed} tests passed, {failed} failed, {seconds:.1} s"
            ),
        }
    }
}

/// Prints the table and the sums; true if nothing failed.
pub(super) fn print(outcomes: &[Outcome]) -> bool {
    println!(
        "{:12} {:>8} {:>8} {:>8} {:>9}  ending",
        "lane", "passed", "failed", "skipped", "seconds"
    );
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for outcome in outcomes {
        passed += outcome.passed;
        failed += outcome.failed;
        skipped += outcome.skipped;
        let ending = match &outcome.ending {
            Ending::Ok => "ok".to_owned(),
            Ending::Failed(why) => format!("FAILED: {why}"),
            Ending::NotRun(why) => format!("not run: {why}"),
        };
        println!(
            "{:12} {:8} {:8} {:8} {:9.1}  {ending}",
            outcome.lane,
            outcome.passed,
            outcome.failed,
            outcome.skipped,
            outcome.took.as_secs_f64(),
        );
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ending: Ending, tests: Counts, strict: bool) -> Outcome {
        Outcome::new("unit", ending, tests, Duration::from_millis(1500), strict)
    }

    fn sums(outcome: &Outcome) -> (u64, u64, u64) {
        (outcome.passed, outcome.failed, outcome.skipped)
    }

    const TESTS: Counts = Counts {
        passed: 5,
        failed: 0,
        ignored: 1,
        not_run: 2,
        beyond_wine: 0,
    };

    #[test]
    fn a_lane_that_passed() {
        let outcome = outcome(
            Ending::Ok,
            Counts {
                not_run: 0,
                ..TESTS
            },
            true,
        );
        assert_eq!(sums(&outcome), (5, 0, 1));
        assert_eq!(outcome.to_string(), "lane unit: ok, 5 tests, 1.5 s");
    }

    #[test]
    fn tests_that_say_they_did_not_run_are_skipped_or_failed() {
        assert_eq!(sums(&outcome(Ending::Ok, TESTS, false)), (3, 0, 3));
        let strict = outcome(Ending::Ok, TESTS, true);
        assert_eq!(sums(&strict), (3, 2, 1));
        assert!(
            strict
                .to_string()
                .starts_with("lane unit: FAILED: 2 tests did not run; ")
        );
    }

    #[test]
    fn what_wine_lacks_is_nobody_s_failure() {
        let tests = Counts {
            not_run: 0,
            beyond_wine: 2,
            ..TESTS
        };
        assert_eq!(sums(&outcome(Ending::Ok, tests, true)), (3, 0, 3));
    }

    #[test]
    fn a_lane_that_did_not_run() {
        let ending = Ending::NotRun("no root".into());
        let lenient = outcome(ending.clone(), Counts::default(), false);
        assert_eq!(sums(&lenient), (0, 0, 1));
        assert_eq!(lenient.to_string(), "lane unit: not run: no root");
        assert_eq!(sums(&outcome(ending, Counts::default(), true)), (0, 1, 0));
    }

    #[test]
    fn a_failed_lane_counts_at_least_once() {
        let ending = Ending::Failed("it does not build".into());
        assert_eq!(
            sums(&outcome(ending.clone(), Counts::default(), false)),
            (0, 1, 0)
        );
        assert_eq!(
            sums(&outcome(ending, Counts { failed: 3, ..TESTS }, false)),
            (3, 3, 3)
        );
    }
}
