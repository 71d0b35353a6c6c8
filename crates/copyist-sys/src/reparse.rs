//! The content of the reparse points of symbolic links and junctions: [MS-FSCC] 2.1.2. Pure, and tested on all
//! systems.

/// IO_REPARSE_TAG_MOUNT_POINT: a junction or a mounted volume.
pub const MOUNT_POINT: u32 = 0xa000_0003;
/// IO_REPARSE_TAG_SYMLINK.
pub const SYMLINK: u32 = 0xa000_000c;

/// IsReparseTagNameSurrogate: the reparse point stands for another name, as a symbolic link does.
pub const fn is_surrogate(tag: u32) -> bool {
    tag & 0x2000_0000 != 0
}

/// The prefix of a kernel path: a junction's target has it, that of a symbolic link never.
const KERNEL: &str = r"\??\";

/// SYMLINK_FLAG_RELATIVE.
const RELATIVE: u32 = 1;

/// Tag, length, reserved.
const HEADER_BYTES: usize = 8;

/// The target of a symbolic link, or that of a junction in the kernel's form (`\??\C:\dir`), which distinguishes the
/// two.
pub fn target(data: &[u8]) -> Option<Vec<u16>> {
    let tag = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
    let number = |at: usize| -> Option<usize> {
        let two = data.get(HEADER_BYTES + at..HEADER_BYTES + at + 2)?;
        Some(usize::from(u16::from_le_bytes([two[0], two[1]])))
    };
    let names_at = HEADER_BYTES
        + match tag {
            SYMLINK => 12,
            MOUNT_POINT => 8,
            _ => return None,
        };
    let name = |offset: usize, length: usize| -> Option<Vec<u16>> {
        let start = names_at + offset;
        let units = data.get(start..start + length)?.chunks_exact(2);
        Some(
            units
                .map(|two| u16::from_le_bytes([two[0], two[1]]))
                .collect(),
        )
    };
    let substitute = name(number(0)?, number(2)?)?;
    if tag == MOUNT_POINT {
        return Some(substitute);
    }
    let print = name(number(4)?, number(6)?)?;
    if !print.is_empty() {
        return Some(print);
    }
    let kernel: Vec<u16> = KERNEL.encode_utf16().collect();
    Some(match substitute.strip_prefix(&*kernel) {
        Some(path) => path.to_vec(),
        None => substitute,
    })
}

/// Whether a target is that of a junction.
pub fn is_junction(target: &[u16]) -> bool {
    target.starts_with(&KERNEL.encode_utf16().collect::<Vec<_>>())
}

/// The reparse data for a symbolic link or, if the target is in the kernel's form, a junction. `None` if the target
/// is too long.
pub fn data(target: &[u16]) -> Option<Vec<u8>> {
    if is_junction(target) {
        let print = target.get(KERNEL.len()..)?;
        return record(MOUNT_POINT, target, print, None);
    }
    let slash = u16::from(b'/');
    let backslash = u16::from(b'\\');
    let turn = |unit: &u16| if *unit == slash { backslash } else { *unit };
    let print: Vec<u16> = target.iter().map(turn).collect();
    let is_drive = print.get(1) == Some(&u16::from(b':'));
    let is_share = print.starts_with(&[backslash, backslash]);
    let mut substitute: Vec<u16> = Vec::new();
    if is_drive || is_share {
        substitute.extend(KERNEL.encode_utf16());
    }
    if is_share {
        substitute.extend(r"UNC\".encode_utf16());
        substitute.extend(&print[2..]);
    } else {
        substitute.extend(&print);
    }
    let flags = if is_drive || is_share { 0 } else { RELATIVE };
    record(SYMLINK, &substitute, &print, Some(flags))
}

/// Both names end in a NUL that is not counted, as Windows writes them.
fn record(tag: u32, substitute: &[u16], print: &[u16], flags: Option<u32>) -> Option<Vec<u8>> {
    let bytes = |units: usize| u16::try_from(units * 2).ok();
    let mut body: Vec<u8> = Vec::new();
    for number in [
        0,
        bytes(substitute.len())?,
        bytes(substitute.len() + 1)?,
        bytes(print.len())?,
    ] {
        body.extend(number.to_le_bytes());
    }
    body.extend(flags.iter().flat_map(|flags| flags.to_le_bytes()));
    for name in [substitute, print] {
        let units = name.iter().chain(&[0]);
        body.extend(units.flat_map(|unit| unit.to_le_bytes()));
    }
    let mut data = tag.to_le_bytes().to_vec();
    data.extend(u16::try_from(body.len()).ok()?.to_le_bytes());
    data.extend([0, 0]);
    data.extend(body);
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn targets_come_back() {
        for path in [
            "a",
            r"..\a\b",
            r"C:\a b",
            r"\\server\share\a",
            r"\a",
            r"\??\C:\dir",
        ] {
            let data = data(&units(path)).unwrap();
            let len = u16::from_le_bytes([data[4], data[5]]);
            assert_eq!(usize::from(len), data.len() - HEADER_BYTES, "{path}");
            assert_eq!(target(&data), Some(units(path)), "{path}");
        }
        assert_eq!(target(&data(&units("a/b")).unwrap()), Some(units(r"a\b")));
        let odd = [0xd800, 0x61];
        assert_eq!(target(&data(&odd).unwrap()).unwrap(), odd);
        assert_eq!(data(&[0x61; 20_000]), None);
    }

    #[test]
    fn a_junction_is_no_symbolic_link() {
        let tag = |path| data(&units(path)).map(|it| it[..4].to_vec());
        assert_eq!(tag(r"\??\C:\dir"), Some(MOUNT_POINT.to_le_bytes().to_vec()));
        assert_eq!(tag(r"C:\dir"), Some(SYMLINK.to_le_bytes().to_vec()));
        // The kernel's own path is what a symbolic link to a drive has in it.
        let data = data(&units(r"C:\dir")).unwrap();
        let kernel: Vec<u8> = units(r"\??\C:\dir")
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect();
        assert_eq!(&data[20..20 + kernel.len()], kernel);
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let whole = data(&units("target")).unwrap();
        for len in 0..whole.len() - 2 {
            assert_eq!(target(&whole[..len]), None, "{len}");
        }
        assert!(is_surrogate(SYMLINK) && is_surrogate(MOUNT_POINT));
        assert!(!is_surrogate(0x9000_001a), "a placeholder of OneDrive");
    }
}
