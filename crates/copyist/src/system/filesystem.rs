//! The filesystem type of a name or an open file.

use super::parent::parent_dir;
use super::{At, Open, Platform};
use crate::words::facts::FsKind;

/// The type of the volume with this number, which has the name or the file that the name leads to.
pub(crate) fn kind_at<P: Platform>(platform: &P, at: At<'_, P>, volume: u64) -> FsKind {
    let kind = |handle: &P::Handle| {
        let found = platform.volume(handle).ok()?;
        (found.id == volume).then_some(found.kind)
    };
    // A path may lead to another volume than that of the directory where its lookup starts.
    let opened = |at| {
        let place = platform.open(at, Open::Path { follow: true }).ok()?;
        let kind = kind(&place);
        platform.close_quietly(place);
        kind
    };
    kind(at.dir)
        .or_else(|| opened(at))
        .or_else(|| opened(parent_dir(at)))
        .unwrap_or(FsKind::Other)
}

/// The type of the volume that has the name's directory.
pub(crate) fn kind_of_parent<P: Platform>(platform: &P, at: At<'_, P>) -> FsKind {
    let kind = platform
        .open(parent_dir(at), Open::Path { follow: true })
        .and_then(|place| {
            let volume = platform.volume(&place);
            platform.close_quietly(place);
            volume
        });
    kind.map_or(FsKind::Other, |volume| volume.kind)
}

/// Whether `holds` is true for the filesystem of an open file; `false` if its type can't be queried.
pub(crate) fn is_on<P: Platform>(
    platform: &P,
    file: &P::Handle,
    holds: fn(FsKind) -> bool,
) -> bool {
    let volume = platform.volume(file);
    volume.is_ok_and(|volume| holds(volume.kind))
}
