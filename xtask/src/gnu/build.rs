//! Fetches coreutils' source from Debian and builds it, into the build directory, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result};
use crate::{command, workspace};

/// The suite that has the version which ours follows.
const SUITE: &str = "sid";

/// Signs it; Ubuntu has a package with this file too.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What building coreutils and running its tests needs: a file, and the package that has it.
const NEEDED: &[(&str, &str)] = &[
    (KEYRING, "debian-archive-keyring"),
    ("/usr/bin/dpkg-source", "dpkg-dev"),
    ("/usr/bin/gcc", "gcc"),
    ("/usr/include/stdio.h", "libc6-dev"),
    ("/usr/bin/make", "make"),
    ("/usr/bin/perl", "perl"),
    ("/usr/bin/python3", "python3"),
    ("/usr/bin/strace", "strace"),
    ("/usr/bin/gdb", "gdb"),
    ("/usr/bin/valgrind", "valgrind"),
    ("/usr/bin/getfacl", "acl"),
    ("/usr/bin/getfattr", "attr"),
    ("/usr/sbin/setcap", "libcap2-bin"),
    ("/usr/include/acl/libacl.h", "libacl1-dev"),
    ("/usr/include/attr/libattr.h", "libattr1-dev"),
    ("/usr/include/sys/capability.h", "libcap-dev"),
    ("/usr/include/selinux/selinux.h", "libselinux1-dev"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/bin/xz", "xz-utils"),
];

/// The packages that are not there.
pub(crate) fn missing_packages() -> impl Iterator<Item = &'static str> {
    let here = |path: &str| {
        let path = Path::new(path);
        // Programs of administrators have moved between two directories.
        path.exists()
            || path
                .strip_prefix("/usr")
                .is_ok_and(|rest| Path::new("/").join(rest).exists())
    };
    let missing = NEEDED.iter().filter(move |(path, _)| !here(path));
    missing.map(|(_, package)| *package)
}

/// A built coreutils.
#[derive(Debug)]
pub(crate) struct Coreutils {
    /// Its sources, tests among them.
    pub(super) source: PathBuf,
    /// Where it was built.
    pub(super) build: PathBuf,
}

impl Coreutils {
    /// Finds it, or fetches and builds it.
    pub(crate) fn prepare() -> Result<Self> {
        let home = workspace::target().join("tools/coreutils");
        fs::create_dir_all(&home).at("create", &home)?;
        let home = fs::canonicalize(&home).at("resolve", &home)?;
        let missing: Vec<&str> = missing_packages().collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Error::new(format!("not installed: {missing}")));
        }
        let source = match find_source(&home)? {
            Some(source) => source,
            None => fetch(&home)?,
        };
        let coreutils = Self {
            source,
            build: home.join("build"),
        };
        if !coreutils.cp().exists() {
            coreutils.make()?;
        }
        Ok(coreutils)
    }

    /// Its cp.
    pub(crate) fn cp(&self) -> PathBuf {
        self.build.join("src/cp")
    }

    /// "9.10", say.
    pub(crate) fn version(&self) -> String {
        let name = self
            .source
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        name.trim_start_matches("coreutils-").to_owned()
    }

    /// A variable of the makefile.
    pub(super) fn variable(&self, name: &str) -> Result<String> {
        let makefile = self.build.join("Makefile");
        let text = fs::read_to_string(&makefile).at("read", &makefile)?;
        let mut values = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        Ok(values.next().unwrap_or_default().to_owned())
    }

    fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.build).at("create", &self.build)?;
        let mut configure = Command::new(self.source.join("configure"));
        configure
            .args(["-q", "--disable-nls", "CFLAGS=-O1 -g0"])
            .current_dir(&self.build);
        // It will not be configured by root otherwise.
        command::succeed(configure.env("FORCE_UNSAFE_CONFIGURE", "1"))?;
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let mut make = Command::new("make");
        make.args(["-s", &format!("-j{jobs}"), "SUBDIRS=."])
            .current_dir(&self.build);
        command::succeed(&mut make)
    }
}

fn find_source(home: &Path) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home).at("list", home)? {
        let path = entry.at("list", home)?.path();
        let is_source = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("coreutils-"));
        if is_source && path.join("tests/cp").is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.pop())
}

/// By apt, with lists of its own: the machine's are left as they are.
fn fetch(home: &Path) -> Result<PathBuf> {
    if !command::exists("apt-get") {
        return Err(Error::new(
            "coreutils' source comes from Debian by apt-get, which is not here",
        ));
    }
    let apt = home.join("apt");
    let lists = apt.join("lists/partial");
    fs::create_dir_all(&lists).at("create", &lists)?;
    let sources = apt.join("sources.list");
    let mirror = mirror();
    let line = format!("deb-src [signed-by={KEYRING}] {mirror} {SUITE} main\n");
    fs::write(&sources, line).at("write", &sources)?;
    let apt_get = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-q");
        for (option, value) in [
            ("Dir::Etc::SourceList", sources.clone()),
            ("Dir::Etc::SourceParts", "/dev/null".into()),
            ("Dir::State::Lists", apt.join("lists")),
            ("Dir::Cache::PkgCache", PathBuf::new()),
            ("Dir::Cache::SrcPkgCache", PathBuf::new()),
        ] {
            command
                .arg("-o")
                .arg(format!("{option}={}", value.display()));
        }
        // Its own user can't write into a private build directory.
        command.args(["-o", "APT::Sandbox::User=root"]);
        command::succeed(command.args(words).current_dir(home))
    };
    apt_get(&["update"])?;
    apt_get(&["source", "--only-source", "coreutils"])?;
    find_source(home)?
        .ok_or_else(|| Error::new(format!("no source of coreutils in {}", home.display())))
}

/// The Debian mirror that this machine uses already, or the usual one.
fn mirror() -> String {
    let old = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
    let new = fs::read_to_string("/etc/apt/sources.list.d/debian.sources").unwrap_or_default();
    let of_old = old.lines().filter_map(|line| {
        line.strip_prefix("deb ")?
            .split(' ')
            .find(|word| word.contains("://"))
    });
    let of_new = new
        .lines()
        .filter_map(|line| line.strip_prefix("URIs:")?.split_whitespace().next());
    let is_debian = |url: &&str| url.trim_end_matches('/').ends_with("/debian");
    let found = of_new.chain(of_old).find(is_debian);
    found.unwrap_or("http://deb.debian.org/debian").to_owned()
}
