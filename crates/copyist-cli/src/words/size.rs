//! Sizes with units, such as 64MiB.

/// Reads "4096", "64MiB", "1G" (of 1024) or "5MB" (of 1000). The error is a message.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: u64 = number
        .parse()
        .map_err(|_| "not a size, such as 4096, 64MiB or 1GiB".to_owned())?;
    let (letter, rest) = unit.split_at(unit.chars().next().map_or(0, char::len_utf8));
    let base: u64 = match rest {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return Err(format!("unknown unit {unit:?}")),
    };
    let power = match letter.to_ascii_uppercase().as_str() {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return Err(format!("unknown unit {unit:?}")),
    };
    match number.checked_mul(base.pow(power)) {
        Some(0) => Err("a size of at least one byte is needed".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("too large".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("4096", 4096),
            ("1K", 1024),
            ("64MiB", 64 << 20),
            ("1g", 1 << 30),
            ("5MB", 5_000_000),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "MiB", "1X", "1MiBs", "-1", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
