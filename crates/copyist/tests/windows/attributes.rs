//! What is kept besides the content.

use std::fs::{self, File, OpenOptions};
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use copyist::options::Sparse;
use copyist::{Copier, Method};
use copyist_sys::windows::{self as sys, constants as c};

use super::{Place, archive, attributes, beyond_wine, by, content, set_attributes, to_set};

#[test]
fn times_are_kept_to_100_ns() {
    let place = Place::new();
    let src = place.file("src", 100);
    let times = sys::BasicTimes {
        created: 132_000_000_000_000_001,
        accessed: 132_100_000_000_000_003,
        written: 132_200_000_000_000_007,
    };
    for method in [Method::SystemCopy, Method::ReadWrite] {
        // The copy before has read it.
        sys::set_times(to_set(&src), times).expect("times");
        let dst = place.path(method.name());
        archive()
            .methods([method])
            .copy(&src, &dst)
            .expect("a copy");
        let now = fs::metadata(&dst).expect("metadata");
        assert_eq!(now.last_write_time(), 132_200_000_000_000_007);
        assert_eq!(now.last_access_time(), 132_100_000_000_000_003);
        if !sys::is_wine() {
            assert_eq!(now.creation_time(), 132_000_000_000_000_001);
        }
    }
    beyond_wine("times_are_kept_to_100_ns", "it keeps no time of creation");
}

#[test]
fn attributes_are_kept() {
    let place = Place::new();
    let src = place.file("src", 100);
    let wanted = c::FILE_ATTRIBUTE_HIDDEN | c::FILE_ATTRIBUTE_READONLY;
    set_attributes(&src, wanted);
    let mask = wanted | c::FILE_ATTRIBUTE_SYSTEM | c::FILE_ATTRIBUTE_ARCHIVE;
    let hides = attributes(&src) & c::FILE_ATTRIBUTE_HIDDEN != 0;
    for method in [Method::SystemCopy, Method::ReadWrite] {
        for (name, copier) in [("plain", Copier::new()), ("archive", archive())] {
            let dst = place.path(&format!("{name}-{method}"));
            copier.methods([method]).copy(&src, &dst).expect("a copy");
            let now = attributes(&dst) & mask;
            assert_ne!(now & c::FILE_ATTRIBUTE_READONLY, 0, "{name} {method}");
            if hides {
                assert_ne!(now & c::FILE_ATTRIBUTE_HIDDEN, 0, "{name} {method}");
            }
            set_attributes(&dst, c::FILE_ATTRIBUTE_NORMAL);
        }
    }
    set_attributes(&src, c::FILE_ATTRIBUTE_NORMAL);
    assert!(hides || sys::is_wine());
}

#[test]
fn streams_are_kept() {
    if beyond_wine("streams_are_kept", "it doesn't list streams") {
        return;
    }
    let place = Place::new();
    for size in [100, 300_000] {
        let src = place.file("src", size);
        fs::write(
            place.path("src:Zone.Identifier"),
            b"[ZoneTransfer]\r\nZoneId=3\r\n",
        )
        .expect("a stream");
        fs::write(place.path("src:large"), content(200_000)).expect("a stream");
        for method in [Method::SystemCopy, Method::ReadWrite] {
            let name = format!("{method}-{size}");
            by(method).copy(&src, place.path(&name)).expect("a copy");
            let stream = |stream: &str| fs::read(place.path(&format!("{name}:{stream}")));
            assert_eq!(stream("Zone.Identifier").expect("kept").len(), 26);
            assert!(stream("large").expect("kept") == content(200_000));
        }
    }
}

#[test]
fn lists_and_owners_are_kept_if_asked_for() {
    let place = Place::new();
    let src = place.file("src", 100);
    let read = |path: &Path, part| {
        let rights = c::READ_CONTROL | c::FILE_READ_ATTRIBUTES;
        let file = OpenOptions::new()
            .access_mode(rights)
            .open(path)
            .expect("opened");
        let mut value = Vec::new();
        sys::security(&file, part, &mut value).expect("a descriptor");
        value
    };
    let dst = place.path("dst");
    archive().copy(&src, &dst).expect("a copy");
    for part in [sys::Security::AccessList, sys::Security::Owner] {
        assert_eq!(read(&src, part), read(&dst, part), "{part:?}");
    }
}

#[test]
fn holes_are_kept() {
    if beyond_wine("holes_are_kept", "it has no sparse files") {
        return;
    }
    let place = Place::new();
    let src = place.path("src");
    fs::write(&src, b"start").expect("a file");
    let file = to_set(&src);
    sys::set_sparse(&file, true).expect("sparse");
    file.set_len(32 << 20).expect("a length");
    drop(file);
    let data = |path: &Path| {
        let file = File::open(path).expect("opened");
        let first = sys::allocated_ranges(&file, 0, 32 << 20)
            .expect("ranges")
            .expect("data");
        first.offset + first.len
    };
    for method in [Method::SystemCopy, Method::ReadWrite] {
        let dst = place.path(method.name());
        // An older Windows has no way to copy holes by its own copier.
        let copied = by(method).copy(&src, &dst);
        if copied.is_err() && method == Method::SystemCopy && sys::version().1 < 22_621 {
            continue;
        }
        copied.expect("a copy");
        assert_ne!(attributes(&dst) & c::FILE_ATTRIBUTE_SPARSE_FILE, 0);
        assert!(data(&dst) < 1 << 20, "{method}: {}", data(&dst));
    }
    let dst = place.path("filled");
    Copier::new()
        .sparse(Sparse::Never)
        .copy(&src, &dst)
        .expect("a copy");
    assert_eq!(data(&dst), 32 << 20);
}
