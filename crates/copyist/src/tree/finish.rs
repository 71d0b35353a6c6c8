//! Completes a directory: sets its attributes after all its entries.

use super::dir::Dir;
use super::worker::Worker;
use crate::file::attributes;
use crate::file::attributes::{Attributes, Failed};
use crate::system::{At, Platform, Target};
use crate::words::error::{Cause, Error, Operation};
use crate::words::options::{NewMode, Want};

impl<P: Platform> Worker<'_, '_, P> {
    /// Sets the attributes of a directory whose entries are done.
    pub(super) fn finish_directory(&mut self, dir: &Dir<P>) {
        let session = self.session;
        let Some(src_stat) = dir.src_stat.as_ref() else {
            return;
        };
        let Some(open) = self.halves(dir) else { return };
        let by_name = dir.src_is_path_only || dir.dst_is_place;
        let above = match dir.parent.as_ref().filter(|_| by_name) {
            Some(parent) => match self.halves(parent) {
                Some(above) => Some(above),
                None => return,
            },
            None => None,
        };
        let dst = match &above {
            Some(above) if dir.dst_is_place => Target::Named(At {
                dir: &above.dst,
                name: &dir.tree_path.dst_name,
            }),
            _ => Target::Open(&open.dst),
        };
        let mut options = std::borrow::Cow::Borrowed(session.options);
        if dir.is_parent {
            // As in GNU cp, a directory on the way to an operand gets no extended attributes.
            options.to_mut().preserve.xattrs = Want::No;
        }
        let fail = |failed: Failed| {
            let error = Error::new(
                session.platform.os(),
                failed.operation,
                Cause::System(failed.code),
            );
            session.fail(error.with_paths(Some(dir.tree_path.src()), Some(dir.tree_path.dst())));
        };
        let src = match &above {
            Some(above) if dir.src_is_path_only => Target::Named(At {
                dir: &above.src,
                name: &dir.tree_path.src_name,
            }),
            _ => Target::Open(&open.src),
        };
        let mut src_stat = *src_stat;
        if dir.is_parent && options.new_mode == NewMode::SystemDefault {
            src_stat.mode &= 0o777; // nor the sticky bit
        }
        Attributes {
            platform: session.platform,
            options: &options,
            src,
            src_stat: &src_stat,
            dst,
            made: dir.made,
            buffers: &mut self.buffers,
        }
        .apply(&mut |failed| fail(failed));
        if attributes::keeps_flags(session.platform.os(), session.options) {
            let dirs = (&open.src, src_stat.flags, &open.dst);
            attributes::copy_flags(session.platform, session.options, dirs, true)
                .unwrap_or_else(fail);
        }
        session.flush_finished(&open.dst).unwrap_or_else(|code| {
            fail(Failed {
                operation: Operation::Flush,
                code,
            });
        });
    }
}
