//! The lanes: what each runs, and when it cannot.

use std::process::Command;

use clap::ValueEnum;
use serde_json::Value;

use super::examples;
use super::features;
use super::libtest::Counts;
use super::publish;
use super::summary::Ending;
use super::wine;
use crate::error::{Context, Error, Result};
use crate::gnu::{self, Coreutils, Suite, Variant};
use crate::lab::{self, Lab};
use crate::{api, command, cross, dist, faults, install, races, signals, tidy, workspace};

/// The variable with the path of this program, for tests that mount FUSE filesystems of their own.
const XTASK_VARIABLE: &str = "COPYIST_XTASK";

/// Integration tests with this prefix need the lab.
const LAB_TEST: &str = "lab_";

/// Those with this prefix need a built GNU cp, which this variable then names.
const GNU_TEST: &str = "gnu_";
const GNU_VARIABLE: &str = "COPYIST_GNU_CP";

/// One kind of check; cheap ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Lane {
    /// Sizes of files and functions, and who may use what
    Tidy,
    /// rustfmt
    Format,
    /// clippy, with warnings denied
    Clippy,
    /// clippy with each Cargo feature alone, with none and with all
    Features,
    /// rustdoc, with warnings denied
    Docs,
    /// The library's public API beside docs/api.txt
    Api,
    /// The library's examples, run
    Examples,
    /// All tests that need no special filesystem
    Unit,
    /// Tests on the real filesystems of the lab
    Filesystems,
    /// GNU coreutils' own tests of cp, and ours beside GNU cp
    Gnu,
    /// System calls that fail: a sample
    Faults,
    /// Copies under attack: a sample
    Races,
    /// Linux on other processors, and with musl: check
    Linux,
    /// The command's tests, with a static program with musl
    Musl,
    /// macOS, both processors: lint and link
    Macos,
    /// FreeBSD: lint
    Freebsd,
    /// Windows: lint and link
    Windows,
    /// Windows: the tests that Wine can run
    Wine,
    /// The release archive and the Debian package
    Dist,
    /// `cargo publish`, up to the upload, and the documentation for each system
    Publish,
    /// Licenses and origins of dependencies
    Deny,
}

impl Lane {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tidy => "tidy",
            Self::Format => "format",
            Self::Clippy => "clippy",
            Self::Features => "features",
            Self::Docs => "docs",
            Self::Api => "api",
            Self::Examples => "examples",
            Self::Unit => "unit",
            Self::Filesystems => "filesystems",
            Self::Gnu => "gnu",
            Self::Faults => "faults",
            Self::Races => "races",
            Self::Linux => "linux",
            Self::Musl => "musl",
            Self::Macos => "macos",
            Self::Freebsd => "freebsd",
            Self::Windows => "windows",
            Self::Wine => "wine",
            Self::Dist => "dist",
            Self::Publish => "publish",
            Self::Deny => "deny",
        }
    }

    /// Runs the lane. The tests are counted even if it fails half-way.
    pub(super) fn run(self) -> (Ending, Counts) {
        let mut tests = Counts::default();
        let ending = match self {
            Self::Tidy => tidy(),
            Self::Format => cargo(&["fmt", "--all", "--check"]),
            Self::Clippy => cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
            Self::Features => features::run(&mut tests),
            Self::Docs => docs(),
            Self::Api => public_api(&mut tests),
            Self::Examples => examples::run(&mut tests),
            Self::Unit => unit(&mut tests),
            Self::Filesystems => filesystems(&mut tests),
            Self::Gnu => gnu(&mut tests),
            Self::Faults => faults(&mut tests),
            Self::Races => races(&mut tests),
            Self::Linux => elsewhere(cross::System::Linux, &mut tests),
            Self::Musl => musl(&mut tests),
            Self::Macos => elsewhere(cross::System::Macos, &mut tests),
            Self::Freebsd => elsewhere(cross::System::Freebsd, &mut tests),
            Self::Windows => elsewhere(cross::System::Windows, &mut tests),
            Self::Wine => wine::run(&mut tests),
            Self::Dist => dist::check().map(|checked| {
                tests.passed += checked;
                Ending::Ok
            }),
            Self::Publish => publish::run(&mut tests),
            Self::Deny => deny(),
        };
        (
            ending.unwrap_or_else(|error| Ending::Failed(error.to_string())),
            tests,
        )
    }
}

