//! The first calls of a transfer, if they were made before it was planned.

use crate::system::{Move, Sys};

/// The calls that were made, with their results.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Started {
    #[default]
    Nothing,
    /// This call that moves data.
    Moved(Move, Sys<u64>),
    /// A read into the plain buffer, with nothing to be written.
    Read(Sys<usize>),
    /// A read into the plain buffer, and a write of that data.
    Written { read: usize, written: Sys<usize> },
}

impl Started {
    /// Whether these calls have copied a whole file of this size, and shown that it has no more data.
    pub(crate) fn makes(self, size: u64) -> bool {
        match self {
            Started::Moved(_, moved) => moved == Ok(size),
            Started::Written { read, written } => written == Ok(read) && read as u64 == size,
            Started::Nothing | Started::Read(_) => false,
        }
    }

    /// The result of this call if it was made; it is returned once.
    pub(super) fn take_moved(&mut self, how: Move) -> Option<Sys<u64>> {
        match *self {
            Started::Moved(made, moved) if made == how => {
                *self = Started::Nothing;
                Some(moved)
            }
            _ => None,
        }
    }

    /// The result of the read, once.
    pub(super) fn take_read(&mut self) -> Option<Sys<usize>> {
        match *self {
            Started::Read(read) => {
                *self = Started::Nothing;
                Some(read)
            }
            Started::Written { read, .. } => Some(Ok(read)),
            Started::Nothing | Started::Moved(..) => None,
        }
    }

    /// The result of the write, once.
    pub(super) fn take_written(&mut self) -> Option<Sys<usize>> {
        let &mut Started::Written { written, .. } = self else {
            return None;
        };
        *self = Started::Nothing;
        Some(written)
    }
}
