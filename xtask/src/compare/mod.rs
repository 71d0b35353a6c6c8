//! copyist beside other copiers, on the filesystems of the lab: `docs/benchmarks.md` comes from here.
//!
//! - `rows`: what is measured, and what it must show; `tools`: the programs that are compared; `place`: the
//!   filesystems
//! - `programs`: builds and installs them; `data`: makes what is copied
//! - `measure`: runs them, pair by pair; `check`: whether a copy is one
//! - `stats`, `record` (the data file), `render` and `plot` (the page): pure, but for the file
//!
//! The floor and the stopwatch are a program of their own, `yardstick`.

mod check;
mod data;
mod judge;
mod machine;
mod measure;
mod place;
mod plot;
mod programs;
mod record;
mod render;
mod rows;
mod stats;
mod tools;

pub(crate) use stats::Summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::error::{Context, Error, Result};
use crate::{lab, signals, workspace};

use measure::Plan;
use place::Place;
use programs::Programs;
use record::{Records, Run};
use rows::{ROWS, Row};
use tools::Tool;

/// Memory that is left alone.
const RESERVE_BYTES: u64 = 2 << 30;

/// Arguments of `xtask compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// Kinds of work [default: all]: see `--list`
    #[arg(long, value_name = "ROW", value_delimiter = ',', value_parser = row)]
    rows: Vec<&'static Row>,

    /// Filesystems [default: those of each row]
    #[arg(long, value_name = "PLACE", value_delimiter = ',')]
    on: Vec<Place>,

    /// Programs to compare with [default: all that can do the work]
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    tools: Vec<Tool>,

    /// How often each pair is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,

    /// Where the images of the filesystems are made [default: in memory if there is enough, else
    /// the build directory]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,

    /// Keeps what was measured; the page and the plot are written beside it [default: docs/benchmarks.json]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// List the kinds of work and where each is measured
    #[arg(long)]
    list: bool,

    /// Only build and install what takes part
    #[arg(long)]
    prepare: bool,

    /// Only write the page and the plot, from the data file
    #[arg(long)]
    render: bool,

    /// Use so many times less data: to try this, not to measure
    #[arg(long, value_name = "N", default_value_t = 1, hide = true, requires = "data", value_parser = clap::value_parser!(u64).range(1..))]
    scale: u64,
}

fn row(name: &str) -> Result<&'static Row> {
    Row::named(name).ok_or_else(|| {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        Error::new(format!("the kinds of work are {}", names.join(", ")))
    })
}

