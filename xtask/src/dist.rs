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
const PAGES: &[&str] = &[
    "copyist", "cp", "copy", "verify", "probe", "bench", "doctor",
];

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
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| workspace::target().join("dist"));
    let program = match &args.program {
        Some(program) => program.clone(),
        None => build(workspace::root())?,
    };
    for file in make(&out, program)? {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the archive and the package.
fn make(out: &Path, program: PathBuf) -> Result<[PathBuf; 2]> {
    let root = workspace::root().to_path_buf();
    let time = commit_time(&root)?;
    let work = out.join("work");
    let _ = fs::remove_dir_all(&work); // of a run that was stopped
    fs::create_dir_all(&work).at("make the directory", &work)?;
    let dist = Dist {
        root,
        out: out.to_path_buf(),
        work,
        program,
        time,
        version: env!("CARGO_PKG_VERSION"),
    };
    let made = [dist.archive()?, dist.package()?];
    fs::remove_dir_all(&dist.work).at("remove the directory", &dist.work)?;
    Ok(made)
}

/// A program that needs no library: it runs on systems older than this one, and starts in two thirds of
/// the time. (Only with a target that is named does cargo not build its own tools that way, too.)
fn build(root: &Path) -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    let about = output(rustc.current_dir(root).arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Error::new("rustc -vV names no host"))?;
    let mut cargo = command::cargo(root);
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    cargo.args(["build", "--release", "--locked", "-p", "copyist-cli"]);
    succeed(cargo.args(["--target", host]))?;
    Ok(workspace::target().join(host).join("release/copyist"))
}

/// Builds both and checks their content; returns how many things were asserted.
pub(crate) fn check() -> Result<u64> {
    let out = workspace::target().join("dist-test");
    let _ = fs::remove_dir_all(&out); // of a run that was stopped
    let mut cargo = command::cargo(workspace::root());
    succeed(cargo.args(["build", "--release", "--locked", "-p", "copyist-cli"]))?;
    let program = workspace::target().join("release/copyist");
    let read = |path: &PathBuf| fs::read(path).at("read", path);
    let [archive, package] = make(&out, program.clone())?;
    let first = [read(&archive)?, read(&package)?];
    make(&out, program)?;
    if first != [read(&archive)?, read(&package)?] {
        return Err(Error::new("made twice, the files differ"));
    }
    let (unpacked, installed) = (out.join("unpacked"), out.join("installed"));
    fs::create_dir_all(&unpacked).at("make the directory", &unpacked)?;
    let mut tar = Command::new("tar");
    succeed(
        tar.arg("-C")
            .arg(&unpacked)
            .args(["--strip-components=1", "-xf"])
            .arg(&archive),
    )?;
    succeed(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(&package)
            .arg(&installed),
    )?;
    let version = format!("copyist {}\n", env!("CARGO_PKG_VERSION"));
    for program in [unpacked.join("copyist"), installed.join("usr/bin/copyist")] {
        let said = output(Command::new(&program).arg("--version"))?;
        if said != version {
            return Err(Error::new(format!("{}: {said}", program.display())));
        }
    }
    let in_archive = PAGES.iter().map(|page| format!("man/{}", page_name(page)));
    let in_archive = in_archive.chain(SHELLS.iter().map(|it| format!("completions/{}", it.1)));
    let in_package = PAGES
        .iter()
        .map(|page| format!("usr/share/man/man1/{}.gz", page_name(page)));
    let places = SHELLS.iter().filter(|it| !it.2.is_empty());
    let in_package = in_package.chain(places.map(|it| it.2.to_owned()));
    let files = in_archive.map(|name| unpacked.join(name));
    let files = files.chain(in_package.map(|name| installed.join(name)));
    let mut count = 3; // the same bytes, and both programs
    for file in files {
        if fs::metadata(&file).at("find", &file)?.len() == 0 {
            return Err(Error::new(format!("{} is empty", file.display())));
        }
        count += 1;
    }
    let completions = unpacked.join("completions/copyist.bash");
    succeed(Command::new("bash").arg("-n").arg(completions))?;
    fs::remove_dir_all(&out).at("remove the directory", &out)?;
    Ok(count + 1)
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
             {}Description: file copier that clones, offloads, and says what it did\n \
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

    /// The line with the packages that the program's libraries are in; nothing if it needs none.
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
        Ok(found.map_or_else(String::new, |packages| format!("Depends: {packages}\n")))
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
