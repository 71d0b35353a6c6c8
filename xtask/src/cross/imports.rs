//! The libraries and symbols that a program imports, as its dynamic linker will read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use object::{Architecture, BinaryFormat, Object};

use crate::error::{Context, Error, Result};

/// The names that a program imports, of which it is asserted that it is of this format and for
/// this processor.
pub(super) fn of(
    program: &Path,
    format: BinaryFormat,
    architecture: Architecture,
) -> Result<BTreeSet<String>> {
    let bytes = fs::read(program).at("read", program)?;
    let file = object::File::parse(&*bytes).at("understand", program)?;
    if (file.format(), file.architecture()) != (format, architecture) {
        return Err(Error::new(format!(
            "{} is {:?} for {:?}, not {format:?} for {architecture:?}",
            program.display(),
            file.format(),
            file.architecture()
        )));
    }
    let imports = file.imports().at("read the imports of", program)?;
    let names = imports
        .iter()
        .map(|import| String::from_utf8_lossy(import.name()).into_owned());
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_no_program_of_macos() {
        let this = std::env::current_exe().expect("this program");
        let error = of(&this, BinaryFormat::MachO, Architecture::Aarch64).unwrap_err();
        assert!(error.to_string().contains("Elf"), "{error}");
    }

    #[test]
    fn what_this_program_imports_is_seen() {
        let this = std::env::current_exe().expect("this program");
        let bytes = fs::read(&this).expect("its bytes");
        let architecture = object::File::parse(&*bytes)
            .expect("an ELF file")
            .architecture();
        let imports = of(&this, BinaryFormat::Elf, architecture).expect("imports");
        assert!(imports.contains("write"), "{imports:?}");
        assert!(!imports.contains("_clonefileat"));
    }
}
