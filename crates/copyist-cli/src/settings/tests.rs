//! Command line -> settings, as a table. The errors are GNU cp 9.10's in the C locale.

use std::num::NonZeroUsize;

use copyist::Method;
use copyist::options::{
    Atomic, Backup, Follow, Force, Fsync, Make, MethodSet, NewMode, OnChange, Reflink, Sparse,
    Update, Want,
};

use super::read;
use crate::process::environment::Environment;
use crate::process::invocation::Frontend;
use crate::settings::{Settings, Stop, When};
use crate::words::quoting::Quoter;

fn parse_in(environment: &Environment, line: &str) -> Result<Settings, Stop> {
    parse_as(Frontend::Cp, environment, line)
}

fn parse_as(frontend: Frontend, environment: &Environment, line: &str) -> Result<Settings, Stop> {
    let words = line.split(' ').filter(|word| !word.is_empty());
    read(
        frontend,
        words.map(Into::into),
        environment,
        Quoter::new(false),
        &mut |_| {},
    )
}

fn parse(line: &str) -> Settings {
    match parse_in(&Environment::default(), line) {
        Ok(settings) => settings,
        Err(stop) => panic!("{line}: {stop:?}"),
    }
}

fn refuse(line: &str) -> Stop {
    match parse_in(&Environment::default(), line) {
        Ok(settings) => panic!("{line}: {settings:?}"),
        Err(stop) => stop,
    }
}

/// The attributes that are kept, as letters: m o t l, x X (try, must).
fn kept(line: &str) -> String {
    let preserve = parse(line).options.preserve;
    let mut letters = String::new();
    for (letter, on) in [
        ('m', preserve.mode),
        ('o', preserve.owner),
        ('t', preserve.times),
        ('l', preserve.links),
        ('x', preserve.xattrs == Want::BestEffort),
        ('X', preserve.xattrs == Want::Required),
    ] {
        if on {
            letters.push(letter);
        }
    }
    letters
}

#[test]
fn attributes_add_up() {
    let table = [
        ("", ""),
        ("-p", "mot"),
        ("--preserve", "mot"),
        ("-d", "l"),
        ("-a", "motlx"),
        ("--preserve=all", "motlx"),
        ("--preserve=m,t --preserve=xattr", "mtX"),
        ("-a --preserve=xattr", "motlX"),
        ("--preserve=xattr -a", "motlX"),
        ("--preserve=xattr --no-preserve=xattr -a", "motlx"),
        ("-a --no-preserve=mode,ownership", "tlx"),
        ("--no-preserve=mode -p", "mot"),
        ("-a --no-preserve=all", ""),
        ("-dp --no-preserve=l", "mot"),
    ];
    for (line, expected) in table {
        assert_eq!(kept(line), expected, "{line}");
    }
}

#[test]
fn links_are_followed_as_cp_does() {
    let table = [
        ("", Follow::Always),
        ("-r", Follow::Never),
        ("-rl", Follow::Always),
        ("-a", Follow::Never),
        ("-aL", Follow::Always),
        ("-La", Follow::Never),
        ("-RH", Follow::Operands),
        ("-RHP", Follow::Never),
        ("-Ld", Follow::Never),
    ];
    for (line, expected) in table {
        assert_eq!(parse(line).options.follow, expected, "{line}");
    }
}

#[test]
fn the_last_of_i_and_n_wins() {
    let table = [
        ("-i", true, Update::All),
        ("-n", false, Update::None),
        ("-in", false, Update::None),
        ("-ni", true, Update::All),
        ("-nu", false, Update::None),
        ("-u -i", true, Update::Older),
        ("--update=none -i", true, Update::None),
        ("--update=none-fail", false, Update::NoneFail),
        ("--update=none --update", false, Update::Older),
        ("--update=ol --update=all", false, Update::All),
    ];
    for (line, interactive, update) in table {
        let options = parse(line).options;
        assert_eq!(
            (options.interactive, options.update),
            (interactive, update),
            "{line}"
        );
        assert_eq!(options.ordered, interactive, "{line}");
    }
}