/// Runs `xtask compare`.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode> {
    if args.list {
        list();
        return Ok(ExitCode::SUCCESS);
    }
    let data = args
        .data
        .clone()
        .unwrap_or_else(|| workspace::root().join("docs/benchmarks.json"));
    if args.render {
        write_pages(&Records::read(&data)?, &data)?;
        return Ok(ExitCode::SUCCESS);
    }
    signals::catch()?;
    let programs = Programs::prepare(if args.tools.is_empty() {
        &Tool::ALL
    } else {
        &args.tools
    })?;
    if !args.prepare {
        measure(args, &programs, &data)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list() {
    for row in ROWS {
        println!("{:13} {}", row.name, row.title);
        let title = |place: &Place| place.title();
        let on: Vec<_> = row.on.iter().map(title).collect();
        let also: Vec<_> = row.also_on.iter().map(title).collect();
        let also = if also.is_empty() {
            String::new()
        } else {
            format!("; if asked for: {}", also.join(", "))
        };
        println!("{:13}   {}{also}", "", on.join(", "));
    }
}

fn measure(args: &CompareArgs, programs: &Programs, data: &Path) -> Result<()> {
    let chosen = chosen(args)?;
    let rows = chosen
        .iter()
        .map(|(row, place)| needed_bytes(row, *place, args.scale));
    let labs = labs(args.images.as_deref(), rows.max().unwrap_or_default())?;
    let measured = measure_all(&chosen, args, programs, data, &labs);
    // It stays if another run has a lab there.
    let _ = fs::remove_dir(&labs);
    write_pages(&measured?, data)
}

/// Measures these, and keeps each as soon as it is known.
fn measure_all(
    chosen: &[(&'static Row, Place)],
    args: &CompareArgs,
    programs: &Programs,
    data: &Path,
    labs: &Path,
) -> Result<Records> {
    lab::sweep(labs)?;
    let run = describe(programs, labs)?;
    let mut records = Records::read(data)?;
    let plan = Plan {
        labs,
        programs,
        rounds: args.rounds as usize,
        scale: args.scale,
    };
    for (row, place) in chosen {
        require_room(row, *place, args.scale, labs)?;
        let tools = match &args.tools[..] {
            [] => row.tools(),
            tools => tools.to_vec(),
        };
        let pairs = plan.measure(row, *place, &tools, &run.date)?;
        render::tell(&pairs);
        records.merge(&run, pairs);
        records.write(data)?;
    }
    Ok(records)
}

/// The rows and places that the user wants, in the table's order.
fn chosen(args: &CompareArgs) -> Result<Vec<(&'static Row, Place)>> {
    let is_wanted = |row: &Row| {
        let mut wanted = args.rows.iter();
        args.rows.is_empty() || wanted.any(|wanted| wanted.name == row.name)
    };
    let mut chosen = Vec::new();
    for row in ROWS.iter().filter(|row| is_wanted(row)) {
        let mut places = row.on.to_vec();
        if !args.on.is_empty() {
            places.extend(row.also_on);
            places.retain(|place| args.on.contains(place));
        }
        chosen.extend(places.into_iter().map(|place| (row, place)));
    }
    if chosen.is_empty() {
        return Err(Error::new(
            "none of these kinds of work is measured on any of these filesystems; see --list",
        ));
    }
    Ok(chosen)
}

/// Source and destination, each in the page cache and in an image.
fn needed_bytes(row: &Row, place: Place, scale: u64) -> u64 {
    let copies = if place.has_image() { 4 } else { 2 };
    copies * row.data.scaled(scale).disk_bytes()
}

/// Where to make labs. What lies in memory is measured without the noise of a disk.
fn labs(images: Option<&Path>, needed_bytes: u64) -> Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let images = match images {
        Some(images) => images.to_owned(),
        None if machine::is_in_memory(memory).unwrap_or(false)
            && needed_bytes + RESERVE_BYTES <= machine::free_bytes(memory)?
            && needed_bytes + RESERVE_BYTES <= machine::memory_bytes("MemAvailable")? =>
        {
            memory.to_owned()
        }
        None => workspace::target(),
    };
    let labs = images.join("copyist-compare");
    fs::create_dir_all(&labs).at("create", &labs)?;
    fs::canonicalize(&labs).at("resolve", &labs)
}

/// Fails if it would have to swap, or fill a disk.
fn require_room(row: &Row, place: Place, scale: u64, labs: &Path) -> Result<()> {
    let bytes = needed_bytes(row, place, scale);
    let memory = machine::memory_bytes("MemAvailable")?;
    let free = machine::free_bytes(labs)?;
    for (what, there) in [("memory", memory), ("disk space for images", free)] {
        if bytes + RESERVE_BYTES > there {
            let mib = |bytes: u64| bytes >> 20;
            return Err(Error::new(format!(
                "{} on {} needs {} MiB of {what}, and {} MiB to spare; there are {} MiB",
                row.name,
                place.title(),
                mib(bytes),
                mib(RESERVE_BYTES),
                mib(there),
            )));
        }
    }
    Ok(())
}

fn describe(programs: &Programs, labs: &Path) -> Result<Run> {
    let load = machine::load();
    if let Some(load) = load.filter(|load| machine::is_busy(*load)) {
        eprintln!("the load is {load} before anything is measured: something else is running");
    }
    Ok(Run {
        date: machine::now()?,
        kernel: machine::kernel(),
        processor: machine::processor(),
        processors: machine::processors(),
        memory_bytes: machine::memory_bytes("MemTotal")?,
        images_in_memory: machine::is_in_memory(labs)?,
        load,
        copyist: programs.copyist.version.clone(),
    })
}

fn write_pages(records: &Records, data: &Path) -> Result<()> {
    let plot = data.with_extension("svg");
    let name = plot.file_name().unwrap_or_default().to_string_lossy();
    fs::write(&plot, plot::svg(records)).at("write", &plot)?;
    let page = data.with_extension("md");
    fs::write(&page, render::page(records, &name)).at("write", &page)?;
    eprintln!("written: {}, {}", page.display(), plot.display());
    Ok(())
}
