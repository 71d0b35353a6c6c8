//! The messages, compared with what GNU cp 9.10 prints.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use copyist::Method;
use copyist::error::{Cause, Code, Operation, Refusal};
use copyist::observer::Warning;
use copyist::options::{Make, Reflink, Sparse};
use copyist::report::{Attempt, Ended, Skip};

use super::{Failure, Messages, io_text, permission_letters};
use crate::words::quoting::Quoter;

const ENOENT: i32 = 2;
const EOPNOTSUPP: i32 = 95;

fn messages() -> Messages {
    Messages {
        quoter: Quoter::new(false),
        make: Make::Copy,
        reflink: Reflink::Auto,
        sparse: Sparse::Auto,
        methods: None,
    }
}

fn failure(operation: Operation, cause: Cause) -> Failure<'static> {
    Failure {
        operation,
        cause,
        method: None,
        src: OsStr::new("a"),
        dst: OsStr::new("b"),
        attempts: &[],
        why: io_text(&io::Error::from_raw_os_error(ENOENT)),
        is_a_directory: false,
        is_not_atomic: false,
    }
}

fn attempt(method: Method, bytes: u64, ended: Ended) -> Attempt {
    Attempt::new(method, ended, bytes, 0)
}

#[test]
fn system_errors_have_gnus_words() {
    if std::env::consts::OS == "windows" {
        println!(
            "beyond Wine: system_errors_have_gnus_words: the numbers and messages are those of Unix"
        );
        return;
    }
    let table = [
        (Operation::StatSource, "cannot stat 'a'"),
        (Operation::StatDestination, "cannot stat 'b'"),
        (Operation::OpenSource, "cannot open 'a' for reading"),
        (Operation::CreateFile, "cannot create regular file 'b'"),
        (Operation::OpenDestination, "cannot create regular file 'b'"),
        (Operation::OpenDirectory, "cannot access 'a'"),
        (Operation::CreateDirectory, "cannot create directory 'b'"),
        (Operation::CreateSymlink, "cannot create symbolic link 'b'"),
        (
            Operation::CreateHardLink,
            "cannot create hard link 'b' to 'a'",
        ),
        (Operation::CreateFifo, "cannot create fifo 'b'"),
        (Operation::Remove, "cannot remove 'b'"),
        (Operation::MakeBackup, "cannot backup 'b'"),
        (Operation::Read, "error reading 'a'"),
        (Operation::Write, "error writing 'b'"),
        (Operation::Transfer, "error copying 'a' to 'b'"),
        (Operation::SetTimes, "preserving times for 'b'"),
        (Operation::SetOwner, "failed to preserve ownership for 'b'"),
        (Operation::CloseDestination, "failed to close 'b'"),
        (Operation::Verify, "'b' could not be verified"),
        (
            Operation::VerifySource,
            "'b' could not be verified: cannot read 'a' again",
        ),
        (Operation::Hash, "'b' could not be hashed"),
    ];
    for (operation, action) in table {
        let given = failure(operation, Cause::System(Code(ENOENT)));
        let expected = format!("{action}: No such file or directory");
        assert_eq!(messages().failure(&given), Some(expected));
    }
    let given = failure(Operation::CreateSymlink, Cause::System(Code(ENOENT)));
    let symlinks = Messages {
        make: Make::Symlink,
        ..messages()
    };
    assert_eq!(
        symlinks.failure(&given).as_deref(),
        Some("cannot create symbolic link 'b' to 'a': No such file or directory")
    );
}

#[test]
fn a_new_file_with_a_slash_is_not_called_a_directory() {
    let given = Failure {
        dst: OsStr::new("b/"),
        why: "Is a directory".to_owned(),
        is_a_directory: true,
        is_not_atomic: false,
        ..failure(Operation::CreateFile, Cause::System(Code(21)))
    };
    let expected = "cannot create regular file 'b/': Not a directory";
    assert_eq!(messages().failure(&given).as_deref(), Some(expected));
}

#[test]
fn refusals_have_gnus_words() {
    let table = [
        (Refusal::SameFile, "'a' and 'b' are the same file"),
        (
            Refusal::IntoItself,
            "cannot copy a directory, 'a', into itself, 'b'",
        ),
        (
            Refusal::OmittingDirectory,
            "-r not specified; omitting directory 'a'",
        ),
        (
            Refusal::DirectoryOverFile,
            "cannot overwrite non-directory 'b' with directory 'a'",
        ),
        (
            Refusal::FileOverDirectory,
            "cannot overwrite directory 'b' with non-directory 'a'",
        ),
        (
            Refusal::JustCreated,
            "will not overwrite just-created 'b' with 'a'",
        ),
        (
            Refusal::ThroughJustCreatedSymlink,
            "will not copy 'a' through just-created symlink 'b'",
        ),
        (
            Refusal::DanglingSymlink,
            "not writing through dangling symlink 'b'",
        ),
        (
            Refusal::BackupDestroysSource,
            "backing up 'b' might destroy source;  'a' not copied",
        ),
        (Refusal::NotReplacing, "not replacing 'b'"),
        (
            Refusal::Replaced,
            "skipping file 'a', as it was replaced while being copied",
        ),
        (Refusal::Loop, "cannot copy cyclic symbolic link 'a'"),
        (Refusal::UnknownKind, "'a' has unknown file type"),
        (
            Refusal::NotLocal,
            "skipping 'a', whose content is not on this machine; name it to have it fetched",
        ),
        (
            Refusal::RelativeSymlink,
            "b: can make relative symbolic links only in current directory",
        ),
    ];
    for (refusal, expected) in table {
        let given = failure(Operation::Plan, Cause::Refused(refusal));
        assert_eq!(messages().failure(&given).as_deref(), Some(expected));
    }
    for silent in [Refusal::Declined, Refusal::Cancelled] {
        let given = failure(Operation::Plan, Cause::Refused(silent));
        assert_eq!(messages().failure(&given), None);
    }
}

