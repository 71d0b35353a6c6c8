//! Files with any layout of data, zeros and holes, copied by any method and policy on the machine's
//! own filesystem: the copy has the same bytes, whatever it has of the holes.

#![no_main]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use copyist::options::{Reflink, Sparse};
use copyist::{Copier, Method};
use libfuzzer_sys::fuzz_target;

/// A part of a file.
#[derive(Arbitrary, Debug)]
enum Part {
    Hole(u16),
    Zeros(u16),
    Data(u16, u8),
}

#[derive(Arbitrary, Debug)]
struct Input {
    parts: Vec<Part>,
    method: u8,
    sparse: u8,
    /// Something longer is there already.
    is_over: bool,
    /// Parts are as long as they say, times this.
    scale: u8,
}

static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
    let place = std::env::temp_dir().join(format!("copyist-fuzz-{}", std::process::id()));
    fs::create_dir_all(&place).expect("a directory");
    place
});

fuzz_target!(|input: Input| {
    let (src, dst) = (PLACE.join("src"), PLACE.join("dst"));
    let content = write(&src, &input).expect("a source");
    let _ = fs::remove_file(&dst); // there is none at first
    if input.is_over {
        fs::write(&dst, vec![0xAA; content.len() + 5000]).expect("something in the way");
    }
    let methods = [
        vec![Method::ReadWrite],
        vec![Method::CopyRange, Method::ReadWrite],
        vec![Method::Sendfile, Method::ReadWrite],
        vec![Method::Direct, Method::ReadWrite],
        Method::ALL.to_vec(),
    ];
    let sparse = [Sparse::Auto, Sparse::Always, Sparse::Never];
    let copier = Copier::new()
        .methods(methods[usize::from(input.method) % methods.len()].clone())
        .sparse(sparse[usize::from(input.sparse) % sparse.len()])
        .reflink(Reflink::Auto);
    let report = copier.copy(&src, &dst).expect("copied");
    assert_eq!(report.bytes(), content.len() as u64, "{report:?}");
    assert!(fs::read(&dst).expect("the copy") == content, "{report:?}");
});

/// Makes the file; answers what is in it.
fn write(path: &PathBuf, input: &Input) -> io::Result<Vec<u8>> {
    let file = File::create(path)?;
    let mut content = Vec::new();
    for part in input.parts.iter().take(12) {
        let at = content.len() as u64;
        let (len, byte, is_hole) = match *part {
            Part::Hole(len) => (len, 0, true),
            Part::Zeros(len) => (len, 0, false),
            Part::Data(len, byte) => (len, byte, false),
        };
        let len = usize::from(len) * usize::from(input.scale % 8 + 1);
        content.resize(content.len() + len, byte);
        if !is_hole {
            file.write_all_at(&content[content.len() - len..], at)?;
        }
    }
    file.set_len(content.len() as u64)?;
    Ok(content)
}
