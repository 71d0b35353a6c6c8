//! The table of dispositions: typical rows, and what holds for every row.

use super::*;
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

const FILE: Disposition = Disposition::WriteInto(Existing::File);

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

#[test]
fn typical_rows() {
    use Disposition::{Create, Enter, Refuse, Replace as By, Skip as Leave, WriteInto};
    use FileKind::{Directory, Fifo, Regular, Symlink};
    let file = |stat| (Looked::Found(stat), Looked::Nothing);
    let to_other = leads(LINK, Looked::Found(OTHER));
    let twin = Stat { links: 2, ..SOURCE };
    let old = file(older(OTHER));
    let plain = policy();
    type Row = (
        &'static str,
        FileKind,
        (Looked, Looked),
        fn(&mut Policy),
        Disposition,
    );
    let into = || WriteInto(Existing::File);
    let rows: Vec<Row> = vec![
        (
            "",
            Regular,
            (Looked::Nothing, Looked::Nothing),
            |_| {},
            Create,
        ),
        ("", Regular, file(OTHER), |_| {}, into()),
        (
            "",
            Regular,
            to_other,
            |_| {},
            WriteInto(Existing::LinkToFile(OTHER.id)),
        ),
        ("", Regular, leads(LINK, Looked::Nothing), |_| {}, Create),
        (
            "",
            Regular,
            file(stat(Fifo, 30)),
            |_| {},
            WriteInto(Existing::Stream { follow: false }),
        ),
        (
            "",
            Regular,
            file(stat(Directory, 30)),
            |_| {},
            Refuse(Refusal::FileOverDirectory),
        ),
        ("", Regular, file(SOURCE), |_| {}, Refuse(Refusal::SameFile)),
        (
            "hard link",
            Regular,
            file(twin),
            |_| {},
            Refuse(Refusal::SameFile),
        ),
        (
            "hard link --remove-destination",
            Regular,
            file(twin),
            |it| it.force = Force::RemoveFirst,
            By(Replace::Remove),
        ),
        (
            "-l hard link",
            Regular,
            file(twin),
            |it| it.make = Make::HardLink,
            Leave(Skip::AlreadyThere),
        ),
        (
            "link to it",
            Regular,
            leads(LINK, Looked::Found(SOURCE)),
            |_| {},
            Refuse(Refusal::SameFile),
        ),
        (
            "link to it -b",
            Regular,
            leads(LINK, Looked::Found(SOURCE)),
            |it| it.backup = Backup::Simple,
            By(Replace::MoveToBackup),
        ),
        (
            "-f loop",
            Regular,
            leads(LINK, Looked::Loop(OS_CODE)),
            |it| it.force = Force::IfNeeded,
            into(),
        ),
        (
            "loop",
            Regular,
            leads(LINK, Looked::Loop(OS_CODE)),
            |_| {},
            Disposition::Fail(Operation::StatDestination, OS_CODE),
        ),
        (
            "-u newer",
            Regular,
            file(OTHER),
            |it| it.update = Update::Older,
            Leave(Skip::NotOlder),
        ),
        (
            "-u older",
            Regular,
            old,
            |it| it.update = Update::Older,
            into(),
        ),
        (
            "-n",
            Regular,
            old,
            |it| it.update = Update::None,
            Leave(Skip::Exists),
        ),
        (
            "-n itself",
            Regular,
            file(SOURCE),
            |it| it.update = Update::None,
            Leave(Skip::Exists),
        ),
        (
            "none-fail",
            Regular,
            old,
            |it| it.update = Update::NoneFail,
            Refuse(Refusal::NotReplacing),
        ),
        (
            "-b",
            Regular,
            old,
            |it| it.backup = Backup::Simple,
            By(Replace::MoveToBackup),
        ),
        (
            "-b link",
            Regular,
            to_other,
            |it| it.backup = Backup::Simple,
            By(Replace::MoveToBackup),
        ),
        (
            "-b --atomic",
            Regular,
            old,
            |it| (it.backup, it.is_atomic) = (Backup::Simple, true),
            By(Replace::LinkToBackup),
        ),
        (
            "--remove-destination",
            Regular,
            to_other,
            |it| it.force = Force::RemoveFirst,
            By(Replace::Remove),
        ),
        (
            "the same, --atomic",
            Regular,
            old,
            |it| (it.force, it.is_atomic) = (Force::RemoveFirst, true),
            By(Replace::Atomically),
        ),
        ("-s", Regular, old, |it| it.make = Make::Symlink, into()),
        (
            "-sf",
            Regular,
            old,
            |it| (it.make, it.force) = (Make::Symlink, Force::IfNeeded),
            By(Replace::ByLink),
        ),
        (
            "-d link over file",
            Symlink,
            old,
            |_| {},
            By(Replace::Remove),
        ),
        (
            "-R FIFO over file",
            Fifo,
            old,
            |it| it.recursive = true,
            By(Replace::Remove),
        ),
        (
            "-r dir over dir",
            Directory,
            file(stat(Directory, 30)),
            |_| {},
            Enter { follow: false },
        ),
        (
            "-r dir over file",
            Directory,
            old,
            |_| {},
            Refuse(Refusal::DirectoryOverFile),
        ),
        (
            "-rb dir over file",
            Directory,
            old,
            |it| it.backup = Backup::Simple,
            By(Replace::MoveToBackup),
        ),
        (
            "-r dir over link to dir",
            Directory,
            leads(LINK, Looked::Found(stat(Directory, 30))),
            |_| {},
            Refuse(Refusal::DirectoryOverFile),
        ),
        (
            "the same, --keep-directory-symlink",
            Directory,
            leads(LINK, Looked::Found(stat(Directory, 30))),
            |it| it.keep_directory_symlink = true,
            Enter { follow: true },
        ),
    ];
    for (name, kind, (dst, behind), change, expected) in rows {
        let mut policy = plain;
        change(&mut policy);
        let src = Stat { kind, ..SOURCE };
        let same_entry = matches!(dst, Looked::Found(dst) if dst == SOURCE);
        let world = World {
            src,
            src_link: src,
            dst,
            behind,
            same_entry,
            ..PLAIN
        };
        assert_eq!(play(&world, &policy).0, expected, "{name} {world:?}");
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

/// All situations: what the source is, what has the destination's name, and how the two relate.
fn worlds() -> Vec<World> {
    use FileKind::{CharDevice, Directory, Fifo, Regular, Symlink};
    let mut worlds = Vec::new();
    for kind in [Regular, Directory, Symlink, Fifo, CharDevice] {
        for follows in [false, true] {
            if follows && kind == Symlink {
                continue; // what is followed is no link
            }
            let src = Stat { kind, ..SOURCE };
            for src_link in [src, stat(Symlink, 11)] {
                if src_link != src && !follows {
                    continue;
                }
                let base = World {
                    src,
                    src_link,
                    follows,
                    ..PLAIN
                };
                for (dst, behind, same_entry) in destinations(&base) {
                    worlds.push(World {
                        dst,
                        behind,
                        same_entry,
                        ..base
                    });
                }
            }
        }
    }
    let with = |change: fn(&mut World)| {
        move |world: &World| {
            let mut world = *world;
            change(&mut world);
            world
        }
    };
    let found: Vec<World> = worlds
        .iter()
        .map(with(|it| it.role = Role::Found))
        .collect();
    worlds.extend(found);
    let changes: [fn(&mut World); 6] = [
        |it| it.was_made = true,
        |it| it.answer = false,
        |it| it.is_privileged = true,
        |it| it.is_foreign_open_file = true,
        |it| it.backup_is_source = true,
        |it| it.src_end = Some(OTHER),
    ];
    let all: Vec<World> = changes
        .into_iter()
        .flat_map(|change| worlds.iter().map(with(change)).collect::<Vec<_>>())
        .collect();
    worlds.extend(all);
    worlds
}

/// What can have the destination's name, and what is behind it; last, whether it is the source's name.
fn destinations(world: &World) -> Vec<(Looked, Looked, bool)> {
    use FileKind::{BlockDevice, Directory, Fifo};
    let name = world.src_link;
    let twice = |stat| Stat { links: 2, ..stat };
    let mine = Stat { uid: 1, ..LINK };
    let nothing = Looked::Nothing;
    let mut found = vec![(nothing, nothing, false)];
    let singles = [
        (OTHER, false),
        (older(OTHER), false),
        (twice(older(OTHER)), false),
        (stat(Directory, 30), false),
        (stat(Fifo, 30), false),
        (stat(BlockDevice, 30), false),
        (name, true),
        (twice(name), false),
        // A symbolic link that is followed leads to it.
        (world.src, world.src == name),
    ];
    for (dst, is_name) in singles {
        let behind = match dst.kind {
            FileKind::Symlink => Looked::Found(world.src),
            _ => nothing,
        };
        found.push((Looked::Found(dst), behind, is_name));
    }
    let behind = [
        Looked::Found(OTHER),
        Looked::Found(older(OTHER)),
        Looked::Found(stat(Directory, 30)),
        Looked::Found(stat(Fifo, 30)),
        Looked::Found(world.src),
        Looked::Found(twice(world.src)),
        nothing,
        Looked::Loop(OS_CODE),
    ];
    for link in [LINK, mine] {
        found.extend(behind.map(|behind| (Looked::Found(link), behind, false)));
    }
    found
}

/// All options that bear on it: the first ones in every combination, and with each of these the others one by one.
fn policies() -> Vec<Policy> {
    let mut policies = Vec::new();
    let others: [fn(&mut Policy); 8] = [
        |_| {},
        |it| it.is_atomic = true,
        |it| it.recursive = true,
        |it| (it.recursive, it.copy_contents) = (true, true),
        |it| it.attributes_only = true,
        |it| it.keeps_links = true,
        |it| it.keep_directory_symlink = true,
        |it| it.write_through_dangling = true,
    ];
    for make in [Make::Copy, Make::HardLink, Make::Symlink] {
        for update in [Update::All, Update::Older, Update::None, Update::NoneFail] {
            for force in [Force::No, Force::IfNeeded, Force::RemoveFirst] {
                for backup in [Backup::None, Backup::Simple, Backup::Numbered] {
                    for interactive in [false, true] {
                        for other in others {
                            let mut policy = Policy {
                                make,
                                update,
                                force,
                                backup,
                                interactive,
                                ..policy()
                            };
                            other(&mut policy);
                            policies.push(policy);
                        }
                    }
                }
            }
        }
    }
    policies
}

/// Each of these is a sentence about cp, none about how it is decided.
fn check(world: &World, policy: &Policy, disposition: &Disposition, needs: &[Need]) {
    let why = || format!("{disposition:?} for {world:?} with {policy:?}");
    let is_dir = world.src.kind == FileKind::Directory;
    let is = |stat: Looked, kind| matches!(stat, Looked::Found(stat) if stat.kind == kind);
    let dst_is_link = is(world.dst, FileKind::Symlink);
    let end = if dst_is_link { world.behind } else { world.dst };
    let is_src = |stat: Looked| matches!(stat, Looked::Found(stat) if stat.id == world.src.id);
    let is_src_name =
        |stat: Looked| matches!(stat, Looked::Found(stat) if stat.id == world.src_link.id);
    let has_two = matches!(world.dst, Looked::Found(stat) if stat.links > 1);
    let asked = needs.iter().any(|it| matches!(it, Need::Answer { .. }));
    assert!(!asked || policy.interactive, "a question: {}", why());
    let never = matches!(policy.update, Update::None | Update::NoneFail);
    let changes = match disposition {
        Disposition::WriteInto(existing) => {
            let target = match existing {
                Existing::LinkToFile(_) | Existing::Stream { follow: true } => world.behind,
                _ => world.dst,
            };
            assert!(!is_src(target), "written into itself: {}", why());
            let is_loop = matches!(world.behind, Looked::Loop(_));
            let through = target == world.behind || is_loop;
            let reads = match world.src.kind {
                FileKind::Regular => true,
                FileKind::Symlink => false,
                _ => !policy.recursive || policy.copy_contents,
            };
            let is_written = reads && policy.make == Make::Copy;
            assert!(!is_written || !dst_is_link || through, "{}", why());
            true
        }
        Disposition::Replace(how) => {
            let keeps = matches!(how, Replace::MoveToBackup | Replace::LinkToBackup);
            assert_eq!(keeps, policy.backup != Backup::None, "a backup: {}", why());
            assert!(
                !is(world.dst, FileKind::Directory),
                "a directory: {}",
                why()
            );
            // A symbolic link that is followed onto itself is lost, as with GNU cp; what it leads to stays.
            let is_lost = world.src_link != world.src;
            let is_last = world.same_entry || is_src_name(world.dst) && !has_two;
            let is_link_like_it = dst_is_link && !world.same_entry;
            assert!(
                is_lost || !is_last || is_link_like_it,
                "its last name: {}",
                why()
            );
            // A source that is a symbolic link is what it leads to.
            assert!(
                !is_src(world.dst) || dst_is_link || has_two,
                "the source: {}",
                why()
            );
            let is_made_again = !policy.attributes_only
                && (!world.follows && world.src.kind != FileKind::Regular
                    || policy.keeps_links && matches!(end, Looked::Found(stat) if stat.links > 1)
                    || policy.keeps_links && has_two);
            let is_forced = policy.force == Force::RemoveFirst
                || policy.make != Make::Copy && policy.force != Force::No
                // The user was asked.
                || policy.make == Make::HardLink && policy.interactive;
            assert!(
                keeps || is_forced || is_made_again,
                "without force: {}",
                why()
            );
            true
        }
        Disposition::Create => {
            assert!(end == Looked::Nothing, "there is something: {}", why());
            false
        }
        Disposition::Enter { follow } => {
            let dir = if *follow { end } else { world.dst };
            assert!(is_dir && is(dir, FileKind::Directory), "{}", why());
            false
        }
        Disposition::Skip(skip) => {
            let holds = match skip {
                Skip::Exists => policy.update == Update::None,
                Skip::NotOlder => policy.update == Update::Older,
                Skip::AlreadyThere => policy.make == Make::HardLink || dst_is_link,
                Skip::GivenTwice | Skip::Finished => false,
            };
            assert!(holds, "{}", why());
            false
        }
        Disposition::Fail(..) => {
            assert!(world.behind == Looked::Loop(OS_CODE), "{}", why());
            false
        }
        Disposition::Refuse(refusal) => {
            check_refusal(world, policy, refusal, end);
            false
        }
    };
    // Of a link that leads to itself nothing is known: it can't be opened, and is removed by -f.
    let is_loop = matches!(end, Looked::Loop(_)) && *disposition == FILE;
    if changes && !is_dir && !is_loop {
        assert!(!never, "no-clobber: {}", why());
        let seen = match policy {
            _ if !dst_is_link => world.dst,
            // Which of the two is replaced?
            _ if needs.iter().any(|it| matches!(it, Need::LinkWasMade(_))) => world.behind,
            _ => world.dst,
        };
        if let Looked::Found(dst) = seen
            && policy.update == Update::Older
        {
            assert!(dst.modified < world.src.modified, "newer: {}", why());
        }
        let is_in_the_way = is(end, FileKind::Directory);
        assert!(
            !policy.interactive || asked && world.answer,
            "unasked: {}",
            why()
        );
        let told = needs.contains(&Need::Tell);
        assert!(told || is_in_the_way, "untold: {}", why());
    }
}

fn check_refusal(world: &World, policy: &Policy, refusal: &Refusal, end: Looked) {
    let why = || format!("{refusal:?} for {world:?} with {policy:?}");
    let is_dir = world.src.kind == FileKind::Directory;
    let is = |stat: Looked, kind| matches!(stat, Looked::Found(stat) if stat.kind == kind);
    let ids = [world.src.id, world.src_link.id, OTHER.id];
    let is_any = |stat: Looked| matches!(stat, Looked::Found(stat) if ids.contains(&stat.id));
    let holds = match refusal {
        Refusal::SameFile => is_any(end) || is_any(world.dst),
        Refusal::FileOverDirectory => !is_dir && is(end, FileKind::Directory),
        Refusal::DirectoryOverFile => {
            is_dir && !is(world.dst, FileKind::Directory) && policy.backup == Backup::None
        }
        Refusal::JustCreated => world.was_made,
        Refusal::ThroughJustCreatedSymlink => world.was_made && is(world.dst, FileKind::Symlink),
        Refusal::ForeignSymlink => world.is_privileged && world.role == Role::Found,
        Refusal::NotRegularFile => world.role == Role::Found && !is(end, FileKind::Regular),
        Refusal::BackupDestroysSource => world.backup_is_source && policy.backup == Backup::Simple,
        Refusal::NotReplacing => policy.update == Update::NoneFail,
        Refusal::Declined => policy.interactive && !world.answer,
        _ => false,
    };
    assert!(holds, "{}", why());
}

#[test]
fn every_row_keeps_what_cp_promises() {
    let (worlds, policies) = (worlds(), policies());
    let mut rows = 0;
    for (n, world) in worlds.iter().enumerate() {
        // Each of a dozen neighbours takes its turn, so that a run is short.
        let policies = policies.iter().skip(n % STEP).step_by(STEP);
        for policy in policies {
            let (disposition, needs) = play(world, policy);
            check(world, policy, &disposition, &needs);
            rows += 1;
        }
    }
    assert!(rows >= 100_000, "{rows}");
    println!("{rows} rows");
}

/// All rows, with optimisation, else every fifth.
const STEP: usize = if cfg!(debug_assertions) { 5 } else { 1 };
