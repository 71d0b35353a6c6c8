//! Copies a tree by CopyFileExW, one file after the other, and by nothing else: what
//! `cargo xtask cross windows --race` measures copyist beside.

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(std::path::PathBuf::from);
    match (arguments.next(), arguments.next()) {
        (Some(src), Some(dst)) => of_windows::copy_tree(&src, &dst),
        _ => Err(std::io::Error::other(
            "usage: copyfileexw_loop SOURCE DESTINATION",
        )),
    }
}

#[cfg(not(windows))]
fn main() {}

#[cfg(windows)]
mod of_windows {
    use std::io::{Error, Result};
    use std::ops::ControlFlow;
    use std::path::Path;
    use std::sync::atomic::AtomicUsize;

    use copyist_sys::callback::{Callback, Stopped};
    use copyist_sys::windows::{CopyFlags, copyfileexw, wide};

    pub(super) fn copy_tree(src: &Path, dst: &Path) -> Result<()> {
        std::fs::create_dir(dst)?;
        for entry in std::fs::read_dir(src)? {
            let entry = entry?;
            let (from, to) = (entry.path(), dst.join(entry.file_name()));
            if entry.file_type()?.is_dir() {
                copy_tree(&from, &to)?;
            } else {
                copy_file(&from, &to)?;
            }
        }
        Ok(())
    }

    fn copy_file(src: &Path, dst: &Path) -> Result<()> {
        let mut on_progress = |_| ControlFlow::Continue(());
        copyfileexw(
            &wide(src.as_os_str()),
            &wide(dst.as_os_str()),
            CopyFlags::default(),
            &AtomicUsize::new(0),
            Callback::new(&mut on_progress),
        )
        .map_err(|stopped| match stopped {
            Stopped::Failed(code) => Error::from_raw_os_error(code),
            Stopped::Cancelled => Error::other("cancelled"),
        })
    }
}
