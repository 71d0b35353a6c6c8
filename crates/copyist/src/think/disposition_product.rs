//! What holds for every row of the table of dispositions.

use super::*;

const FILE: Disposition = Disposition::WriteInto(Existing::File);

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

/// A row, and what it leads to. Each check is a sentence about cp, none about how it is decided.
#[derive(Debug)]
struct Row<'a> {
    world: &'a World,
    policy: &'a Policy,
    disposition: &'a Disposition,
    needs: &'a [Need],
}

fn is(stat: Looked, kind: FileKind) -> bool {
    matches!(stat, Looked::Found(stat) if stat.kind == kind)
}

fn has_id(stat: Looked, id: FileId) -> bool {
    matches!(stat, Looked::Found(stat) if stat.id == id)
}

fn has_two_names(stat: Looked) -> bool {
    matches!(stat, Looked::Found(stat) if stat.links > 1)
}

impl Row<'_> {
    fn check(&self) {
        let Row { world, policy, .. } = self;
        let asked = self.is_asked();
        assert!(!asked || policy.interactive, "a question: {self:?}");
        let end = self.end();
        match self.disposition {
            Disposition::WriteInto(existing) => {
                self.check_written(*existing);
                self.check_changed();
            }
            Disposition::Replace(how) => {
                self.check_replaced(*how);
                self.check_changed();
            }
            Disposition::Create => {
                assert!(end == Looked::Nothing, "there is something: {self:?}");
            }
            Disposition::Enter { follow } => {
                let dir = if *follow { end } else { world.dst };
                let is_dir = world.src.kind == FileKind::Directory;
                assert!(is_dir && is(dir, FileKind::Directory), "{self:?}");
            }
            Disposition::Skip(skip) => self.check_skipped(*skip),
            Disposition::Fail(..) => {
                assert!(world.behind == Looked::Loop(OS_CODE), "{self:?}");
            }
            Disposition::Refuse(refusal) => check_refusal(world, policy, refusal, end),
        }
    }

    /// What the destination is or leads to.
    fn end(&self) -> Looked {
        match self.is_onto_link() {
            true => self.world.behind,
            false => self.world.dst,
        }
    }

    fn is_onto_link(&self) -> bool {
        is(self.world.dst, FileKind::Symlink)
    }

    fn is_asked(&self) -> bool {
        let mut needs = self.needs.iter();
        needs.any(|it| matches!(it, Need::Answer { .. }))
    }

    fn check_written(&self, existing: Existing) {
        let Row { world, policy, .. } = self;
        let target = match existing {
            Existing::LinkToFile(_) | Existing::Stream { follow: true } => world.behind,
            _ => world.dst,
        };
        let is_source = has_id(target, world.src.id);
        assert!(!is_source, "written into itself: {self:?}");
        let is_loop = matches!(world.behind, Looked::Loop(_));
        let through = target == world.behind || is_loop;
        let reads = match world.src.kind {
            FileKind::Regular => true,
            FileKind::Symlink => false,
            _ => !policy.recursive || policy.copy_contents,
        };
        let is_written = reads && policy.make == Make::Copy;
        assert!(!is_written || !self.is_onto_link() || through, "{self:?}");
    }

    fn check_replaced(&self, how: Replace) {
        let Row { world, policy, .. } = self;
        let (dst, onto_link) = (world.dst, self.is_onto_link());
        let keeps = matches!(how, Replace::MoveToBackup | Replace::LinkToBackup);
        assert_eq!(keeps, policy.backup != Backup::None, "a backup: {self:?}");
        assert!(!is(dst, FileKind::Directory), "a directory: {self:?}");
        // A symbolic link that is followed onto itself is lost, as with GNU cp; what it leads to stays.
        let is_lost = world.src_link != world.src;
        let is_last = world.same_entry || has_id(dst, world.src_link.id) && !has_two_names(dst);
        let is_link_like_it = onto_link && !world.same_entry;
        assert!(
            is_lost || !is_last || is_link_like_it,
            "its last name: {self:?}"
        );
        // A source that is a symbolic link is what it leads to.
        let is_source = has_id(dst, world.src.id) && !onto_link && !has_two_names(dst);
        assert!(!is_source, "the source: {self:?}");
        let has_others = has_two_names(self.end()) || has_two_names(dst);
        let is_made_again = !policy.attributes_only
            && (!world.follows && world.src.kind != FileKind::Regular
                || policy.keeps_links && has_others);
        let is_forced = policy.force == Force::RemoveFirst
            || policy.make != Make::Copy && policy.force != Force::No
            // The user was asked.
            || policy.make == Make::HardLink && policy.interactive;
        assert!(
            keeps || is_forced || is_made_again,
            "without force: {self:?}"
        );
    }

    fn check_skipped(&self, skip: Skip) {
        let policy = self.policy;
        let holds = match skip {
            Skip::Exists => policy.update == Update::None,
            Skip::NotOlder => policy.update == Update::Older,
            Skip::AlreadyThere => policy.make == Make::HardLink || self.is_onto_link(),
            Skip::GivenTwice | Skip::Finished => false,
        };
        assert!(holds, "{self:?}");
    }

    /// A destination that is not left as it is.
    fn check_changed(&self) {
        let Row { world, policy, .. } = self;
        // Of a link that leads to itself nothing is known: it can't be opened, and is removed by -f.
        let is_loop = matches!(self.end(), Looked::Loop(_)) && *self.disposition == FILE;
        if world.src.kind == FileKind::Directory || is_loop {
            return;
        }
        let never = matches!(policy.update, Update::None | Update::NoneFail);
        assert!(!never, "no-clobber: {self:?}");
        let mut needs = self.needs.iter();
        let seen = match needs.any(|it| matches!(it, Need::LinkWasMade(_))) {
            true => self.end(),
            false => world.dst, // the link itself is replaced
        };
        if let (Looked::Found(dst), Update::Older) = (seen, policy.update) {
            assert!(dst.modified < world.src.modified, "newer: {self:?}");
        }
        let is_allowed = self.is_asked() && world.answer;
        assert!(!policy.interactive || is_allowed, "unasked: {self:?}");
        let is_in_the_way = is(self.end(), FileKind::Directory);
        let is_told = self.needs.contains(&Need::Tell);
        assert!(is_told || is_in_the_way, "untold: {self:?}");
    }
}

fn check_refusal(world: &World, policy: &Policy, refusal: &Refusal, end: Looked) {
    let why = || format!("{refusal:?} for {world:?} with {policy:?}");
    let is_dir = world.src.kind == FileKind::Directory;
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
            let row = Row {
                world,
                policy,
                disposition: &disposition,
                needs: &needs,
            };
            row.check();
            rows += 1;
        }
    }
    assert!(rows >= 100_000, "{rows}");
    println!("{rows} rows");
}

/// All rows, with optimisation, else every fifth.
const STEP: usize = if cfg!(debug_assertions) { 5 } else { 1 };
