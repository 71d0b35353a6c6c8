//! What somebody who mistyped a word may have meant.

/// The name that is nearest to a word, if it is near: it differs in one letter, or in a third of them.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = (word.chars().count() / 3).max(1);
    let distance = |name: &&str| strsim::damerau_levenshtein(word, name);
    let nearest = names.min_by_key(distance)?;
    (distance(&nearest) <= most).then_some(nearest)
}

/// The line that says so.
pub(crate) fn did_you_mean(name: &str) -> String {
    format!("did you mean '{name}'?")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_what_is_near_is_meant() {
        let names = ["cp", "copy", "verify", "exclude", "exclude-from"];
        let nearest = |word| nearest(word, names.into_iter());
        assert_eq!(nearest("cpoy"), Some("copy"));
        assert_eq!(nearest("verfiy"), Some("verify"));
        assert_eq!(nearest("exlude"), Some("exclude"));
        assert_eq!(nearest("fly"), None);
        assert_eq!(nearest("rsync"), None);
        assert_eq!(nearest(""), None);
    }
}