#[test]
fn other_options_reach_the_library() {
    let options = parse("-r --reflink --jobs=3 --method=clone,read-write -x").options;
    assert_eq!(options.reflink, Reflink::Always);
    assert_eq!(options.jobs, NonZeroUsize::new(3));
    let methods: MethodSet = [Method::Clone, Method::ReadWrite].into_iter().collect();
    assert_eq!(options.methods, Some(methods));
    let direct: MethodSet = [Method::Direct, Method::ReadWrite].into_iter().collect();
    assert_eq!(parse("--method=direct").options.methods, Some(direct));
    assert!(options.one_file_system && options.recursive && !options.copy_contents);

    let options = parse("--sparse=never --no-preserve=mode -l").options;
    assert_eq!(
        (options.sparse, options.reflink),
        (Sparse::Never, Reflink::Never)
    );
    assert_eq!(
        (options.new_mode, options.make),
        (NewMode::SystemDefault, Make::HardLink)
    );
    assert!(
        options.copy_contents,
        "without -r, what a FIFO contains is copied"
    );

    assert_eq!(
        parse("--no-preserve=mode -p").options.new_mode,
        NewMode::FromSource
    );
    assert!(parse("-r --copy-contents").options.copy_contents);
    assert_eq!(parse("-f").options.force, Force::IfNeeded);
    let both = parse("-f --remove-destination");
    assert!(both.force && both.options.force == Force::RemoveFirst);
    assert_eq!(parse("-s").options.make, Make::Symlink);
    assert!(parse("--attributes-only").options.attributes_only);
    assert!(
        parse("--keep-directory-symlink")
            .options
            .keep_directory_symlink
    );
}

#[test]
fn what_is_told_and_where_to() {
    let settings = parse("--debug --pat --strip -T --report - --progress x y");
    assert!(settings.debug && settings.verbose && settings.options.ordered);
    assert!(settings.parents && settings.strip_trailing_slashes && settings.no_target_directory);
    assert_eq!(settings.report.as_deref(), Some("-".as_ref()));
    assert_eq!(settings.progress, When::Always);
    assert_eq!(settings.operands, ["x", "y"]);
    assert_eq!(parse("x").progress, When::Never);
    assert_eq!(parse("--progress=auto").progress, When::Auto);
    assert_eq!(
        parse("-tx y").target_directory.as_deref(),
        Some("x".as_ref())
    );
}

