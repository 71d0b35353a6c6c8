//! The filesystem that a name or an open file is on.

use super::parent::parent_dir;
use super::{At, Open, Platform};
use crate::words::facts::FsKind;

/// The kind of the volume with this number, on which the name is, or which it leads to.
pub(crate) fn kind_at<P: Platform>(platform: &P, at: At<'_, P>, volume: u64) -> FsKind {
    let kind = |handle: &P::Handle| {
        let found = platform.volume(handle).ok()?;
        (found.id == volume).then_some(found.kind)
    };
    // What is named by a path need not be on the volume of the directory that the path begins in.
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

/// The kind of the volume on which a name is, or would be.
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

/// Whether this holds for the filesystem of an open file; not if that can't be asked.
pub(crate) fn is_on<P: Platform>(
    platform: &P,
    file: &P::Handle,
    holds: fn(FsKind) -> bool,
) -> bool {
    let volume = platform.volume(file);
    volume.is_ok_and(|volume| holds(volume.kind))
}