/// Installs for these lanes. A failure is only printed here: the lane that lacks something will report it, and count.
pub(super) fn install(lanes: &[Lane]) {
    for lane in lanes {
        let installed = match lane {
            Lane::Format => install::component("rustfmt", "cargo-fmt"),
            Lane::Clippy | Lane::Features => install::component("clippy", "cargo-clippy"),
            Lane::Filesystems | Lane::Faults => install::packages(install::missing_of_lab()),
            Lane::Gnu => {
                install::packages(install::missing_of_lab().chain(gnu::missing_packages()))
            }
            Lane::Linux | Lane::Musl => cross::set_up(cross::System::Linux),
            Lane::Macos => cross::set_up(cross::System::Macos),
            Lane::Freebsd => cross::set_up(cross::System::Freebsd),
            Lane::Windows => cross::set_up(cross::System::Windows),
            Lane::Wine => cross::set_up_wine(),
            Lane::Api => api::set_up(),
            Lane::Publish => publish::set_up(),
            Lane::Tidy
            | Lane::Docs
            | Lane::Examples
            | Lane::Unit
            | Lane::Races
            | Lane::Dist
            | Lane::Deny => Ok(()),
        };
        if let Err(error) = installed {
            eprintln!("xtask: {error}");
        }
    }
}

/// Builds for a system that nothing here runs.
fn elsewhere(system: cross::System, tests: &mut Counts) -> Result<Ending> {
    if let Err(why) = cross::set_up(system) {
        return Ok(Ending::NotRun(why.to_string()));
    }
    tests.passed += cross::build(system)?;
    Ok(Ending::Ok)
}

/// The command is a static program, and so are its tests.
fn musl(tests: &mut Counts) -> Result<Ending> {
    if let Err(why) = cross::set_up(cross::System::Linux) {
        return Ok(Ending::NotRun(why.to_string()));
    }
    let mut command = cross::musl_tests();
    command.args(["--package", "copyist-cli", "--no-fail-fast", "--bins"]);
    let here = integration_tests()?
        .into_iter()
        .filter(IntegrationTest::needs_nothing);
    for test in here.filter(|test| test.package == "copyist-cli") {
        command.args(["--test", &test.name]);
    }
    cargo_test(&mut command, tests)
}

fn tidy() -> Result<Ending> {
    let findings = tidy::findings(workspace::root())?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(match findings.len() {
        0 => Ending::Ok,
        count => Ending::Failed(format!("{count} findings")),
    })
}

/// The program and the library have one name, so their pages would overwrite each other: the
/// library comes last, and stays.
fn docs() -> Result<Ending> {
    let doc = |selection: &[&str]| {
        let mut command = command::cargo(workspace::root());
        command
            .args(["doc", "--no-deps"])
            .args(selection)
            .env("RUSTDOCFLAGS", "-D warnings");
        finish(&mut command, |_| {})
    };
    match doc(&["--package", "copyist-cli"])? {
        Ending::Ok => doc(&["--workspace", "--exclude", "copyist-cli", "--all-features"]),
        failed => Ok(failed),
    }
}

fn public_api(tests: &mut Counts) -> Result<Ending> {
    if let Some(why) = api::check()? {
        return Ok(Ending::Failed(why));
    }
    tests.passed += 1;
    Ok(Ending::Ok)
}

