//! The table of dispositions: typical rows.

use super::*;
use crate::words::options::Options;
use crate::words::stat::Timestamp;

const OS_CODE: Code = Code(17);

/// What there is, and what the system and the user would return.
#[derive(Clone, Copy, Debug)]
struct World {
    src: Stat,
    src_link: Stat,
    /// What a source that is a symbolic link leads to, if it is not followed.
    src_end: Option<Stat>,
    follows: bool,
    role: Role,
    dst: Looked,
    behind: Looked,
    same_entry: bool,
    was_made: bool,
    answer: bool,
    is_privileged: bool,
    is_foreign_open_file: bool,
    backup_is_source: bool,
}

const fn stat(kind: FileKind, inode: u128) -> Stat {
    const THEN: Timestamp = Timestamp {
        seconds: 1_000_000,
        nanos: 0,
    };
    Stat {
        id: FileId { volume: 1, inode },
        kind,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: 1,
        allocated_bytes: 4096,
        links: 1,
        device: 0,
        accessed: THEN,
        modified: THEN,
        changed: THEN,
        created: None,
        flags: None,
    }
}

fn older(stat: Stat) -> Stat {
    let seconds = stat.modified.seconds - 1000;
    Stat {
        modified: Timestamp { seconds, nanos: 0 },
        ..stat
    }
}

fn leads(link: Stat, to: Looked) -> (Looked, Looked) {
    (Looked::Found(link), to)
}

const SOURCE: Stat = stat(FileKind::Regular, 10);
const LINK: Stat = stat(FileKind::Symlink, 20);
const OTHER: Stat = stat(FileKind::Regular, 30);

const PLAIN: World = World {
    src: SOURCE,
    src_link: SOURCE,
    src_end: None,
    follows: false,
    role: Role::Operand,
    dst: Looked::Nothing,
    behind: Looked::Nothing,
    same_entry: false,
    was_made: false,
    answer: true,
    is_privileged: false,
    is_foreign_open_file: false,
    backup_is_source: false,
};

/// The decision, and what was looked up for it.
fn play(world: &World, policy: &Policy) -> (Disposition, Vec<Need>) {
    let mut known = Known::new(world.src, world.follows, world.role);
    known.is_privileged = world.is_privileged;
    let mut needs = Vec::new();
    loop {
        match decide(&known, policy) {
            Ok(disposition) => return (disposition, needs),
            Err(need) => {
                assert!(!needs.contains(&need), "{need:?} twice: {world:?}");
                fill(world, need, &mut known);
                needs.push(need);
            }
        }
    }
}

fn fill(world: &World, need: Need, known: &mut Known) {
    match need {
        Need::Given => known.given = Some(false),
        Need::Finished => known.finished = Some(false),
        Need::SourceLink => known.src_link = Some(world.src_link),
        Need::SourceEnd => known.src_end = Some(world.src_end),
        Need::ReadsOpenFile => known.reads_open_file = Some(false),
        Need::Destination => known.dst = Some(world.dst),
        Need::BehindLink => known.behind = Some(world.behind),
        Need::LeadsToOpenFile => known.leads_to_open_file = Some(world.is_foreign_open_file),
        Need::SameEntry => known.same_entry = Some(world.same_entry),
        Need::LinkWasMade(_) => known.link_was_made = Some(world.was_made),
        Need::DestinationWasMade(_) => known.dst_was_made = Some(world.was_made),
        Need::FsKind { .. } => known.fs = Some(FsKind::Ext),
        Need::TimeUnit { .. } => known.time_unit = Some(None),
        Need::Writable => known.writable = Some(true),
        Need::Answer { .. } => known.answer = Some(world.answer),
        Need::Tell => known.is_told = true,
        Need::KeptNames => known.kept_names = Some(KeptNames::None),
        Need::BackupName => {
            known.backup = Some(BackupName {
                taken: None,
                old: world.backup_is_source.then_some(world.src),
                is_source_name: world.backup_is_source,
            });
        }
        Need::IsAbove => known.walk.is_above = Some(false),
    }
}

fn policy() -> Policy {
    Policy::of(&Options::default())
}

