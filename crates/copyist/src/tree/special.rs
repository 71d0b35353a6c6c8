//! Symbolic links, FIFOs, sockets and devices: created, not read.

use super::dir::Entry;
use super::worker::Worker;
use crate::file::attributes;
use crate::file::attributes::{Attributes, CreateMode, CreatedState};
use crate::system::{Node, Platform, Target};
use crate::think::disposition::Product;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::facts::NoLink;
use crate::words::observer;
use crate::words::observer::Event;
use crate::words::options::Options;
use crate::words::stat::{FileKind, Stat};

impl<P: Platform> Worker<'_, '_, P> {
    pub(super) fn copy_symlink(&mut self, entry: &Entry<'_, P>, src: &Stat) -> Result<(), Error> {
        let session = self.session;
        let target = session
            .platform
            .read_link(entry.src_at())
            .map_err(|code| session.error(entry, Operation::ReadLink, Cause::System(code)))?;
        self.make_or_replace(entry, Operation::CreateSymlink, Product::Symlink, |at| {
            let to_dir = attributes::leads_to_dir(session.platform.os(), src);
            let link = Node::Symlink {
                target: &target,
                to_dir,
            };
            self.make_node(at, link)
        })
        .inspect_err(|error| self.tell_no_symlink(entry, error))?;
        let made = CreatedState {
            may_have_acl: false,
            is_new: true,
            ..CreatedState::before()
        };
        self.keep_attributes(entry, src, made, session.options);
        session.flush_name(entry)?;
        self.summary.symlinks += 1;
        self.tell(entry, observer::Made::Symlink);
        Ok(())
    }

    /// The reason, if the filesystem does not support such files.
    fn tell_no_symlink(&self, entry: &Entry<'_, P>, error: &Error) {
        if let Cause::System(code) = *error.cause()
            && let Some(why @ NoLink::Unsupported(_)) = self.no_link(entry, code)
        {
            self.tell_no_link(entry, observer::Made::Symlink, why);
        }
    }

    pub(super) fn copy_special(&mut self, entry: &Entry<'_, P>, src: &Stat) -> Result<(), Error> {
        let session = self.session;
        let operation = match src.kind {
            FileKind::Fifo => Operation::CreateFifo,
            FileKind::Socket | FileKind::CharDevice | FileKind::BlockDevice => {
                Operation::CreateSpecial
            }
            _ => return Err(session.refuse(entry, Refusal::UnknownKind)),
        };
        let plan = CreateMode::new(session.platform, session.options, (src.kind, src.mode));
        let node = Node::Special {
            kind: src.kind,
            mode: plan.mode,
            device: src.device,
        };
        self.make_node(entry.dst_at(), node)
            .map_err(|code| session.error(entry, operation, Cause::System(code)))?;
        self.keep_attributes(entry, src, plan.made(entry.dir.gives_acl), session.options);
        session.flush_name(entry)?;
        self.summary.specials += 1;
        self.tell(entry, observer::Made::Special);
        Ok(())
    }

    /// A symbolic link made by `-s` gets the times and extended attributes of the source.
    pub(super) fn keep_link_attributes(&mut self, entry: &Entry<'_, P>, src: &Stat) {
        let mut options = self.session.options.clone();
        options.preserve.owner = false;
        options.preserve.mode = false;
        let made = CreatedState {
            may_have_acl: false,
            is_new: true,
            ..CreatedState::before()
        };
        let as_link = Stat {
            kind: FileKind::Symlink,
            ..*src
        };
        self.keep_attributes(entry, &as_link, made, &options);
    }

    fn keep_attributes(
        &mut self,
        entry: &Entry<'_, P>,
        src: &Stat,
        made: CreatedState,
        options: &Options,
    ) {
        let session = self.session;
        Attributes {
            platform: session.platform,
            options,
            src: Target::Named(entry.src_at()),
            src_stat: src,
            dst: Target::Named(entry.dst_at()),
            made,
            buffers: &mut self.buffers,
        }
        .apply(&mut |failed| {
            let cause = Cause::System(failed.code);
            session.fail(session.error(entry, failed.operation, cause));
        });
    }

    fn tell(&self, entry: &Entry<'_, P>, what: observer::Made) {
        self.session
            .context
            .observer
            .event(Event::Entry { paths: entry, what });
    }
}
