//! The differences between two snapshots, one readable line each.

use super::plan::Time;
use super::snapshot::{Entry, Snapshot, Stamp};

/// How many bytes of holes two copies of one file may differ by, and how many more for each piece of data.
///
/// A filesystem allocates more than was written (a btrfs extent, an XFS preallocation, a folio of the
/// page cache), and GNU cp looks for zeros in buffers whose size depends on the filesystem.
const HOLE_TOLERANCE: (u64, u64) = (64 << 10, 32 << 10);

/// Compares two trees and describes each difference; `now` is the second in which the runs took place.
pub(crate) fn differences(gnu: &Snapshot, ours: &Snapshot, now: i64) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, entry) in &gnu.entries {
        let name = path.escape_ascii();
        match ours.entries.get(path) {
            None => lines.push(format!("{name}: missing; GNU cp has a {}", kind(entry))),
            Some(other) => {
                let found = entry_differences(entry, other, now);
                lines.extend(found.into_iter().map(|line| format!("{name}: {line}")));
            }
        }
    }
    for (path, entry) in &ours.entries {
        if !gnu.entries.contains_key(path) {
            lines.push(format!(
                "{}: a {} that GNU cp does not have",
                path.escape_ascii(),
                kind(entry)
            ));
        }
    }
    lines
}

fn kind(entry: &Entry) -> String {
    format!("{:?}", entry.kind)
}

/// Compares two entries; the first is GNU's.
pub(crate) fn entry_differences(gnu: &Entry, ours: &Entry, now: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut differ = |what: &str, gnu: String, ours: String| {
        if gnu != ours {
            lines.push(format!("{what}: GNU {gnu}, ours {ours}"));
        }
    };
    differ("type", kind(gnu), kind(ours));
    differ(
        "mode",
        format!("{:04o}", gnu.mode),
        format!("{:04o}", ours.mode),
    );
    differ(
        "owner",
        format!("{:?}", gnu.owner),
        format!("{:?}", ours.owner),
    );
    differ("size", gnu.size.to_string(), ours.size.to_string());
    differ(
        "device",
        format!("{:?}", gnu.device),
        format!("{:?}", ours.device),
    );
    differ("target", escape(&gnu.target), escape(&ours.target));
    differ("hard links", links(gnu), links(ours));
    differ(
        "content hash",
        format!("{:x}", gnu.content),
        format!("{:x}", ours.content),
    );
    differ("mtime", stamp(gnu.modified), stamp(ours.modified));
    if !may_differ_in_atime(gnu, ours, now) {
        differ("atime", stamp(gnu.accessed), stamp(ours.accessed));
    }
    let mut names: Vec<&Vec<u8>> = gnu.xattrs.keys().chain(ours.xattrs.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let value = |entry: &Entry| {
            entry
                .xattrs
                .get(name)
                .map_or("none".into(), |value| escape(value))
        };
        differ(
            &format!("xattr {}", name.escape_ascii()),
            value(gnu),
            value(ours),
        );
    }
    let tolerance = HOLE_TOLERANCE.0 + HOLE_TOLERANCE.1 * gnu.pieces.max(ours.pieces);
    // More holes than GNU cp keeps are no fault (it looks for zeros in larger pieces, and XFS fills some
    // of its holes by preallocation), but where it has none there are to be none.
    let fewer = gnu.hole_bytes > ours.hole_bytes + tolerance;
    let unwanted = gnu.hole_bytes == 0 && ours.hole_bytes > tolerance;
    if (fewer || unwanted) && gnu.content == ours.content {
        differ(
            "hole bytes",
            gnu.hole_bytes.to_string(),
            ours.hole_bytes.to_string(),
        );
    }
    lines
}

/// Reading a file gives it a new access time where its last one is old (relatime), and two copiers may read
/// it a different number of times: by clone or not, O_NOATIME or not. A time that relatime keeps must match.
fn may_differ_in_atime(gnu: &Entry, ours: &Entry, now: i64) -> bool {
    let is_kept = |stamp: Stamp, modified: Stamp| match (stamp, modified) {
        (Stamp::At(accessed), Stamp::At(changed)) => accessed.sec > now && accessed > changed,
        (Stamp::At(accessed), Stamp::Fresh) => accessed.sec > now,
        (Stamp::Fresh, _) => false,
    };
    match (gnu.accessed, ours.accessed) {
        (Stamp::Fresh, Stamp::At(_)) => !is_kept(ours.accessed, ours.modified),
        (Stamp::At(_), Stamp::Fresh) => !is_kept(gnu.accessed, gnu.modified),
        _ => false,
    }
}

fn stamp(stamp: Stamp) -> String {
    match stamp {
        Stamp::Fresh => "during the run".into(),
        Stamp::At(Time { sec, nsec }) => format!("{sec}.{nsec:09}"),
    }
}

fn links(entry: &Entry) -> String {
    match &entry.links {
        None => "one name".into(),
        Some((count, first)) => format!("{count} names, the first {}", escape(first)),
    }
}

fn escape(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}
