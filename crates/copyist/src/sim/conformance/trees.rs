//! The trees that are copied.

use std::iter::once;

use crate::sim::build::Builder;
use crate::system::Platform;
use crate::words::stat::FileKind;

pub(super) fn files<P: Platform>(builder: &Builder<'_, P>) {
    builder
        .dir("src")
        .file("src/empty", 0)
        .file("src/small", 5000)
        .file("src/large", 300_001)
        .sparse("src/holes", 2_000_000, [0..2, 100..130, 400..401])
        .sparse("src/only a hole", 700_000, [])
        .sparse("src/ends in a hole", 1_000_000, once(3..4));
}

pub(super) fn everything<P: Platform>(builder: &Builder<'_, P>) {
    files(builder);
    builder
        .dir("src/sub")
        .dir("src/sub/closed")
        .hard_link("src/sub/small2", "src/small")
        .symlink("src/link", "small")
        .symlink("src/dangling", "no/where")
        .symlink("src/sub/up", "..")
        .special("src/fifo", FileKind::Fifo, 0)
        .file("src/sub/closed/in", 10)
        .mode("src/sub/closed/in", 0o400)
        .mode("src/small", 0o4751)
        .mode("src/sub", 0o2775)
        .mode("src/sub/closed", 0o500)
        .time("src/sub/closed", 1_500_000_000)
        .time("src/sub", 1_400_000_000);
}

pub(super) fn over<P: Platform>(builder: &Builder<'_, P>) {
    everything(builder);
    builder
        .dir("dst")
        .dir("dst/sub")
        .file("dst/small", 9000)
        .file("dst/large", 10)
        .symlink("dst/link", "large")
        .hard_link("dst/other", "dst/small")
        .mode("dst/small", 0o600)
        .time("dst/small", 1_650_000_000);
}

/// Without hard links: which name of a file comes first decides what a newer one becomes.
pub(super) fn newer<P: Platform>(builder: &Builder<'_, P>) {
    files(builder);
    builder
        .dir("dst")
        .file("dst/small", 9000)
        .file("dst/large", 10)
        .time("dst/small", 1_650_000_000)
        .time("dst/large", 1_550_000_000);
}

pub(super) fn xattrs<P: Platform>(builder: &Builder<'_, P>) {
    builder
        .dir("src")
        .file("src/f", 10)
        .xattr("src/f", "user.one", b"1")
        .xattr("src", "user.two", &[0, 255])
        // More of them, and a longer one, than what is first guessed at.
        .file("src/many", 10)
        .file("src/long", 10)
        .xattr("src/long", "user.long", &[7; 3000]);
    for n in 0..12 {
        let name = format!("user.{}{n}", "n".repeat(100));
        builder.xattr("src/many", &name, b"1");
    }
}

pub(super) fn conflicts<P: Platform>(builder: &Builder<'_, P>) {
    builder
        .dir("src")
        .dir("src/d")
        .file("src/f", 10)
        .symlink("src/l", "f")
        .file("src/g", 5);
    builder
        .dir("dst")
        .file("dst/d", 1)
        .dir("dst/f")
        .dir("dst/l")
        .symlink("dst/g", "none");
}

/// Where files have no holes, other methods serve those that would have some.
pub(super) fn solid<P: Platform>(builder: &Builder<'_, P>) {
    builder
        .dir("src")
        .file("src/empty", 0)
        .file("src/small", 5000)
        .file("src/large", 300_001);
}
