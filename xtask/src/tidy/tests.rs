//! Plants each violation in a small workspace and sees it found, and its permitted twin not.

use super::*;

/// What is found in a workspace with this one file.
fn found(path: &str, source: &str) -> Vec<String> {
    let root = tempfile::tempdir().expect("a temporary directory");
    for directory in ["crates", "xtask"] {
        fs::create_dir(root.path().join(directory)).expect("a directory");
    }
    let file = root.path().join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("directories");
    fs::write(&file, source).expect("a file");
    findings(root.path())
        .expect("findings")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn assert_found(path: &str, source: &str, line: usize, part: &str) {
    let found = found(path, source);
    let start = format!("{path}:{line}: ");
    assert!(
        found.len() == 1 && found[0].starts_with(&start) && found[0].contains(part),
        "expected {start}...{part}..., found {found:?}"
    );
}

#[track_caller]
fn assert_tidy(path: &str, source: &str) {
    assert_eq!(found(path, source), Vec::<String>::new());
}

const LIBRARY: &str = "crates/copyist/src/x.rs";

#[test]
fn long_files() {
    assert_found(LIBRARY, &"// x\n".repeat(701), 1, "701 lines without tests");
    assert_tidy(LIBRARY, &"// x\n".repeat(700));
}

#[test]
fn tests_in_a_file_have_their_own_limit() {
    let with_tests = |lines| {
        format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "\n".repeat(600),
            "\n".repeat(lines)
        )
    };
    assert_tidy(LIBRARY, &with_tests(297));
    assert_found(LIBRARY, &with_tests(298), 1, "901 lines with tests");
}

#[test]
fn long_functions() {
    let function = |lines| {
        format!(
            "// one\npub fn long() {{\n{}}}\n",
            "    f();\n\n".repeat(lines)
        )
    };
    assert_tidy(LIBRARY, &function(70));
    assert_found(LIBRARY, &function(71), 2, "`long`: 71 lines");
    assert_tidy(LIBRARY, "fn f(x: fn(u8)) {}\ntrait T { fn g(); }\n");
}

#[test]
fn systems() {
    let what = "may know the system";
    assert_found(
        LIBRARY,
        "\n#[cfg(target_os = \"linux\")]\nfn f() {}\n",
        2,
        what,
    );
    assert_found(LIBRARY, "fn f() -> bool { cfg!(windows) }\n", 1, what);
    assert_found(
        LIBRARY,
        "#[cfg(all(test, not(unix)))]\nfn f() {}\n",
        1,
        what,
    );
    assert_found(
        LIBRARY,
        "#[cfg_attr(target_family = \"unix\", inline)]\nfn f() {}\n",
        1,
        what,
    );
    assert_found("xtask/src/x.rs", "#[cfg(unix)]\nfn f() {}\n", 1, what);
    assert_found(
        "crates/copyist-cli/src/x.rs",
        "#[cfg(unix)]\nfn f() {}\n",
        1,
        what,
    );
}

#[test]
fn systems_where_they_may_be_known() {
    let source = "#[cfg(target_os = \"linux\")]\nfn f() {}\n";
    assert_tidy("crates/copyist-sys/src/x.rs", source);
    assert_tidy("crates/copyist/src/system/native.rs", source);
    assert_tidy("crates/copyist/src/system/native/linux.rs", source);
    assert_tidy("crates/copyist/src/words/code/pins.rs", source);
    assert_tidy(
        LIBRARY,
        "// #[cfg(target_os)]\nconst X: &str = \"cfg(windows)\";\n",
    );
}

#[test]
fn files_of_tests_may_be_for_one_system() {
    let path = "crates/copyist-cli/tests/x.rs";
    assert_tidy(path, "//! Tests.\n#![cfg(target_os = \"linux\")]\n");
    assert_found(
        path,
        "#[cfg(target_os = \"linux\")]\nfn f() {}\n",
        1,
        "may know the system",
    );
    assert_found(
        LIBRARY,
        "#![cfg(target_os = \"linux\")]\n",
        1,
        "may know the system",
    );
}

