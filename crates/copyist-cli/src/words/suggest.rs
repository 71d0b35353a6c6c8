//! Suggestions for mistyped words.

/// The name with the smallest edit distance to a word, if that is 1 or at most a third of the letters.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = (word.chars().count() / 3).max(1);
    let distance = |name: &&str| strsim::damerau_levenshtein(word, name);
    let nearest = names.min_by_key(distance)?;
    (distance(&nearest) <= most).then_some(nearest)
}

/// The text of the suggestion.
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