/// Source, destination, options, and what becomes of the destination.
const ROWS: &str = "
file | nothing          |                              | Create
file | file             |                              | WriteInto(File)
file | link to file     |                              | WriteInto(LinkToFile)
file | link to nothing  |                              | Create
file | fifo             |                              | WriteInto(Stream)
file | directory        |                              | Refuse(FileOverDirectory)
file | directory        | -b                           | WriteInto(File)
file | itself           |                              | Refuse(SameFile)
file | hard link        |                              | Refuse(SameFile)
file | hard link        | --remove-destination         | Replace(Remove)
file | hard link        | -b                           | Replace(MoveToBackup)
file | hard link        | -l                           | Skip(AlreadyThere)
file | link to source   |                              | Refuse(SameFile)
file | link to source   | -b                           | Replace(MoveToBackup)
file | link to source   | --remove-destination         | Replace(Remove)
file | link to itself   |                              | Fail(StatDestination)
file | link to itself   | -f                           | WriteInto(File)
file | file             | -u                           | Skip(NotOlder)
file | old file         | -u                           | WriteInto(File)
file | old file         | -n                           | Skip(Exists)
file | itself           | -n                           | Skip(Exists)
file | old file         | none-fail                    | Refuse(NotReplacing)
file | file             | -b                           | Replace(MoveToBackup)
file | link to file     | -b                           | Replace(MoveToBackup)
file | file             | -b --atomic                  | Replace(LinkToBackup)
file | link to file     | --remove-destination         | Replace(Remove)
file | file             | --remove-destination --atomic | Replace(Atomically)
file | file             | -s                           | WriteInto(File)
file | file             | -s -f                        | Replace(ByLink)
file | file             | -l -f                        | Replace(ByLink)
file | file             | -l --remove-destination      | Replace(Remove)
link | file             |                              | Replace(Remove)
link | link to file     |                              | Replace(Remove)
link | itself           |                              | Refuse(SameFile)
link | hard link        |                              | Skip(AlreadyThere)
fifo | file             | -r                           | Replace(Remove)
directory | nothing     | -r                           | Create
directory | directory   | -r                           | Enter
directory | itself      | -r                           | Refuse(SameFile)
directory | file        | -r                           | Refuse(DirectoryOverFile)
directory | file        | -r -b                        | Replace(MoveToBackup)
directory | link to source    | -r                     | Refuse(SameFile)
directory | link to directory | -r                     | Refuse(DirectoryOverFile)
directory | link to directory | -r --keep-directory-symlink | Enter
";

#[test]
fn typical_rows() {
    for row in ROWS.lines().filter(|row| !row.is_empty()) {
        let parts: Vec<_> = row.split('|').map(str::trim).collect();
        let [src, dst, options, expected] = parts[..] else {
            panic!("{row}");
        };
        let mut policy = policy();
        for option in options.split_whitespace() {
            give(&mut policy, option);
        }
        let (found, _) = play(&world(src, dst), &policy);
        assert_eq!(short(&found), expected, "{row}");
    }
}

/// Without the numbers of files and codes.
fn short(disposition: &Disposition) -> String {
    let text = format!("{disposition:?}");
    let words = text.split([' ', '(', ')', ',']).filter(|it| !it.is_empty());
    let words: Vec<_> = words
        .take_while(|it| !["FileId", "{", "Code"].contains(it))
        .collect();
    match words[..] {
        [what] => what.into(),
        [what, of, ..] => format!("{what}({of})"),
        [] => text,
    }
}

fn give(policy: &mut Policy, option: &str) {
    match option {
        "-f" => policy.force = Force::IfNeeded,
        "--remove-destination" => policy.force = Force::RemoveFirst,
        "-b" => policy.backup = Backup::Simple,
        "-u" => policy.update = Update::Older,
        "-n" => policy.update = Update::None,
        "none-fail" => policy.update = Update::NoneFail,
        "-l" => policy.make = Make::HardLink,
        "-s" => policy.make = Make::Symlink,
        "-r" => policy.recursive = true,
        "--atomic" => policy.is_atomic = true,
        "--keep-directory-symlink" => policy.keep_directory_symlink = true,
        other => panic!("{other}"),
    }
}

fn world(src: &str, dst: &str) -> World {
    use FileKind::{Directory, Fifo, Regular, Symlink};
    let kind = |name: &str| match name {
        "link" => Symlink,
        "directory" => Directory,
        "fifo" => Fifo,
        _ => Regular,
    };
    let src = stat(kind(src), 10);
    let there = stat(kind(dst), 30);
    let found = |stat| (Looked::Found(stat), Looked::Nothing);
    let (dst_stat, behind) = match dst {
        "nothing" => (Looked::Nothing, Looked::Nothing),
        "itself" => found(src),
        "hard link" => found(Stat { links: 2, ..src }),
        "old file" => found(older(there)),
        "link to source" => leads(LINK, Looked::Found(src)),
        "link to itself" => leads(LINK, Looked::Loop(OS_CODE)),
        "link to nothing" => leads(LINK, Looked::Nothing),
        "link to file" => leads(LINK, Looked::Found(OTHER)),
        "link to directory" => leads(LINK, Looked::Found(stat(Directory, 30))),
        _ => found(there),
    };
    World {
        src,
        src_link: src,
        dst: dst_stat,
        behind,
        same_entry: dst == "itself",
        ..PLAIN
    }
}