#[test]
fn unsafe_code() {
    assert_found(
        LIBRARY,
        "\n\nfn f() { unsafe { g() } }\n",
        3,
        "may be unsafe",
    );
    assert_tidy("crates/copyist-sys/src/x.rs", "fn f() { unsafe { g() } }\n");
    assert_tidy(LIBRARY, "/// Not unsafe.\nfn f() {}\n");
}

#[test]
fn only_the_command_changes_a_program_by_being_linked() {
    let what = "may change a program that links it";
    let constructor = "#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic X: fn() = f;\n";
    assert_found("crates/copyist-sys/src/x.rs", constructor, 2, what);
    assert_tidy("crates/copyist-start/src/x.rs", constructor);
    assert_found(LIBRARY, "use copyist_start::x;\n", 1, what);
    assert_tidy("crates/copyist-cli/src/x.rs", "use copyist_start::x;\n");
}

#[test]
fn crate_roots_forbid_unsafe_code() {
    for path in [
        "crates/copyist/src/lib.rs",
        "crates/copyist-cli/src/main.rs",
        "xtask/src/main.rs",
    ] {
        assert_found(
            path,
            "//! #![forbid(unsafe_code)]\n",
            1,
            "without #![forbid(unsafe_code)]",
        );
        assert_tidy(path, "#![forbid(unsafe_code)]\n");
    }
    assert_tidy("crates/copyist-sys/src/lib.rs", "//! Unsafe.\n");
}

#[test]
fn plans_and_rules_are_pure() {
    let what = "may not touch the system";
    assert_found(
        "crates/copyist/src/think/plan.rs",
        "use crate::system::Native;\n",
        1,
        what,
    );
    assert_found(
        "crates/copyist/src/think/plan.rs",
        "use crate::{system};\n",
        1,
        what,
    );
    assert_found(
        "crates/copyist/src/think/rules/linux.rs",
        "use rustix::io::Errno;\n",
        1,
        what,
    );
    assert_found(
        "crates/copyist/src/think/rules/mod.rs",
        "\nuse std::fs;\n",
        2,
        what,
    );
    assert_found(
        "crates/copyist/src/think/rules/macos.rs",
        "use copyist_sys::macos;\n",
        1,
        what,
    );
    assert_tidy(
        "crates/copyist/src/words/code/pins.rs",
        "use copyist_sys::codes;\n",
    );
    assert_tidy(
        "crates/copyist/src/think/plan.rs",
        "use crate::facts::Facts; // not crate::system\n",
    );
}

#[test]
fn exec_names_no_codes() {
    let path = "crates/copyist/src/run/exec.rs";
    assert_found(path, "fn f() { g(code::EIO) }\n", 1, "error code");
    assert_found(
        path,
        "fn f() { g(ERROR_INVALID_FUNCTION) }\n",
        1,
        "error code",
    );
    assert_found(
        path,
        "#[cfg(debug_assertions)]\nfn f() {}\n",
        1,
        "same everywhere",
    );
    assert_tidy(path, "// EIO is for the rules.\nfn f() -> Ended { E }\n");
    assert_tidy(
        path,
        "#[cfg(test)]\nmod tests {\n    const X: u8 = EIO;\n}\n",
    );
    assert_tidy(
        "crates/copyist/src/think/rules/linux.rs",
        "const X: u8 = EIO;\n",
    );
}

#[test]
fn this_workspace_can_be_read() {
    assert!(findings(workspace::root()).is_ok());
}

#[test]
fn tables_of_pages() {
    let page = "docs/x.md";
    let table = "# T\n\n| a | b |\n| --- | :-: |\n| 1 | 2 |\n";
    assert_tidy(page, table);
    assert_tidy(page, &format!("{table}\n{table}"));
    assert_tidy(page, "```\n| no table |\n```\n");
    let broken = format!("{table}\n| 3 | 4 |\n| 5 | 6 |\n");
    assert_found(page, &broken, 7, "a row of no table");
    assert_found(
        "README.md",
        "| a | b |\n| 1 | 2 |\n",
        1,
        "a row of no table",
    );
    let after_code = format!("```\n|\n```\n{table}\n| 3 | 4 |");
    assert_found(page, &after_code, 10, "a row of no table");
}
