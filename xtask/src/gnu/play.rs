//! One test: its environment, its time limit, and how it ended.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::build::Coreutils;
use super::list;
use super::suite::{GROUP, NOBODY, Variant};
use crate::error::{Context, Result};
use crate::signals;

/// What all tests of a run share.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) coreutils: &'a Coreutils,
    /// The programs that were built, as the tests want them: in one line.
    pub(super) programs: String,
    /// The version that the cp under test says it is.
    pub(super) cp_version: String,
    pub(super) host: String,
    pub(super) awk: String,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Skipped(String),
    Failed(String),
}

/// The exit codes that the tests have agreed on.
const SKIPPED: i32 = 77;
const HARD_ERROR: i32 = 99;

impl Stage<'_> {
    /// Runs a test in the farm at `farm`; `other` is a directory on another filesystem. What it
    /// prints goes to `log`.
    pub(super) fn play(
        &self,
        test: &str,
        variant: Variant,
        farm: &Path,
        other: &Path,
        log: &Path,
    ) -> Result<Verdict> {
        let output = File::create(log).at("create", log)?;
        let errors = output.try_clone().at("open", log)?;
        let mut command = self.command(test, variant, farm, other)?;
        command.current_dir(farm).process_group(0);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().doing(&format!("start {test}"))?;
        let limit = list::limit_secs(test);
        let status = wait(child, Duration::from_secs(limit)).doing(&format!("wait for {test}"))?;
        signals::check()?;
        let Some(status) = status else {
            return Ok(Verdict::Failed(format!("timed out after {limit} s")));
        };
        let text = String::from_utf8_lossy(&fs::read(log).at("read", log)?).into_owned();
        Ok(verdict(status, &text))
    }

    fn command(&self, test: &str, variant: Variant, farm: &Path, other: &Path) -> Result<Command> {
        let file = format!("tests/{test}");
        // Tests write what they have to say to descriptor 9.
        let mut command = Command::new("/bin/bash");
        command.args(["-c", "exec 9>&2 && exec \"$@\"", "play"]);
        if variant == Variant::User {
            let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={GROUP}"));
            command.args(["setpriv", &user, &group, "--groups=100,24", "--"]);
        }
        if test.ends_with(".pl") {
            let tmp = format!("-MCuTmpdir qw({})", test.replace('/', "-"));
            command.args([
                "perl",
                "-w",
                "-Itests",
                "-MCuSkip",
                "-MCoreutils",
                &tmp,
                &file,
            ]);
        } else {
            command.args(["/bin/bash", &file]);
        }
        let version = self.coreutils.version();
        let only_cp = list::only_cp(test);
        let system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        command.env_clear();
        command
            .env("PATH", format!("{}/src:{system}", farm.display()))
            .env("HOME", farm)
            .env("TMPDIR", farm.join("tmp"))
            .env("abs_top_builddir", farm)
            .env("abs_top_srcdir", &self.coreutils.source)
            .env("abs_srcdir", &self.coreutils.source)
            .env("CONFIG_HEADER", self.coreutils.build.join("lib/config.h"))
            .env("CANDIDATE_TMP_DIRS", other)
            .env(
                "CU_TEST_NAME",
                format!("coreutils,{}", test.replace('/', "-")),
            )
            .env("PACKAGE_VERSION", &version)
            .env("VERSION", if only_cp { &self.cp_version } else { &version })
            .env(
                "built_programs",
                if only_cp { "cp" } else { &self.programs },
            )
            .env("host_triplet", &self.host)
            .env("AWK", &self.awk);
        command.envs([
            ("LC_ALL", "C"),
            ("VERBOSE", "yes"),
            ("LOCALE_FR", "none"),
            ("LOCALE_FR_UTF8", "none"),
            ("fail", "0"),
            ("host_os", "linux-gnu"),
            ("srcdir", "."),
            ("top_srcdir", "."),
            ("CC", "gcc"),
            ("EGREP", "grep -E"),
            ("EXEEXT", ""),
            ("MAKE", "make"),
            ("PERL", "perl"),
            ("SHELL", "/bin/bash"),
            ("RUN_EXPENSIVE_TESTS", "yes"),
            ("RUN_VERY_EXPENSIVE_TESTS", "yes"),
            ("COREUTILS_GROUPS", "100 24"),
            ("NON_ROOT_USERNAME", "nobody"),
        ]);
        Ok(command)
    }
}

/// Waits for a test, and then ends what it left running; `None` if its time was over first.
fn wait(mut child: Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let group = Pid::from_raw(child.id().cast_signed());
    let end = |signal| group.map(|group| kill_process_group(group, signal));
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= deadline || signals::interrupted() {
            end(Signal::TERM);
            thread::sleep(Duration::from_millis(500));
            end(Signal::KILL);
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(10));
    };
    end(Signal::KILL);
    Ok(status)
}

fn verdict(status: ExitStatus, log: &str) -> Verdict {
    match status.code() {
        Some(0) => Verdict::Passed,
        Some(SKIPPED) => {
            let said = log
                .lines()
                .find_map(|line| Some(line.split_once("skipped test: ")?.1));
            Verdict::Skipped(said.unwrap_or("it doesn't say why").to_owned())
        }
        Some(HARD_ERROR) => Verdict::Failed("could not be set up".to_owned()),
        Some(code) => Verdict::Failed(format!("exit {code}{}", failed_command(log))),
        None => Verdict::Failed(format!("signal {}", status.signal().unwrap_or(0))),
    }
}

/// Tests are traced: the line before the first `fail=1` is what failed.
fn failed_command(log: &str) -> String {
    let lines = log.lines().filter(|line| !line.starts_with("++"));
    let lines: Vec<&str> = lines.collect();
    let at = lines.iter().position(|line| line.starts_with("+ fail=1"));
    let before = at.and_then(|at| lines.get(at.checked_sub(1)?));
    before.map(|line| format!(": {line}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_come_from_exit_codes_and_the_log() {
        let log = "+ cp a b\n++ x\n+ cmp a b\n+ fail=1\n+ Exit 1\n";
        let exit = |code: i32| verdict(ExitStatus::from_raw(code << 8), log);
        assert_eq!(exit(0), Verdict::Passed);
        assert_eq!(exit(1), Verdict::Failed("exit 1: + cmp a b".into()));
        let skipped = verdict(
            ExitStatus::from_raw(77 << 8),
            "x.sh: skipped test: no disk\n",
        );
        assert_eq!(skipped, Verdict::Skipped("no disk".into()));
        let killed = verdict(ExitStatus::from_raw(9), "");
        assert_eq!(killed, Verdict::Failed("signal 9".into()));
    }
}