#[test]
fn a_refused_method_is_named_with_its_cause() {
    if std::env::consts::OS == "windows" {
        println!(
            "beyond Wine: a_refused_method_is_named_with_its_cause: the numbers and messages are those of Unix"
        );
        return;
    }
    let attempts = [attempt(Method::Clone, 0, Ended::Next(Code(EOPNOTSUPP)))];
    let given = Failure {
        attempts: &attempts,
        ..failure(
            Operation::Plan,
            Cause::Refused(Refusal::NoMethod(vec![(Method::Direct, Skip::Stream)])),
        )
    };
    let always = Messages {
        reflink: Reflink::Always,
        ..messages()
    };
    let why = io_text(&io::Error::from_raw_os_error(EOPNOTSUPP)); // musl has other messages
    let expected = format!("failed to clone 'b' from 'a': {why}");
    assert_eq!(always.failure(&given), Some(expected));

    let chosen = Messages {
        methods: Some(vec![Method::Clone, Method::Direct]),
        ..messages()
    };
    assert_eq!(
        chosen.failure(&given),
        Some(format!(
            "cannot copy 'a' to 'b': no allowed method works here; \
             clone: {why} (EOPNOTSUPP); direct: source or destination is not a regular file, or is empty"
        ))
    );
    let given = Failure {
        method: Some(Method::Direct),
        ..failure(Operation::Write, Cause::System(Code(ENOENT)))
    };
    assert_eq!(
        chosen.failure(&given).as_deref(),
        Some("error writing 'b' by direct: No such file or directory")
    );
}

#[test]
fn warnings() {
    let src = PathBuf::from("a");
    let twice = |is_dir| Warning::GivenTwice {
        src: src.clone(),
        is_dir,
    };
    let changed = Warning::Changed {
        src: src.clone(),
        size_before: 1,
        size_after: 2,
    };
    let table = [
        (
            twice(false),
            "warning: source file 'a' specified more than once",
        ),
        (
            twice(true),
            "warning: source directory 'a' specified more than once",
        ),
        (
            changed,
            "warning: 'a' changed while it was copied: from 1 bytes to 2",
        ),
    ];
    for (warning, expected) in table {
        assert_eq!(messages().warning(&warning), expected);
    }
}

#[test]
fn questions() {
    let ask = |unwritable_mode, removes| {
        let unwritable = Option::<u32>::map(unwritable_mode, |mode| (mode, removes));
        messages().question("./cp", Path::new("b"), unwritable)
    };
    assert_eq!(ask(None, false), "./cp: overwrite 'b'? ");
    assert_eq!(ask(None, true), "./cp: overwrite 'b'? ");
    assert_eq!(
        ask(Some(0o444), true),
        "./cp: replace 'b', overriding mode 0444 (r--r--r--)? "
    );
    assert_eq!(
        ask(Some(0o444), false),
        "./cp: unwritable 'b' (mode 0444, r--r--r--); try anyway? "
    );
}

#[test]
fn permissions_are_written_as_ls_does() {
    assert_eq!(permission_letters(0o7777), "rwsrwsrwt");
    assert_eq!(permission_letters(0o7666), "rwSrwSrwT");
    assert_eq!(permission_letters(0o0751), "rwxr-x--x");
}

#[test]
fn the_debug_line_tells_what_ran() {
    let refused = |method| attempt(method, 0, Ended::Next(Code(EOPNOTSUPP)));
    let line = |messages: &Messages, ran: &[Attempt]| messages.debug(ran);
    let auto = messages();
    let table = [
        (
            vec![],
            "copy offload: unknown, reflink: unknown, sparse detection: no",
        ),
        (
            vec![attempt(Method::Clone, 9, Ended::Done)],
            "copy offload: unknown, reflink: yes, sparse detection: unknown",
        ),
        (
            vec![
                refused(Method::Clone),
                attempt(Method::CopyRange, 9, Ended::Done),
            ],
            "copy offload: yes, reflink: unsupported, sparse detection: no",
        ),
        (
            vec![
                refused(Method::CopyRange),
                attempt(Method::ReadWrite, 9, Ended::Done),
            ],
            "copy offload: unsupported, reflink: unknown, sparse detection: no",
        ),
    ];
    for (ran, expected) in table {
        assert_eq!(line(&auto, &ran), expected);
    }
    let never = Messages {
        reflink: Reflink::Never,
        sparse: Sparse::Always,
        ..messages()
    };
    let holes = Attempt::new(Method::ReadWrite, Ended::Done, 9, 4096);
    assert_eq!(
        line(&never, &[holes]),
        "copy offload: avoided, reflink: no, sparse detection: SEEK_HOLE + zeros"
    );
}
