//! Man pages and completions: they come out for each command and shell, and hold every option.

#![cfg(unix)]

mod cli;

use std::process::Command;

use cli::Scratch;

#[test]
fn completions_for_each_shell_know_the_options() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = scratch.copyist(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["no-clobber", "manifest", "exclude-from", "cached", "verify"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    let script = scratch.copyist(&["completions", "bash"]).out;
    scratch.write("copyist.bash", script);
    // What it offers after `copyist copy --ex`.
    let ask = "source ./copyist.bash; COMP_WORDS=(copyist copy --ex); COMP_CWORD=2; \
               _copyist copyist --ex copy; printf '%s ' \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash")
        .args(["-c", ask])
        .current_dir(&scratch.0)
        .output()
        .expect("bash");
    let offered = String::from_utf8_lossy(&bash.stdout);
    assert_eq!(offered, "--exclude --exclude-from --explain ", "{bash:?}");
    let ran = scratch.copyist(&["completions", "tcsh"]);
    let known = "bash, zsh, fish, powershell and elvish";
    let message = format!("copyist completions: unknown shell 'tcsh'; known are {known}\n");
    ran.is(1, "", &message);
}

#[test]
fn each_command_has_a_man_page() {
    let scratch = Scratch::new();
    let top = scratch.copyist(&["man"]);
    assert_eq!((top.code, top.err.as_str()), (Some(0), ""));
    assert!(
        top.out.contains(".SH NAME\ncopyist \\- Copies files"),
        "{}",
        top.out
    );
    for (command, option) in [
        ("cp", "no\\-clobber"),
        ("copy", "exclude"),
        ("verify", "cached"),
    ] {
        let ran = scratch.copyist(&["man", command]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        assert!(
            ran.out
                .contains(&format!(".SH NAME\ncopyist\\-{command} \\- ")),
            "{}",
            ran.out
        );
        assert!(ran.out.contains(&format!("\\-\\-{option}")), "{}", ran.out);
        assert!(
            ran.out.contains(&format!("copyist {command} [OPTION]...")),
            "{}",
            ran.out
        );
    }
    let ran = scratch.copyist(&["man", "mv"]);
    ran.is(1, "", "copyist man: unknown command 'mv'\n");
}
