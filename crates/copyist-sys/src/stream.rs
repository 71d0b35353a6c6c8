//! The file behind a standard stream, to be compared with the file that a path leads to.

use std::path::Path;

/// A standard stream of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Identifies a file, pipe or socket: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId(u64, u64);

/// The file, pipe or socket behind a stream. `None` if it stores no data (a terminal, `/dev/null`), for a closed
/// stream, and on systems other than Unix.
pub fn id_of_stream(stream: Stream) -> Option<StreamId> {
    #[cfg(unix)]
    return id_of(match stream {
        Stream::Out => rustix::fs::fstat(std::io::stdout()),
        Stream::Err => rustix::fs::fstat(std::io::stderr()),
    });
    #[cfg(not(unix))]
    {
        let _ = stream;
        None
    }
}

/// The same for a path, to be compared with [`id_of_stream`]; symbolic links are followed.
pub fn id_of_path(path: &Path) -> Option<StreamId> {
    #[cfg(unix)]
    return id_of(rustix::fs::stat(path));
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_cast)] // the types differ between systems
fn id_of(stat: rustix::io::Result<rustix::fs::Stat>) -> Option<StreamId> {
    use rustix::fs::FileType;
    let stat = stat.ok()?;
    let keeps_data = matches!(
        FileType::from_raw_mode(stat.st_mode),
        FileType::RegularFile | FileType::Fifo | FileType::Socket | FileType::BlockDevice
    );
    keeps_data.then_some(StreamId(stat.st_dev as u64, stat.st_ino as u64))
}
