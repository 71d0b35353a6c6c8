//! The environment variables and files that change what a command line means.

use std::ffi::OsString;

/// The parts of the environment that the settings depend on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) posixly_correct: bool,
    pub(crate) version_control: Option<OsString>,
    pub(crate) simple_backup_suffix: Option<OsString>,
    pub(crate) selinux: bool,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn current() -> Environment {
        let exists = |path: &str| std::path::Path::new(path).exists();
        Environment {
            posixly_correct: std::env::var_os("POSIXLY_CORRECT").is_some(),
            version_control: std::env::var_os("VERSION_CONTROL"),
            simple_backup_suffix: std::env::var_os("SIMPLE_BACKUP_SUFFIX"),
            // The test of libselinux: mounted and configured.
            selinux: exists("/sys/fs/selinux/enforce") && exists("/etc/selinux/config"),
        }
    }
}
