//! Each test makes a small crate and sees what is found in its imports.

use std::fs;

use super::*;

const ROOMS: &[&str] = &["words", "run", "tree"];

/// What is found in a crate of these files, in this order of rooms.
fn found_in(rooms: &'static [&'static str], files: &[(&str, &str)]) -> Vec<String> {
    found_with(rooms, Circles::All, files)
}

fn found_with(
    rooms: &'static [&'static str],
    circles: Circles,
    files: &[(&str, &str)],
) -> Vec<String> {
    let root = tempfile::tempdir().expect("a temporary directory");
    for (path, source) in files {
        let file = root.path().join("src").join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("directories");
        fs::write(&file, source).expect("a file");
    }
    let mut found = Vec::new();
    let one = Crate {
        src: "src",
        rooms,
        circles,
    };
    check_crate(root.path(), &one, &mut found).expect("findings");
    found.iter().map(ToString::to_string).collect()
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    found_in(ROOMS, files)
}

/// A crate with the three rooms: `words` has `Method`, `run` is given, `tree` has `Walk` and a circle with
/// nobody.
fn with_run(run: &str) -> Vec<String> {
    found(&[
        (
            "lib.rs",
            "mod run; mod tree; mod words; pub use words::Method; pub use tree::Walk;",
        ),
        ("words/mod.rs", "mod method; pub(crate) use method::Method;"),
        ("words/method.rs", "pub enum Method { Clone }"),
        ("run/mod.rs", run),
        (
            "tree/mod.rs",
            "pub mod walk; mod dir; pub use dir::open; pub use walk::Walk;",
        ),
        (
            "tree/walk.rs",
            "use super::dir::open; use crate::words::Method; pub struct Walk(Method);",
        ),
        (
            "tree/dir.rs",
            "use crate::run; pub fn open() { run::start() }",
        ),
    ])
}

fn above(line: usize, what: &str) -> String {
    let order = "(order: words < run < tree)";
    format!("src/run/mod.rs:{line}: imports crate::tree::{what}, which is above run {order}")
}

#[track_caller]
fn assert_above(run: &str, line: usize, what: &str) {
    let run = format!("pub fn start() {{}}\n{run}");
    // `tree/dir.rs` imports this file.
    let found: Vec<_> = with_run(&run)
        .into_iter()
        .filter(|it| !it.contains("a circle"))
        .collect();
    assert_eq!(found, [above(line, what)], "{run}");
}

