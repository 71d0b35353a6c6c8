//! `cargo xtask dist`: a release archive and a Debian package, each with the program, its man pages and
//! its completions. The same commit gives the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::command::{self, succeed};
use crate::error::{Context, Error, Result};
use crate::{install, workspace};

/// What to build.
#[derive(Debug, clap::Args)]
pub(crate) struct DistArgs {
    /// Where the files go [default: target/dist]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take this program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// The commands with a man page of their own.
const PAGES: &[&str] = &["copyist", "cp", "copy", "verify"];

/// Each shell, the completions' name in the archive, and their place in the package.
const SHELLS: &[(&str, &str, &str)] = &[
    (
        "bash",
        "copyist.bash",
        "usr/share/bash-completion/completions/copyist",
    ),
    (
        "zsh",
        "_copyist",
        "usr/share/zsh/vendor-completions/_copyist",
    ),
    (
        "fish",
        "copyist.fish",
        "usr/share/fish/vendor_completions.d/copyist.fish",
    ),
    ("powershell", "_copyist.ps1", ""),
    ("elvish", "copyist.elv", ""),
];

const DOCUMENTS: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(crate) fn run(args: &DistArgs) -> Result<ExitCode> {
    let root = workspace::root().to_path_buf();
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| workspace::target().join("dist"));
    let program = match &args.program {
        Some(program) => program.clone(),
        None => build(&root)?,
    };
    let time = commit_time(&root)?;
    let work = out.join("work");
    let _ = fs::remove_dir_all(&work); // of a run that was stopped
    fs::create_dir_all(&work).at("make the directory", &work)?;
    let dist = Dist {
        root,
        out,
        work,
        program,
        time,
        version: env!("CARGO_PKG_VERSION"),
    };
    let made = [dist.archive()?, dist.package()?];
    fs::remove_dir_all(&dist.work).at("remove the directory", &dist.work)?;
    for file in made {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn build(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    succeed(cargo.args(["build", "--release", "--locked", "-p", "copyist-cli"]))?;
    Ok(workspace::target().join("release/copyist"))
}

/// Everything is dated by the commit: seconds since 1970.
fn commit_time(root: &Path) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["log", "-1", "--format=%ct"]);
    Ok(output(&mut git)?.trim().to_owned())
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().doing(&format!("run {command:?}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::new(format!("{command:?}: {error}")));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::new(format!("{command:?}: no text")))
}

struct Dist {
    root: PathBuf,
    out: PathBuf,
    work: PathBuf,
    program: PathBuf,
    time: String,
    version: &'static str,
}

impl Dist {
    /// `copyist-VERSION-SYSTEM.tar.gz`, and its SHA-256 beside it.
    fn archive(&self) -> Result<PathBuf> {
        let name = format!("copyist-{}-{}-linux", self.version, std::env::consts::ARCH);
        let dir = self.work.join(&name);
        self.copy(&self.program, &dir.join("copyist"))?;
        for document in DOCUMENTS {
            self.copy(&self.root.join(document), &dir.join(document))?;
        }
        for page in PAGES {
            self.write(&dir.join("man").join(page_name(page)), &self.page(page)?)?;
        }
        for (shell, file, _) in SHELLS {
            let text = self.completions(shell)?;
            self.write(&dir.join("completions").join(file), &text)?;
        }
        let archive = self.out.join(format!("{name}.tar.gz"));
        let tar = self.work.join("archive.tar");
        succeed(
            Command::new("tar")
                .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
                .args(["--mode=u+rw,go+r-w,a+X", &format!("--mtime=@{}", self.time)])
                .arg("-C")
                .arg(&self.work)
                .arg("-cf")
                .arg(&tar)
                .arg(&name),
        )?;
        // Without -n a gzip header has the time of now.
        succeed(Command::new("gzip").args(["-9", "-n", "-f"]).arg(&tar))?;
        fs::rename(self.work.join("archive.tar.gz"), &archive).at("make", &archive)?;
        let mut sum = Command::new("sha256sum");
        let sum = output(sum.current_dir(&self.out).arg(format!("{name}.tar.gz")))?;
        self.write(&self.out.join(format!("{name}.tar.gz.sha256")), &sum)?;
        Ok(archive)
    }

    /// `copyist_VERSION_ARCHITECTURE.deb`.
    fn package(&self) -> Result<PathBuf> {
        let needed = [("dpkg-deb", "dpkg"), ("dpkg-shlibdeps", "dpkg-dev")];
        let missing = needed.iter().filter(|(it, _)| !command::exists(it));
        install::packages(missing.map(|(_, package)| *package))?;
        let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
        let architecture = architecture.trim();
        let dir = self.work.join("deb");
        self.copy(&self.program, &dir.join("usr/bin/copyist"))?;
        for page in PAGES {
            let file = dir.join("usr/share/man/man1").join(page_name(page));
            self.write(&file, &self.page(page)?)?;
            succeed(Command::new("gzip").args(["-9", "-n"]).arg(&file))?;
        }
        for (shell, _, place) in SHELLS.iter().filter(|(_, _, place)| !place.is_empty()) {
            self.write(&dir.join(place), &self.completions(shell)?)?;
        }
        let docs = dir.join("usr/share/doc/copyist");
        let read = |name: &str| {
            let path = self.root.join(name);
            fs::read_to_string(&path).at("read", &path)
        };
        let copyright = format!(
            "copyist: MIT or Apache-2.0, as you choose.\n\n{}\n{}",
            read("LICENSE-MIT")?,
            read("LICENSE-APACHE")?
        );
        self.write(&docs.join("copyright"), &copyright)?;
        self.write(&docs.join("changelog"), &read("CHANGELOG.md")?)?;
        succeed(
            Command::new("gzip")
                .args(["-9", "-n"])
                .arg(docs.join("changelog")),
        )?;
        let control = format!(
            "Package: copyist\nVersion: {}\nArchitecture: {architecture}\n\
             Maintainer: the copyist maintainers <copyist@localhost>\nSection: utils\nPriority: optional\n\
             Depends: {}\nDescription: file copier that clones, offloads, and says what it did\n \
             copyist copies files the fastest way the machine can, says which way it took,\n \
             and loses nothing. It is a replacement for cp too.\n",
            self.version,
            self.libraries()?
        );
        self.write(&dir.join("DEBIAN/control"), &control)?;
        let package = self
            .out
            .join(format!("copyist_{}_{architecture}.deb", self.version));
        succeed(
            Command::new("dpkg-deb")
                .env("SOURCE_DATE_EPOCH", &self.time)
                .args(["--root-owner-group", "-Zxz", "--build"])
                .arg(&dir)
                .arg(&package),
        )?;
        Ok(package)
    }

    /// The packages that the program's libraries are in.
    fn libraries(&self) -> Result<String> {
        let place = self.work.join("shlibs");
        self.write(
            &place.join("debian/control"),
            "Source: copyist\n\nPackage: copyist\nArchitecture: any\n",
        )?;
        let program = fs::canonicalize(&self.program).at("find", &self.program)?;
        let found = output(
            Command::new("dpkg-shlibdeps")
                .current_dir(&place)
                .arg("-O")
                .arg(program),
        )?;
        let found = found.trim().strip_prefix("shlibs:Depends=");
        found
            .map(str::to_owned)
            .ok_or_else(|| Error::new("dpkg-shlibdeps names no libraries"))
    }

    fn page(&self, page: &str) -> Result<String> {
        let mut program = Command::new(&self.program);
        program.arg("man");
        if page != "copyist" {
            program.arg(page);
        }
        output(&mut program)
    }

    fn completions(&self, shell: &str) -> Result<String> {
        output(Command::new(&self.program).args(["completions", shell]))
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        self.directory_of(to)?;
        fs::copy(from, to).at("copy", from).map(|_| ())
    }

    fn write(&self, path: &Path, text: &str) -> Result<()> {
        self.directory_of(path)?;
        fs::write(path, text).at("write", path)
    }

    fn directory_of(&self, path: &Path) -> Result<()> {
        let dir = path.parent().unwrap_or(&self.work);
        fs::create_dir_all(dir).at("make the directory", dir)
    }
}

fn page_name(page: &str) -> String {
    match page {
        "copyist" => "copyist.1".to_owned(),
        page => format!("copyist-{page}.1"),
    }
}
