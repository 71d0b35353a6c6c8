//! `copyist bench`: figures, refusals, the chart, what is saved, and what is left behind.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use oracle::Fallible;
use oracle::lab::place;
use oracle::random::NOBODY;
use oracle::remove::Scratch;
use oracle::run::Program;
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;

/// `copyist bench` with a configuration of its own.
fn bench(config: &Path, arguments: &[&str], places: &[&Path]) -> Fallible<Output> {
    let mut command = Command::new(Program::under_test().path);
    command.arg("bench").args(arguments).args(places);
    Ok(command
        .env("XDG_CONFIG_HOME", config)
        .env("LC_ALL", "C")
        .output()?)
}

/// What it says as JSON, and its exit code.
fn figures(config: &Path, arguments: &[&str], places: &[&Path]) -> Fallible<(Value, Option<i32>)> {
    let output = bench(config, &[&["--json=-"], arguments].concat(), places)?;
    let found = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok((found, output.status.code()))
}

fn row<'a>(found: &'a Value, name: &str) -> &'a Value {
    let rows = found["methods"].as_array().into_iter().flatten();
    rows.into_iter()
        .find(|it| it["name"] == name)
        .unwrap_or(&Value::Null)
}

fn is_empty(dir: &Path) -> Fallible<bool> {
    Ok(fs::read_dir(dir)?.next().is_none())
}

#[test]
fn clones_are_measured_and_where_there_are_none_it_is_said_so() -> Fallible<()> {
    let config = Scratch::new(&std::env::temp_dir())?;
    for (name, clones) in [
        ("btrfs", true),
        ("xfs", true),
        ("ext4", false),
        ("tmpfs", false),
    ] {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let svg = config.path().join("plot.svg");
        let plot = format!("--plot={}", svg.display());
        let arguments = ["--size=32MiB", "--runs=3", &plot];
        let (found, code) = figures(config.path(), &arguments, &[scratch.path()])?;
        assert_eq!(code, Some(0), "{name}: {found}");
        assert_eq!(found["bytes"], 32 * MIB, "{name}");
        let clone = row(&found, "clone");
        if clones {
            assert_eq!(clone["outcome"], "measured", "{name}: {clone}");
            assert_eq!(clone["shared"], 32 * MIB, "{name}: {clone}");
            assert_eq!(row(&found, "auto")["by"], "clone", "{name}: {found}");
        } else {
            assert_eq!(clone["outcome"], "refused", "{name}: {clone}");
            assert_eq!(clone["code"], "EOPNOTSUPP", "{name}: {clone}");
        }
        for other in ["copy-range", "sendfile", "direct", "read-write"] {
            let row = row(&found, other);
            assert_eq!(row["outcome"], "measured", "{other} on {name}: {row}");
            assert_eq!(row["by"], other, "{other} on {name}: {row}");
            assert_eq!(row["ns"].as_array().map(Vec::len), Some(3), "{row}");
            let ratio = |row: &Value| row["median_ns"].as_f64();
            let expected = ratio(self::row(&found, "read-write"))
                .zip(ratio(row))
                .map(|(a, b)| a / b);
            let found = row["ratio"].as_f64();
            let off = found.zip(expected).map(|(a, b)| (a - b).abs() / b);
            assert!(
                off.is_some_and(|off| off < 0.001),
                "{other} on {name}: {row}"
            );
        }
        let baseline = row(&found, "read-write");
        assert_eq!(baseline["baseline"], true, "{baseline}");
        assert!(
            baseline["shared"].as_u64().unwrap_or(0) == 0,
            "{name}: {baseline}"
        );
        println!("{name}: clone {}, {}x", clone["median_ns"], clone["ratio"]);
        let drawn = fs::read_to_string(&svg)?;
        assert!(
            drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"),
            "{drawn}"
        );
        assert_eq!(
            drawn.contains(">refused: EOPNOTSUPP</text>"),
            !clones,
            "{name}"
        );
        for row in found["methods"].as_array().into_iter().flatten() {
            let label = format!(">{}</text>", row["name"].as_str().unwrap_or("?"));
            assert!(drawn.contains(&label), "{name}: {label}");
        }
        assert!(is_empty(scratch.path())?, "{name}: left behind");
    }
    Ok(())
}

#[test]
fn the_table_names_methods_and_says_what_the_figures_are_worth() -> Fallible<()> {
    let Some(dir) = place("tmpfs") else {
        return Ok(());
    };
    let (config, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(&dir)?);
    let arguments = [
        "--size=1MiB",
        "--files=4",
        "--runs=2",
        "--methods=clone,sendfile",
        "--cold",
    ];
    let output = bench(config.path(), &arguments, &[scratch.path()])?;
    let told = String::from_utf8(output.stdout)?;
    for expected in [
        "4 files, 1.00 MiB",
        "clone       refused: EOPNOTSUPP",
        "baseline",
        "* the runs are warm in spite of --cold",
    ] {
        assert!(told.contains(expected), "{expected:?} is not in\n{told}");
    }
    assert!(!told.contains("direct"), "{told}");
    Ok(())
}

#[test]
fn a_cold_source_is_cold() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let (config, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(&dir)?);
    let arguments = ["--size=8MiB", "--runs=2", "--cold", "--methods=read-write"];
    let (found, code) = figures(config.path(), &arguments, &[scratch.path()])?;
    assert_eq!(code, Some(0), "{found}");
    let remarks = found["remarks"].to_string();
    assert!(!remarks.contains("in spite of"), "{remarks}");
    assert!(remarks.contains("loop device"), "{remarks}");
    Ok(())
}

