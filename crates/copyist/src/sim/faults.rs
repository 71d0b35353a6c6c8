//! What goes wrong, and when.

use crate::system::{Move, Whole};
use crate::words::code::Code;

/// The calls of the platform, to be counted and to be failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    CurrentDir,
    Stat,
    Open,
    Make,
    ReadLink,
    IsMagicLink,
    RootDir,
    Remove,
    MayWrite,
    Rename,
    RenameNew,
    Name,
    Lock,
    CheckCloseErrors,
    ReadDir,
    StatOpen,
    Volume,
    Read,
    Write,
    Move(Move),
    Whole(Whole),
    Flush,
    Uncache,
    WriteBack,
    FlushDirectory,
    FlushVolume,
    Seek,
    Allocate,
    SetLen,
    DirectOn,
    DirectOff,
    Close,
    SetMode,
    SetOwner,
    SetTimes,
    SetCreated,
    SetFlags,
    Flags,
    XattrNames,
    Xattr,
    SetXattr,
    RemoveXattr,
}

impl Call {
    /// It moves data or confirms it: an error here means that bytes may be missing.
    pub(super) fn is_about_data(self) -> bool {
        matches!(
            self,
            Call::Read
                | Call::Write
                | Call::Move(_)
                | Call::Whole(_)
                | Call::SetLen
                | Call::Allocate
                | Call::Flush
                | Call::WriteBack
                | Call::FlushDirectory
                | Call::FlushVolume
                | Call::CheckCloseErrors
                | Call::Close
        )
    }

    /// It returns how much it moved.
    pub(super) fn moves_data(self) -> bool {
        matches!(self, Call::Read | Call::Write | Call::Move(_))
    }
}

/// What happens at a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It fails.
    Fail(Code),
    /// It succeeds, but handles at most so many bytes.
    AtMost(u64),
    /// It succeeds, but handles half of the request.
    Half,
    /// It returns 0 bytes, and does nothing.
    Nothing,
    /// It fails when it has done a part, and leaves that.
    FailHalfWay(Code),
    /// It panics.
    Panic,
    /// Another process does something first; then the call continues as usual.
    First(Deed),
}

/// An action of another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Adds bytes to the end of a file.
    Grow { path: &'static str, bytes: u64 },
    /// Cuts a file off.
    Shrink { path: &'static str, len: u64 },
    /// Overwrites a file with other bytes of the same length.
    Rewrite { path: &'static str },
    /// Moves what has a name away, and puts a symbolic link there.
    SwapForLink {
        path: &'static str,
        target: &'static str,
    },
    /// Puts a symbolic link where nothing is yet.
    PutLink {
        path: &'static str,
        target: &'static str,
    },
    /// Moves what has a name away, and puts a FIFO there.
    SwapForFifo { path: &'static str },
    /// Moves what has a name away, and puts a file of other bytes there.
    SwapForFile { path: &'static str, bytes: u64 },
    /// Gives each of two files the other's name.
    Exchange {
        path: &'static str,
        with: &'static str,
    },
    /// Takes a name away.
    Remove { path: &'static str },
    /// Ends those who have locked a file, and removes it if they had finished.
    Unlock { path: &'static str, finished: bool },
}

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At the Nth call of all, counted from 0.
    Nth(u64),
    /// At the Nth call, and at each later one of the same kind.
    FromNth(u64),
    /// At the Nth call of a kind.
    NthOf(Call, u64),
    /// At every call that moves data.
    EveryMove,
}

#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) when: When,
    pub(super) effect: Effect,
    /// The kind of call that it began with.
    kind: Option<Call>,
}

impl Fault {
    pub(super) fn new(when: When, effect: Effect) -> Fault {
        Fault {
            when,
            effect,
            kind: None,
        }
    }
}

/// A call that was made.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) call: Call,
    /// What was done to it.
    pub(super) effect: Option<Effect>,
}

/// The faults of a world, and the log of its calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) planned: Vec<Fault>,
    pub(super) log: Vec<Record>,
}

impl Faults {
    /// Adds a call to the log, and returns what is to happen at it.
    pub(super) fn at(&mut self, call: Call) -> Option<Effect> {
        let n = self.log.len() as u64;
        let of_kind = || self.log.iter().filter(|record| record.call == call).count() as u64;
        let mut effect = None;
        for fault in &mut self.planned {
            let now = match fault.when {
                When::Nth(nth) => nth == n,
                When::FromNth(nth) => {
                    if nth == n {
                        fault.kind = Some(call);
                    }
                    nth <= n && fault.kind == Some(call)
                }
                When::NthOf(kind, nth) => kind == call && nth == of_kind(),
                When::EveryMove => call.moves_data(),
            };
            if now && effect.is_none() {
                effect = Some(fault.effect.clone());
            }
        }
        self.log.push(Record {
            call,
            effect: effect.clone(),
        });
        effect
    }
}
