//! Values from a fixed list, accepted and refused as GNU tools do.

use std::ffi::OsStr;

use crate::words::quoting::Quoter;

/// The value that `argument` names, in full or by an unambiguous beginning.
///
/// The error is GNU's message, several lines of it. Synonyms in `choices` must be adjacent.
pub(crate) fn argmatch<T: Copy + PartialEq>(
    quoter: Quoter,
    context: &str,
    argument: &OsStr,
    choices: &[(&str, T)],
) -> Result<T, String> {
    let text = argument.to_str();
    if let Some((_, value)) = choices.iter().find(|(name, _)| Some(*name) == text) {
        return Ok(*value);
    }
    let mut begin_so = choices
        .iter()
        .filter(|(name, _)| text.is_some_and(|text| name.starts_with(text)));
    let first = begin_so.next();
    if let Some((_, value)) = first
        && begin_so.all(|(_, other)| other == value)
    {
        return Ok(*value);
    }
    let problem = if first.is_none() {
        "invalid"
    } else {
        "ambiguous"
    };
    let mut message = format!(
        "{problem} argument {} for {}\nValid arguments are:",
        quoter.word(argument),
        quoter.word(context)
    );
    let mut last = None;
    for (name, value) in choices {
        message.push_str(if last == Some(value) { ", " } else { "\n  - " });
        message.push_str(&quoter.word(name));
        last = Some(value);
    }
    Err(message)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::argmatch;
    use crate::words::quoting::Quoter;

    const CHOICES: &[(&str, u8)] = &[
        ("none", 0),
        ("off", 0),
        ("simple", 1),
        ("never", 1),
        ("nil", 2),
        ("none-fail", 3),
    ];

    fn read(argument: &str) -> Result<u8, String> {
        argmatch(Quoter::new(false), "--x", OsStr::new(argument), CHOICES)
    }

    #[test]
    fn a_name_or_its_only_completion_is_accepted() {
        assert_eq!(read("none"), Ok(0));
        assert_eq!(read("s"), Ok(1));
        assert_eq!(read("none-"), Ok(3));
    }

    #[test]
    fn others_are_refused_with_the_list() {
        let list = "\nValid arguments are:\n  - 'none', 'off'\n  - 'simple', 'never'\n  - 'nil'\n  - 'none-fail'";
        assert_eq!(
            read("z"),
            Err(format!("invalid argument 'z' for '--x'{list}"))
        );
        assert_eq!(
            read("n"),
            Err(format!("ambiguous argument 'n' for '--x'{list}"))
        );
        assert_eq!(
            read(""),
            Err(format!("ambiguous argument '' for '--x'{list}"))
        );
    }
}
