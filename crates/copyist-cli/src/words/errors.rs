//! The names and texts of error codes.

use std::io;

use copyist::error::{Code, Os};

/// "Bad file descriptor", on every Unix.
pub(crate) const EBADF: i32 = 9;

/// An error's reason as C programs print it, without the number that Rust appends.
pub(crate) fn io_text(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(end)) => text[..end].to_owned(),
        _ => text,
    }
}

/// The system that this program runs on.
pub(crate) fn current_os() -> Os {
    match std::env::consts::OS {
        "macos" => Os::Macos,
        "windows" => Os::Windows,
        "freebsd" => Os::Freebsd,
        _ => Os::Linux,
    }
}

/// The name of a code (`ENOENT`), or its number if it has no name.
pub(crate) fn code_name(code: Code) -> String {
    match code {
        Code::NO_PROGRESS => "NO_PROGRESS".to_owned(),
        Code::CANCELLED => "CANCELLED".to_owned(),
        code => code
            .name(current_os())
            .map_or_else(|| code.0.to_string(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use copyist::error::Code;

    use super::code_name;

    #[test]
    fn codes_have_names() {
        if std::env::consts::OS == "windows" {
            println!("beyond Wine: codes_have_names: the numbers are those of Unix");
            return;
        }
        assert_eq!(code_name(Code(95)), "EOPNOTSUPP");
        assert_eq!(code_name(Code(0)), "NO_PROGRESS");
        assert_eq!(code_name(Code(9999)), "9999");
    }
}