fn unit(tests: &mut Counts) -> Result<Ending> {
    let others = integration_tests()?
        .into_iter()
        .filter(IntegrationTest::needs_nothing);
    let mut command = command::cargo(workspace::root());
    command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    for test in others {
        command.args(["--test", &test.name]);
    }
    let code = cargo_test(&mut command, tests)?;
    let mut command = command::cargo(workspace::root());
    command.args(["test", "--workspace", "--no-fail-fast", "--doc"]);
    let docs = cargo_test(&mut command, tests)?;
    Ok(if code == Ending::Ok { docs } else { code })
}

fn filesystems(tests: &mut Counts) -> Result<Ending> {
    let missing = install::missing_programs();
    if !missing.is_empty() {
        return Ok(Ending::NotRun(format!(
            "not installed: {}",
            missing.join(", ")
        )));
    }
    if let Err(why) = lab::require_tools() {
        return Ok(Ending::NotRun(why.to_string()));
    }
    let lab_tests = integration_tests()?
        .into_iter()
        .filter(|test| test.name.starts_with(LAB_TEST));
    let (tools, product): (Vec<_>, Vec<_>) = lab_tests.partition(|test| test.package == "xtask");
    if product.is_empty() {
        return Ok(Ending::NotRun(format!(
            "there are no integration tests called {LAB_TEST}*"
        )));
    }
    let labs = workspace::target().join("lab-test");
    lab::sweep(&labs)?;
    // If the lab's own tests fail, all that is seen on it means nothing.
    let sound = cargo_test(lab_test(&tools).arg("--no-fail-fast"), tests)?;
    if sound != Ending::Ok {
        return Ok(sound);
    }
    // Built before the lab is up, so that it need not stand while the compiler works.
    let built = finish(lab_test(&product).args(["--release", "--no-run"]), |_| {})?;
    if built != Ending::Ok {
        return Ok(built);
    }
    let lab = Lab::up(&labs.join(std::process::id().to_string()), lab::DEFAULT_GIB)?;
    let ending = test_in(&lab, &product, tests);
    lab.down()?;
    ending
}

fn gnu(tests: &mut Counts) -> Result<Ending> {
    if let Err(why) = lab::require_tools() {
        return Ok(Ending::NotRun(why.to_string()));
    }
    let coreutils = match Coreutils::prepare() {
        Ok(coreutils) => coreutils,
        Err(why) => return Ok(Ending::NotRun(why.to_string())),
    };
    let suite = Suite {
        coreutils: &coreutils,
        cp: &gnu::build_ours()?,
        variants: &Variant::ALL,
        matching: "",
    };
    let score = suite.run()?;
    println!("coreutils {}: {score}", coreutils.version());
    tests.passed += score.passed;
    tests.failed += score.failed;
    tests.ignored += score.skipped;
    let all = integration_tests()?.into_iter();
    let beside: Vec<_> = all.filter(|test| test.name.starts_with(GNU_TEST)).collect();
    let mut command = lab_test(&beside);
    command.args(["--release", "--no-fail-fast"]);
    command.env(GNU_VARIABLE, coreutils.cp());
    let differs = cargo_test(&mut command, tests)?;
    Ok(match score.failed {
        0 => differs,
        failed => Ending::Failed(format!("{failed} of GNU's tests failed")),
    })
}

/// How many cases of `xtask faults` the lane plays.
const FAULTS: usize = 1_500;

fn faults(tests: &mut Counts) -> Result<Ending> {
    if !rustix::process::geteuid().is_root() || !command::exists("strace") {
        return Ok(Ending::NotRun("needs root, and strace".to_owned()));
    }
    let (right, wrong) = faults::sample(FAULTS)?;
    tests.passed += right;
    tests.failed += wrong;
    Ok(match wrong {
        0 => Ending::Ok,
        wrong => Ending::Failed(format!("{wrong} cases")),
    })
}

/// How many copies under attack the lane makes.
const RACES: usize = 1_000;

fn races(tests: &mut Counts) -> Result<Ending> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Ending::NotRun(
            "needs root: it is a superuser who is attacked".to_owned(),
        ));
    }
    let score = races::sample(RACES)?;
    let bad = score.leaks + score.hangs;
    tests.passed += score.copies.saturating_sub(bad);
    tests.failed += bad;
    Ok(match bad {
        0 => Ending::Ok,
        bad => Ending::Failed(format!("{bad} of {} copies", score.copies)),
    })
}