#[test]
fn backups_and_their_suffix() {
    let env = |control: &str, suffix: &str| Environment {
        version_control: (!control.is_empty()).then(|| control.into()),
        simple_backup_suffix: (!suffix.is_empty()).then(|| suffix.into()),
        ..Environment::default()
    };
    let table = [
        (env("", ""), "", Backup::None, "~"),
        (env("", ""), "-b", Backup::Existing, "~"),
        (env("t", ".x"), "-b", Backup::Numbered, ".x"),
        (env("t", ".x"), "--backup=simple", Backup::Simple, ".x"),
        (env("off", ""), "-b", Backup::None, "~"),
        (env("t", ".x"), "-S.y", Backup::Numbered, ".y"),
        (env("", ""), "--backup=nil -b", Backup::Existing, "~"),
        (env("", ""), "--backup=numbered -b", Backup::Numbered, "~"),
        (env("", ""), "-b -S a/b", Backup::Existing, "~"),
        (env("", ".x"), "-S /", Backup::Existing, "~"),
        (env("bad", ""), "", Backup::None, "~"),
    ];
    for (environment, line, backup, suffix) in table {
        let settings = parse_in(&environment, line).expect(line);
        assert_eq!(settings.options.backup, backup, "{line}");
        assert_eq!(settings.options.backup_suffix, suffix, "{line}");
    }
    let refused = parse_in(&env("z", ""), "-b");
    assert!(
        matches!(&refused, Err(Stop::Usage(message))
            if message.starts_with("invalid argument 'z' for '$VERSION_CONTROL'")),
        "{refused:?}"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let exclusive = "--backup is mutually exclusive with -n or --update=none-fail";
    let table = [
        ("-ls", "cannot make both hard and symbolic links"),
        ("-bn", exclusive),
        ("-b --update=none-fail", exclusive),
        ("-S x --update=none", exclusive),
        (
            "--reflink --sparse=never",
            "--reflink can be used only with --sparse=auto",
        ),
        (
            "--reflink --sparse=always",
            "--reflink can be used only with --sparse=auto",
        ),
        ("--jobs=0", "invalid number of jobs '0'"),
    ];
    for (line, message) in table {
        assert_eq!(refuse(line), Stop::Usage(message.to_owned()), "{line}");
    }
    let many = "multiple target directories specified";
    assert_eq!(refuse("-tx -ty"), Stop::Fatal(many.to_owned()));
    let context = "cannot preserve security context without an SELinux-enabled kernel";
    assert_eq!(
        refuse("--preserve=context"),
        Stop::Fatal(context.to_owned())
    );
    for (line, start) in [
        (
            "--sparse=x",
            "invalid argument 'x' for '--sparse'\nValid arguments are:\n  - 'never'",
        ),
        (
            "--preserve=mode,zz",
            "invalid argument 'zz' for '--preserve'\n",
        ),
        (
            "--no-preserve=",
            "ambiguous argument '' for '--no-preserve'\n",
        ),
        ("--method=clone,x", "invalid argument 'x' for '--method'\n"),
        ("--update=n", "ambiguous argument 'n' for '--update'\n"),
        ("--backup=x", "invalid argument 'x' for 'backup type'\n"),
    ] {
        let refused = refuse(line);
        assert!(
            matches!(&refused, Stop::Usage(message) if message.starts_with(start)),
            "{line}: {refused:?}"
        );
    }
}

#[test]
fn help_comes_before_later_errors_and_after_earlier_ones() {
    assert_eq!(refuse("-a --help --nonsense"), Stop::Help);
    assert_eq!(refuse("--version --help"), Stop::Version);
    assert_eq!(
        refuse("--nonsense --help"),
        Stop::Syntax("unrecognized option '--nonsense'".to_owned(), None)
    );
}

#[test]
fn contexts_without_selinux_are_ignored() {
    let mut warnings = Vec::new();
    let words = ["-Z", "--context", "--context=x"].map(Into::into);
    let environment = Environment::default();
    let settings = read(
        Frontend::Cp,
        words,
        &environment,
        Quoter::new(false),
        &mut |warning| {
            warnings.push(warning.to_owned());
        },
    );
    assert!(settings.is_ok());
    assert_eq!(
        warnings,
        ["warning: ignoring --context; it requires an SELinux-enabled kernel"]
    );
}

#[test]
fn posixly_correct_stops_at_the_first_operand() {
    let environment = Environment {
        posixly_correct: true,
        ..Environment::default()
    };
    let settings = parse_in(&environment, "-r x -v y").expect("accepted");
    assert_eq!(settings.operands, ["x", "-v", "y"]);
    assert!(settings.options.write_through_dangling);
}

#[test]
fn copy_is_cp_a_with_progress_and_a_last_line() {
    let copy = |line| parse_as(Frontend::Copy, &Environment::default(), line).expect("accepted");
    let as_copy = |line| {
        let mut options = parse(line).options;
        options.read_open_files = true;
        options
    };
    let plain = copy("x y");
    assert_eq!(plain.options, as_copy("-a --atomic=auto"));
    assert_eq!(plain.progress, When::Auto);
    assert!(plain.last_line && !parse("-a").last_line);

    let some = copy("--no-preserve=ownership -L --progress=never -n --jobs=2 x y");
    assert_eq!(
        some.options,
        as_copy("-aL --atomic=auto --no-preserve=ownership -n --jobs=2")
    );
    for links in ["-P", "-d", "-s", "-l"] {
        assert!(!copy(links).options.read_open_files, "{links}");
    }
    assert!(copy("-P -L").options.read_open_files);
    assert_eq!(some.progress, When::Never);
    let quiet = copy("-q --json");
    assert!(!quiet.last_line && quiet.progress == When::Never);
    assert_eq!(quiet.report.as_deref(), Some("-".as_ref()));

    // Each command has its own options.
    let unknown = |option: &str| {
        let message = format!("unrecognized option '{option}'");
        Err(Stop::Syntax(message, None))
    };
    let environment = Environment::default();
    assert_eq!(
        parse_as(Frontend::Cp, &environment, "--json"),
        unknown("--json")
    );
    assert_eq!(
        parse_as(Frontend::Copy, &environment, "--context"),
        unknown("--context")
    );
}

#[test]
fn how_to_be_safe() {
    let options = |line| parse(line).options;
    let atomic = |words| options(words).atomic;
    assert_eq!(atomic("a b"), Atomic::No);
    assert_eq!(atomic("--atomic a b"), Atomic::Required);
    assert_eq!(atomic("--atomic=auto a b"), Atomic::BestEffort);
    assert_eq!(atomic("--atomic --atomic=no a b"), Atomic::No);
    assert_eq!(options("a b").fsync, Fsync::None);
    assert_eq!(options("--fsync=file a b").fsync, Fsync::File);
    assert_eq!(options("--fsync=end a b").fsync, Fsync::End);
    assert_eq!(options("a b").on_change, OnChange::Report);
    assert_eq!(options("--on-change=fail a b").on_change, OnChange::Fail);
    assert_eq!(options("--on-change=retry a b").on_change, OnChange::Retry);
    assert!(!parse("a b").resume);
    assert!(parse("--resume a b").resume);
    let named = parse("--journal=j a b");
    assert!(named.resume && named.journal == Some("j".into()));
    assert!(matches!(refuse("--resume -b a b"), Stop::Usage(_)));
    let copy = parse_as(Frontend::Copy, &Environment::default(), "a b");
    assert!(copy.is_ok_and(|copy| copy.options.atomic == Atomic::BestEffort));
}
