//! A setter for each option.

use std::ffi::OsString;
use std::num::NonZeroUsize;
#[cfg(feature = "journal")]
use std::path::PathBuf;
use std::sync::Arc;

use super::copier::Copier;
use crate::words::bench_results::BenchResult;
#[cfg(feature = "hash")]
use crate::words::hash::HashKind;
use crate::words::method::Method;
use crate::words::options::{
    Atomic, Backup, Cache, Flush, Follow, Force, Fsync, Make, NewMode, OnChange, Preserve, Reflink,
    Sparse, Update,
};

/// One line for each option: its setter's name and parameter, and the value that is stored.
macro_rules! setters {
    ($($(#[$about:meta])* $name:ident($value:ident: $type:ty) = $stored:expr;)*) => {
        /// The setters of the options, each of which is described in [`Options`](crate::Options).
        impl Copier {
            $(
                $(#[$about])*
                #[must_use]
                pub fn $name(mut self, $value: $type) -> Copier {
                    self.options.$name = $stored;
                    self.forget();
                    self
                }
            )*
        }
    };
}

setters! {
    /// Allows these methods only: see [`Options::methods`](crate::Options::methods).
    methods(methods: impl IntoIterator<Item = Method>) = Some(methods.into_iter().collect());
    /// Sets the cloning policy: see [`Options::reflink`](crate::Options::reflink).
    reflink(reflink: Reflink) = reflink;
    /// Sets the policy on holes: see [`Options::sparse`](crate::Options::sparse).
    sparse(sparse: Sparse) = sparse;
    /// Sets the attributes to keep: see [`Options::preserve`](crate::Options::preserve).
    preserve(preserve: Preserve) = preserve;
    /// Sets the permission bits of new files where they are not kept: see [`Options::new_mode`](crate::Options::new_mode).
    new_mode(new_mode: NewMode) = new_mode;
    /// Sets which symbolic links are followed: see [`Options::follow`](crate::Options::follow).
    follow(follow: Follow) = follow;
    /// Sets whether a source that leads to an open file (`/dev/stdin`) is read: see [`Options::read_open_files`](crate::Options::read_open_files).
    read_open_files(read_open_files: bool) = read_open_files;
    /// Sets whether directories are copied ([`Copier::copy_operands`]; the other calls decide by themselves): see [`Options::recursive`](crate::Options::recursive).
    recursive(recursive: bool) = recursive;
    /// Sets whether the walk stays on the filesystems of the sources: see [`Options::one_file_system`](crate::Options::one_file_system).
    one_file_system(one_file_system: bool) = one_file_system;
    /// Sets whether FIFOs, devices and sockets are read: see [`Options::copy_contents`](crate::Options::copy_contents).
    copy_contents(copy_contents: bool) = copy_contents;
    /// Sets whether data is left out: see [`Options::attributes_only`](crate::Options::attributes_only).
    attributes_only(attributes_only: bool) = attributes_only;
    /// Sets what is made of each file: see [`Options::make`](crate::Options::make).
    make(make: Make) = make;
    /// Sets when an existing destination is replaced: see [`Options::update`](crate::Options::update).
    update(update: Update) = update;
    /// Sets whether the observer is asked before one is ([`Observer::may_replace`](crate::Observer::may_replace)): see [`Options::interactive`](crate::Options::interactive).
    interactive(interactive: bool) = interactive;
    /// Sets whether the observer is asked for each entry ([`Observer::wants`](crate::Observer::wants)): see [`Options::filtered`](crate::Options::filtered).
    filtered(filtered: bool) = filtered;
    /// Sets what is done about a destination that can't be opened: see [`Options::force`](crate::Options::force).
    force(force: Force) = force;
    /// Sets how replaced files are kept: see [`Options::backup`](crate::Options::backup).
    backup(backup: Backup) = backup;
    /// Sets the suffix of simple backups: see [`Options::backup_suffix`](crate::Options::backup_suffix).
    backup_suffix(backup_suffix: impl Into<OsString>) = backup_suffix.into();
    /// Sets whether a symbolic link to a directory counts as a directory at the destination: see [`Options::keep_directory_symlink`](crate::Options::keep_directory_symlink).
    keep_directory_symlink(keep_directory_symlink: bool) = keep_directory_symlink;
    /// Sets whether a dangling symbolic link at the destination is written through: see [`Options::write_through_dangling`](crate::Options::write_through_dangling).
    write_through_dangling(write_through_dangling: bool) = write_through_dangling;
    /// Sets how many threads copy: see [`Options::jobs`](crate::Options::jobs).
    jobs(jobs: impl Into<Option<NonZeroUsize>>) = jobs.into();
    /// Sets what was measured before: see [`Options::bench_results`](crate::Options::bench_results).
    bench_results(bench_results: impl Into<Arc<[BenchResult]>>) = bench_results.into();
    /// Sets whether the filesystem is asked how many bytes each copy shares: see [`Options::prove`](crate::Options::prove).
    prove(prove: bool) = prove;
    /// Sets whether files get their names only when they are complete: see [`Options::atomic`](crate::Options::atomic).
    atomic(atomic: Atomic) = atomic;
    /// Sets when copies are made durable: see [`Options::fsync`](crate::Options::fsync).
    fsync(fsync: Fsync) = fsync;
    /// Sets what is done about a source that changes: see [`Options::on_change`](crate::Options::on_change).
    on_change(on_change: OnChange) = on_change;
    /// Sets how far down data is forced before a file counts as copied: see [`Options::flush`](crate::Options::flush).
    flush(flush: impl Into<Option<Flush>>) = flush.into();
    /// Sets what may stay in the page cache: see [`Options::cache`](crate::Options::cache).
    cache(cache: Cache) = cache;
    /// Sets whether entries are copied one after the other, in order: see [`Options::ordered`](crate::Options::ordered).
    ordered(ordered: bool) = ordered;
    /// Sets the journal's file: see [`Options::journal`](crate::Options::journal).
    #[cfg(feature = "journal")]
    journal(journal: impl Into<PathBuf>) = Some(journal.into());
    /// Sets which hash is reported: see [`Options::hash`](crate::Options::hash).
    #[cfg(feature = "hash")]
    hash(hash: impl Into<Option<HashKind>>) = hash.into();
    /// Sets whether copies are read back and compared: see [`Options::verify`](crate::Options::verify).
    #[cfg(feature = "verify")]
    verify(verify: bool) = verify;
    /// Sets whether a copy that was found to differ is kept: see [`Options::keep_bad`](crate::Options::keep_bad).
    #[cfg(feature = "verify")]
    keep_bad(keep_bad: bool) = keep_bad;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::options::{Options, Want};

    /// Every option is something that is not its default.
    fn all_set() -> Copier {
        let order = [Method::ReadWrite];
        let measured = BenchResult::new("a", "b", "Linux", 1, order);
        Copier::with_options(Options::default())
            .methods(order)
            .reflink(Reflink::Never)
            .sparse(Sparse::Always)
            .preserve(Preserve::ARCHIVE)
            .new_mode(NewMode::SystemDefault)
            .follow(Follow::Always)
            .read_open_files(true)
            .recursive(true)
            .one_file_system(true)
            .copy_contents(true)
            .attributes_only(true)
            .make(Make::HardLink)
            .update(Update::Older)
            .interactive(true)
            .filtered(true)
            .force(Force::IfNeeded)
            .backup(Backup::Numbered)
            .backup_suffix(".old")
            .keep_directory_symlink(true)
            .write_through_dangling(true)
            .jobs(NonZeroUsize::MIN)
            .bench_results(vec![measured])
            .prove(true)
            .atomic(Atomic::Required)
            .fsync(Fsync::File)
            .on_change(OnChange::Fail)
            .flush(Flush::Durable)
            .cache(Cache::Direct)
            .ordered(true)
            .journal("journal")
            .hash(HashKind::Sha256)
            .verify(true)
            .keep_bad(true)
    }

    /// An option without a setter is missing below, and then this does not compile.
    #[test]
    fn each_option_has_a_setter() {
        let Options {
            methods,
            reflink,
            sparse,
            preserve,
            new_mode,
            follow,
            read_open_files,
            recursive,
            one_file_system,
            copy_contents,
            attributes_only,
            make,
            update,
            interactive,
            filtered,
            force,
            backup,
            backup_suffix,
            keep_directory_symlink,
            write_through_dangling,
            jobs,
            bench_results,
            prove,
            atomic,
            fsync,
            on_change,
            flush,
            cache,
            ordered,
            journal,
            hash,
            verify,
            keep_bad,
        } = all_set().options().clone();
        let default = Options::default();
        let order = [Method::ReadWrite];
        assert_eq!(methods, Some(order.into_iter().collect()));
        macro_rules! are_set {
            ($($name:ident)*) => { $(assert_ne!($name, default.$name, stringify!($name));)* };
        }
        are_set! {
            reflink sparse preserve new_mode follow read_open_files recursive
            one_file_system copy_contents attributes_only make update interactive filtered
            force backup backup_suffix keep_directory_symlink write_through_dangling jobs
            bench_results prove atomic fsync on_change flush cache ordered journal hash
            verify keep_bad
        }
        assert_eq!(preserve.xattrs, Want::BestEffort);
    }
}