fn test_in(lab: &Lab, product: &[IntegrationTest], tests: &mut Counts) -> Result<Ending> {
    signals::check()?;
    let program = std::env::current_exe().doing("find this program")?;
    let mut command = lab_test(product);
    command.args(["--release", "--no-fail-fast"]);
    command
        .env(lab::VARIABLE, lab.root())
        .env(XTASK_VARIABLE, program);
    cargo_test(&mut command, tests)
}

fn lab_test(tests: &[IntegrationTest]) -> Command {
    let mut command = command::cargo(workspace::root());
    command.arg("test");
    for test in tests {
        command.args(["--package", &test.package, "--test", &test.name]);
    }
    command
}

fn deny() -> Result<Ending> {
    let program = match install::cargo_deny() {
        Ok(program) => program,
        Err(error) => return Ok(Ending::NotRun(error.to_string())),
    };
    let mut command = Command::new(program);
    // Advisories are left out: what is published tomorrow must not break what passed today.
    command.args(["check", "licenses", "bans", "sources"]);
    finish(command.current_dir(workspace::root()), |_| {})
}

fn cargo(arguments: &[&str]) -> Result<Ending> {
    finish(command::cargo(workspace::root()).args(arguments), |_| {})
}

/// Runs `cargo test`. The output of tests that pass is shown too, because there they say what
/// they could not run.
fn cargo_test(command: &mut Command, tests: &mut Counts) -> Result<Ending> {
    finish(command.args(["--", "--show-output"]), |line| {
        tests.read(line)
    })
}

pub(super) fn finish(command: &mut Command, on_line: impl FnMut(&str)) -> Result<Ending> {
    let status = command::stream(command, on_line)?;
    if status.success() {
        return Ok(Ending::Ok);
    }
    let words = command.get_args().take_while(|word| *word != "--").take(3);
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    Ok(Ending::Failed(format!(
        "`{} ...`, {status}",
        words.join(" ")
    )))
}

#[derive(Debug)]
struct IntegrationTest {
    package: String,
    name: String,
}

impl IntegrationTest {
    /// Whether it needs neither the lab nor a built GNU cp.
    fn needs_nothing(&self) -> bool {
        !self.name.starts_with(LAB_TEST) && !self.name.starts_with(GNU_TEST)
    }
}

/// Queries cargo, which alone knows all of them.
fn integration_tests() -> Result<Vec<IntegrationTest>> {
    Ok(tests_of(&metadata()?))
}

/// What cargo knows of the workspace's packages.
pub(super) fn metadata() -> Result<Value> {
    let mut cargo = command::cargo(workspace::root());
    let output = cargo
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .doing("run `cargo metadata`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!(
            "`cargo metadata` failed: {}",
            said.trim()
        )));
    }
    serde_json::from_slice(&output.stdout).doing("understand `cargo metadata`")
}

fn tests_of(metadata: &Value) -> Vec<IntegrationTest> {
    let mut tests = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array().into_iter().flatten();
            let (Some(package), Some(name)) = (package["name"].as_str(), target["name"].as_str())
            else {
                continue;
            };
            if kinds.filter_map(Value::as_str).any(|kind| kind == "test") {
                tests.push(IntegrationTest {
                    package: package.into(),
                    name: name.into(),
                });
            }
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_tests_are_found_in_metadata() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "targets": [
                { "name": "a", "kind": ["lib"] },
                { "name": "lab_x", "kind": ["test"] },
            ] },
            { "name": "b", "targets": [{ "name": "y", "kind": ["test"] }] },
        ] });
        let found = tests_of(&metadata);
        let found: Vec<_> = found
            .iter()
            .map(|test| (&*test.package, &*test.name))
            .collect();
        assert_eq!(found, [("a", "lab_x"), ("b", "y")]);
    }
}