#[test]
fn a_wrong_copy_has_no_figures_and_is_a_failure() -> Fallible<()> {
    let Some(dir) = place("fuse-corrupts") else {
        return Ok(());
    };
    let (config, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(&dir)?);
    let arguments = ["--size=1MiB", "--runs=1", "--methods=copy-range"];
    let (found, code) = figures(config.path(), &arguments, &[scratch.path()])?;
    assert_eq!(code, Some(1), "{found}");
    let wrong = row(&found, "copy-range");
    assert_eq!(wrong["outcome"], "failed", "{wrong}");
    // The last byte of each request is wrong, and the first asks for a quarter of a mebibyte.
    assert_eq!(
        wrong["why"],
        format!("the copy differs from its source at byte {}", MIB / 4 - 1)
    );
    assert!(is_empty(scratch.path())?, "left behind");
    Ok(())
}

#[test]
fn too_little_space_is_said_before_anything_is_written() -> Fallible<()> {
    let Some(dir) = place("tiny") else {
        return Ok(());
    };
    let (config, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(&dir)?);
    let output = bench(config.path(), &["--size=1GiB"], &[scratch.path()])?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("2.10 GiB are needed; use a smaller --size"),
        "{told}"
    );
    assert!(is_empty(scratch.path())?, "left behind");
    Ok(())
}

/// The first method that copied, or tried to.
fn first_method(config: &Path, src: &Path, dst: &Path) -> Fallible<Value> {
    let mut command = Command::new(Program::under_test().path);
    command.arg0("cp").arg("--report=-").args([src, dst]);
    let output = command.env("XDG_CONFIG_HOME", config).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines().map(serde_json::from_str::<Value>);
    let file = lines.find(|line| line.as_ref().is_ok_and(|line| line["type"] == "file"));
    let file = file.ok_or("no report")??;
    let attempts = file["attempts"].as_array().into_iter().flatten();
    let copies = attempts.into_iter().find(|it| it["method"] != "clone");
    Ok(copies.ok_or("nothing was copied")?["method"].clone())
}

#[test]
fn what_is_saved_is_used_until_the_system_changes() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let (config, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(&dir)?);
    let arguments = ["--size=2MiB", "--runs=1", "--save"];
    let output = bench(config.path(), &arguments, &[scratch.path()])?;
    assert!(output.status.success(), "{output:?}");
    let saved = config.path().join("copyist/learnt.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&saved)?)?;
    assert_eq!(file["pairs"][0]["file_bytes"], 2 * MIB, "{file}");
    assert_eq!(
        file["pairs"][0]["methods"].as_array().map(Vec::len),
        Some(4),
        "{file}"
    );

    // Which was the fastest is chance; here it is decided.
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    fs::write(&src, vec![1; 3 << 20])?;
    let learnt = |file: &mut Value, fastest: &str, system: Option<&str>| -> Fallible<()> {
        file["pairs"][0]["methods"] = json!([{ "method": fastest, "ns": 1 }]);
        if let Some(system) = system {
            file["pairs"][0]["system"] = system.into();
        }
        Ok(fs::write(&saved, file.to_string())?)
    };
    for fastest in ["direct", "sendfile", "read-write"] {
        learnt(&mut file, fastest, None)?;
        assert_eq!(first_method(config.path(), &src, &dst)?, fastest);
    }
    let small = scratch.path().join("small");
    fs::write(&small, vec![1; 1 << 19])?;
    learnt(&mut file, "direct", None)?;
    assert_eq!(
        first_method(config.path(), &small, &dst)?,
        "copy-range",
        "of small files it says nothing"
    );

    let probe = |expected: bool| -> Fallible<()> {
        let mut command = Command::new(Program::under_test().path);
        command.args(["probe", "--json"]).arg(scratch.path());
        let output = command.env("XDG_CONFIG_HOME", config.path()).output()?;
        let found: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(found["learnt"][0]["counts"], expected, "{found}");
        Ok(())
    };
    probe(true)?;
    learnt(&mut file, "direct", Some("Linux 2.6.32"))?;
    assert_eq!(first_method(config.path(), &src, &dst)?, "copy-range");
    probe(false)?;
    // A damaged file is in nobody's way.
    fs::write(&saved, "{")?;
    assert_eq!(first_method(config.path(), &src, &dst)?, "copy-range");
    Ok(())
}

#[test]
fn a_user_may_measure_too() -> Fallible<()> {
    let Some(dir) = place("xfs") else {
        return Ok(());
    };
    let within = Scratch::new(&std::env::temp_dir())?;
    let program = Program::under_test().within_reach(within.path())?;
    let scratch = Scratch::new(&dir)?;
    std::os::unix::fs::chown(scratch.path(), Some(NOBODY), Some(NOBODY))?;
    let mut command = Command::new(&program.path);
    command
        .args(["bench", "--size=1MiB", "--runs=1", "--json=-"])
        .arg(scratch.path());
    let output = command.uid(NOBODY).gid(NOBODY).output()?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(row(&found, "clone")["outcome"], "measured", "{found}");
    Ok(())
}

#[test]
fn what_a_killed_one_made_is_removed() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let mut child = Command::new(Program::under_test().path)
        .args(["bench", "--size=64MiB", "--runs=1000"])
        .arg(scratch.path())
        .stdout(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_empty(scratch.path())? {
        assert!(Instant::now() < deadline, "it has not begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_empty(scratch.path())? {
        assert!(Instant::now() < deadline, "left behind");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