/// As cp has it: the user is asked before it shows that there is nothing to do.
#[test]
fn a_link_that_is_there_is_asked_about() {
    let twin = Stat { links: 2, ..SOURCE };
    let policy = Policy {
        make: Make::HardLink,
        interactive: true,
        ..policy()
    };
    let mut world = World {
        dst: Looked::Found(twin),
        ..PLAIN
    };
    assert_eq!(
        play(&world, &policy).0,
        Disposition::Skip(Skip::AlreadyThere)
    );
    world.answer = false;
    let declined = Disposition::Refuse(Refusal::Declined);
    assert_eq!(play(&world, &policy).0, declined);
}

/// A symbolic link to the very directory is said to be that, before it is said to be none.
#[test]
fn a_link_to_the_directory_itself_is_the_same() {
    let src = stat(FileKind::Directory, 10);
    let (dst, behind) = leads(LINK, Looked::Found(src));
    let world = World {
        src,
        src_link: src,
        dst,
        behind,
        ..PLAIN
    };
    let same = Disposition::Refuse(Refusal::SameFile);
    assert_eq!(play(&world, &policy()).0, same);
}

#[test]
fn nothing_is_looked_up_for_a_new_file_but_its_name() {
    let (disposition, needs) = play(&PLAIN, &policy());
    assert_eq!(disposition, Disposition::Create);
    assert_eq!(needs, [Need::Given, Need::Finished, Need::Destination]);
    let mut known = Known::new(SOURCE, false, Role::Found);
    (known.finished, known.dir_is_empty) = (Some(false), true);
    assert_eq!(decide(&known, &policy()), Ok(Disposition::Create));
}

#[test]
fn a_backup_that_can_have_no_second_name_is_moved() {
    let policy = Policy {
        backup: Backup::Simple,
        is_atomic: true,
        ..policy()
    };
    let mut known = Known::new(SOURCE, false, Role::Found);
    (known.finished, known.is_told) = (Some(false), true);
    known.dst = Some(Looked::Found(OTHER));
    known.dst_was_made = Some(false);
    known.backup = Some(BackupName {
        taken: None,
        old: None,
        is_source_name: false,
    });
    known.kept_names = Some(KeptNames::None);
    let by = |how| Ok(Disposition::Replace(how));
    assert_eq!(decide(&known, &policy), by(Replace::LinkToBackup));
    known.kept_names = Some(KeptNames::All);
    assert_eq!(decide(&known, &policy), by(Replace::MoveToBackup));
    known.kept_names = Some(KeptNames::None);
    known.no_second_name = true;
    assert_eq!(decide(&known, &policy), by(Replace::MoveToBackup));
}

/// A file that is coarser in time than its source is not older.
#[test]
fn times_are_compared_as_the_volume_keeps_them() {
    let policy = Policy {
        update: Update::Older,
        keeps_times: true,
        ..policy()
    };
    let at = |seconds, nanos| Timestamp { seconds, nanos };
    let mut src = SOURCE;
    src.modified = at(1_500_000_000, 123_456_789);
    let mut dst = OTHER;
    (dst.modified, dst.changed) = (at(1_500_000_000, 0), at(1_600_000_000, 5));
    let mut known = Known::new(src, false, Role::Found);
    known.finished = Some(false);
    known.dst = Some(Looked::Found(dst));
    (known.dst_was_made, known.is_told) = (Some(false), true);
    assert_eq!(decide(&known, &policy), Err(Need::FsKind { volume: 1 }));
    known.fs = Some(FsKind::Ext);
    assert_eq!(decide(&known, &policy), Err(Need::TimeUnit { volume: 1 }));
    known.time_unit = Some(None);
    let into = Disposition::WriteInto(Existing::File);
    assert_eq!(decide(&known, &policy), Ok(into));
    known.time_unit = Some(Some(1_000_000_000));
    let skip = Disposition::Skip(Skip::NotOlder);
    assert_eq!(decide(&known, &policy), Ok(skip));
}

#[path = "disposition_product.rs"]
mod product;
