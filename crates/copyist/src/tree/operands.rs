//! Decides which operands are copied at the same time.

use std::collections::HashSet;
use std::ffi::OsStr;

use crate::words::operand::Operand;
use crate::words::options::{Options, Update};

/// Splits operands into runs in which no two have a destination of the same name, so that the result is that of
/// copying one after the other. Names that some filesystem may consider equal count as equal.
pub(super) fn waves<'a>(
    operands: &'a [Operand],
    options: &Options,
) -> impl Iterator<Item = &'a [Operand]> {
    // The name that is newer than its copy determines what the other names are linked to, so the order matters.
    let one_by_one = options.preserve.links && options.update == Update::Older;
    let mut rest = operands;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if one_by_one {
            return rest.split_off_first().map(std::slice::from_ref);
        }
        let mut names = HashSet::new();
        let clash = rest.iter().position(|operand| !names.insert(key(operand)));
        let (wave, later) = rest.split_at(clash.unwrap_or(rest.len()));
        rest = later;
        Some(wave)
    })
}

/// With `--parents`, two operands may share directories, so they are copied one after the other.
fn key(operand: &Operand) -> Option<String> {
    if operand.parents_below.is_some() {
        return None;
    }
    let name = operand.dst.file_name().unwrap_or(OsStr::new(""));
    Some(name.to_string_lossy().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(dsts: &[&str]) -> Vec<usize> {
        let operands: Vec<Operand> = dsts
            .iter()
            .map(|dst| Operand {
                src: "src".into(),
                dst: dst.into(),
                parents_below: None,
            })
            .collect();
        waves(&operands, &Options::default())
            .map(<[Operand]>::len)
            .collect()
    }

    #[test]
    fn a_name_that_comes_again_begins_a_new_wave() {
        assert_eq!(sizes(&["d/a", "d/b", "d/c"]), [3]);
        assert_eq!(sizes(&["d/a", "d/b", "d/a", "d/b"]), [2, 2]);
        assert_eq!(sizes(&["d/a", "d/A"]), [1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
