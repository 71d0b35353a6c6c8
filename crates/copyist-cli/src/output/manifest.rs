//! `--manifest`: a line for each file that is copied.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use copyist::hash::Hash;

use crate::output::console::Console;
use crate::words::manifest_line;
use crate::words::sync::lock;

/// Writes a manifest while files are copied.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Names are relative to this directory, in which the copies are.
    base: PathBuf,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    sink: Sink,
    /// The first failure; nothing is written after that.
    failed: Option<io::Error>,
}

#[derive(Debug)]
enum Sink {
    File(BufWriter<File>),
    Stdout(Arc<Console>),
}

impl Manifest {
    /// Creates the file of this name, or for `-` writes to standard output.
    pub(crate) fn create(name: &OsStr, base: PathBuf, console: &Arc<Console>) -> io::Result<Self> {
        let sink = if name == "-" {
            Sink::Stdout(Arc::clone(console))
        } else {
            Sink::File(BufWriter::new(File::create(name)?))
        };
        let out = Mutex::new(Out { sink, failed: None });
        Ok(Manifest { base, out })
    }

    /// A file was copied to this path.
    pub(crate) fn add(&self, dst: &Path, hash: &Hash) {
        let name = dst.strip_prefix(&self.base).unwrap_or(dst);
        let line = manifest_line::line(name.as_os_str(), hash);
        let mut out = lock(&self.out);
        if out.failed.is_some() {
            return;
        }
        let written = match &mut out.sink {
            Sink::File(file) => file.write_all(&line),
            Sink::Stdout(console) => {
                console.out(&line);
                Ok(())
            }
        };
        out.failed = written.err();
    }

    /// Flushes the manifest; the error is the first of the run.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut out = lock(&self.out);
        if let Some(error) = out.failed.take() {
            return Err(error);
        }
        match &mut out.sink {
            Sink::File(file) => file.flush(),
            Sink::Stdout(_) => Ok(()),
        }
    }
}