#[test]
fn imports_that_go_downwards_are_fine() {
    let run = "use crate::words::Method; pub fn start() -> Method { Method::Clone }";
    assert_eq!(with_run(run), Vec::<String>::new());
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    assert_above("\nuse crate::tree::walk::Walk;", 3, "walk::Walk");
    assert_above("use super::tree::walk::Walk as W;", 2, "walk::Walk");
    assert_above(
        "use crate::{words::Method,\ntree::{walk::{self}}};",
        3,
        "walk",
    );
    assert_above("use crate::tree::walk::*;", 2, "walk::*");
    assert_above(
        "fn f() { let x: crate::tree::walk::Walk; }",
        2,
        "walk::Walk",
    );
    assert_above("fn f() {\n crate::tree::walk::Walk(1) }", 3, "walk::Walk");
    assert_above("fn f() { use crate::tree::walk::Walk; }", 2, "walk::Walk");
    assert_above(
        "use crate::tree;\nfn f() { tree::walk::Walk(1) }",
        3,
        "walk::Walk",
    );
    assert_above(
        "mod inner { use super::super::tree::walk::Walk; }",
        2,
        "walk::Walk",
    );
    assert_above(
        "fn f() { vec![1, crate::tree::walk::Walk(1)] }",
        2,
        "walk::Walk",
    );
    assert_above(
        "macro_rules! m { () => { $crate::tree::walk::Walk(1) } }",
        2,
        "walk::Walk",
    );
    assert_above(
        "impl Iterator for X { type Item = crate::tree::walk::Walk; }",
        2,
        "walk::Walk",
    );
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    assert_above("use crate::tree::Walk;", 2, "walk::Walk");
    assert_above("use crate::Walk;", 2, "walk::Walk");
    assert_above(
        "use crate::{self as it};\nfn f() { it::tree::open() }",
        3,
        "dir::open",
    );
    assert_eq!(
        with_run("use crate::Method; pub fn start() {}"),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_no_import_is_none() {
    for run in [
        "// crate::tree::walk::Walk\n",
        "/// [`crate::tree::walk::Walk`]\nfn f() {}",
        "pub(in crate::tree) fn f() {}",
        "m! { pub(in crate::tree::walk) fn f() {} }",
        "const X: &str = \"crate::tree::walk\";",
        "use std::{fs, walk::tree}; fn f() { fs::tree(tree::Walk) }",
        "fn f() { ::tree::walk::Walk }",
        "mod tree { pub fn g() {} } fn f() { tree::g() }",
    ] {
        let run = format!("pub fn start() {{}}\n{run}");
        assert_eq!(with_run(&run), Vec::<String>::new(), "{run}");
    }
}

#[test]
fn tests_may_import_everything() {
    for run in [
        "#[cfg(test)]\nmod tests { use crate::tree::walk::Walk; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(all(test, unix))] use crate::tree::Walk;",
        "#[cfg(any(test, fuzzing))] fn f() { crate::tree::open() }",
        "struct X; impl X { #[cfg(test)] fn f() { crate::tree::open() } }",
        "#[test] fn f() { crate::tree::open() }",
        "mod sim;",
        "#[path = \"run_tests.rs\"] mod tests;",
    ] {
        let run = format!("pub fn start() {{}}\n{run}");
        assert_eq!(with_run(&run), Vec::<String>::new(), "{run}");
    }
    assert_above("#[cfg(not(test))] use crate::tree::Walk;", 2, "walk::Walk");
    assert_above(
        "#[cfg(any(test, unix))] use crate::tree::Walk;",
        2,
        "walk::Walk",
    );
    assert_above(
        "#[cfg(not(all(test, unix)))] use crate::tree::Walk;",
        2,
        "walk::Walk",
    );
}

#[test]
fn a_circle_of_three_is_named_with_what_ties_it() {
    let circle = found_in(
        &[],
        &[
            (
                "main.rs",
                "mod a; mod b; mod c; mod d; fn main() { a::f() }",
            ),
            ("a.rs", "use crate::b::{B, make};\nfn f(x: B) {}"),
            (
                "b.rs",
                "\nuse crate::c; pub struct B; pub fn make() { c::go() }",
            ),
            ("c.rs", "use crate::d::D; pub fn go(_: D) { super::a::f() }"),
            ("d.rs", "pub struct D;"),
        ],
    );
    let expected = "src/a.rs:1: a circle of 3 files
    a.rs imports B, make of b.rs
    b.rs imports go of c.rs
    c.rs imports f of a.rs";
    assert_eq!(circle, [expected]);
}

#[test]
fn what_is_handed_on_ties_only_where_it_is_used() {
    let files = |facade: &str, one: &str| {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", facade),
            ("a/one.rs", one),
            ("a/two.rs", "pub struct Two;"),
        ];
        found_in(&[], &files)
    };
    let facade = "mod one; mod two; pub use one::*; pub use two::Two; pub use std::fs::File;";
    let one = "use super::{File, Two}; pub struct One(File, Two);";
    assert_eq!(files(facade, one), Vec::<String>::new());

    let facade = "mod one; mod two; pub use one::One; pub use two::Two;";
    let one = "use super::{f, Two}; pub struct One(Two);";
    let defines = format!("{facade} pub fn f() {{}}");
    assert_eq!(files(&defines, one), Vec::<String>::new());
    let uses = format!("{facade} pub fn f(one: One) {{}}");
    let circle = files(&uses, one);
    let expected = "src/a/mod.rs:1: a circle of 2 files
    a/mod.rs imports One of a/one.rs
    a/one.rs imports f of a/mod.rs";
    assert_eq!(circle, [expected]);
}

#[test]
fn macros_have_a_file_too() {
    let circle = found_in(
        &[],
        &[
            ("lib.rs", "#[macro_use] mod a; mod b;"),
            ("a.rs", "macro_rules! m { () => { crate::b::f() } }"),
            ("b.rs", "pub fn f() { m!() }"),
        ],
    );
    assert!(circle[0].contains("b.rs imports m! of a.rs"), "{circle:?}");
}

#[test]
fn files_are_found_where_rust_finds_them() {
    let circle = found_in(
        &[],
        &[
            (
                "lib.rs",
                "#[cfg(feature = \"x\")] mod x;
             #[cfg(not(feature = \"x\"))] #[path = \"x/none.rs\"] mod x;
             mod y { pub mod z; }",
            ),
            ("x.rs", "pub mod deep; pub struct X;"),
            ("x/deep.rs", "use crate::y::z::Z;"),
            ("x/none.rs", "use crate::y::z::Z; pub struct X;"),
            ("y/z.rs", "use crate::x::X; pub struct Z;"),
        ],
    );
    assert_eq!(circle.len(), 1, "{circle:?}");
    assert!(
        circle[0].contains("a circle of 2 files\n    x/none.rs imports"),
        "{circle:?}"
    );
}

#[test]
fn what_can_not_be_checked_is_said() {
    let found = found(&[
        ("lib.rs", "mod a;\nmod b;\nmod other;"),
        ("a.rs", "\nfn 1() {}"),
        ("other/mod.rs", ""),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(
        found[0],
        "src/lib.rs:2: there is no file for the module `b`"
    );
    assert!(
        found[1].starts_with("src/a.rs:2: it can't be parsed: "),
        "{found:?}"
    );
    let order = "(order: words < run < tree)";
    let lost = format!("src/other/mod.rs:1: in none of the rooms {order}");
    assert_eq!(found[2], lost);
}

#[test]
fn the_root_is_above_all() {
    let found = found(&[
        ("lib.rs", "mod tree; mod words; pub fn copy() { tree::f() }"),
        ("tree.rs", "pub fn f() {}"),
        ("words/mod.rs", "\nfn g() { crate::copy() }"),
    ]);
    let order = "(order: words < run < tree)";
    let above = format!("src/words/mod.rs:2: imports crate::copy, which is above words {order}");
    assert_eq!(found, [above]);
}

#[test]
fn circles_of_a_module_with_its_own_can_be_allowed() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod one; mod two; pub fn f() { one::g() }"),
        ("a/one.rs", "pub fn g() { super::f() }"),
        ("a/two.rs", "fn h() { crate::b::i() }"),
        ("b.rs", "pub fn i() {}"),
    ];
    let count = |circles, files: &[(&str, &str)]| found_with(&[], circles, files).len();
    assert_eq!(count(Circles::All, &files), 1);
    assert_eq!(count(Circles::Siblings, &files), 0);
    let tied = [
        &files[..4],
        &[("b.rs", "pub fn i() { crate::a::two::h() }")],
    ]
    .concat();
    assert_eq!(count(Circles::All, &tied), 2);
    assert_eq!(count(Circles::Siblings, &tied), 1);
    assert_eq!(count(Circles::Allowed, &tied), 0);
}
