//! Paths in JSON.

use std::path::Path;

use serde::Serialize;

/// A path: a string, or for one that is not UTF-8 an object with all of its bytes.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum JsonPath<'a> {
    Text(&'a str),
    Bytes { bytes_hex: String },
}

pub(crate) fn json_path(path: &Path) -> JsonPath<'_> {
    let path = path.as_os_str();
    match path.to_str() {
        Some(text) => JsonPath::Text(text),
        None => JsonPath::Bytes {
            bytes_hex: path
                .as_encoded_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::json_path;

    #[test]
    fn names_are_lossless() {
        let json = |bytes: &[u8]| {
            let path = copyist_sys::os_string_from_bytes(bytes.to_vec())?;
            Some(serde_json::to_string(&json_path(Path::new(&path))).expect("JSON"))
        };
        let text = json(b"a\n\"\xc3\xa9").expect("text is a name everywhere");
        assert_eq!(text, "\"a\\n\\\"\u{e9}\"");
        if let Some(odd) = json(b"a\xff/") {
            assert_eq!(odd, r#"{"bytes_hex":"61ff2f"}"#);
        }
    }
}
