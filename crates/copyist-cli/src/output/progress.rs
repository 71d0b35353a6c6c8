//! `--progress`: bytes, files, rate and time left, on standard error. On a terminal it
//! is a bar, elsewhere one line per second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use copyist::preflight::{Counted, Examined};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::console::Console;
use crate::output::narrow::Narrow;
use crate::settings::When;
use crate::words::sync::add_bytes;

const REDRAW_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(1);
/// The rate is an average over about this time, so that it is neither unsteady nor outdated.
const RATE_SECONDS: f64 = 5.0;

/// Sums that the workers and the counting thread add to.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes: AtomicU64,
    pub(crate) files: AtomicU64,
    pub(crate) total_bytes: AtomicU64,
    pub(crate) total_files: AtomicU64,
    /// What the checks before the copy have examined so far.
    examined_entries: AtomicU64,
    examined_bytes: AtomicU64,
    /// These checks are running; nothing is copied yet.
    checking: AtomicBool,
    /// The totals are complete.
    pub(crate) counted: AtomicBool,
    /// The copy is over: the threads that count and draw stop.
    pub(crate) over: AtomicBool,
    /// The display is removed at the end, where a summary line follows.
    clear: AtomicBool,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    bytes: u64,
    files: u64,
    total_bytes: u64,
    total_files: u64,
    counted: bool,
}

impl Counters {
    /// The checks before the copy have examined more.
    pub(crate) fn add_examined(&self, more: &Examined) {
        self.checking.store(true, Ordering::Release);
        self.examined_entries
            .fetch_add(more.entries, Ordering::Relaxed);
        add_bytes(&self.examined_bytes, more.bytes);
    }

    /// The checks are over. Returns whether they counted all, so that these are the totals.
    pub(crate) fn takes(&self, counted: Option<Counted>) -> bool {
        self.checking.store(false, Ordering::Release);
        let Some(counted) = counted.filter(|it| it.is_complete) else {
            return false;
        };
        let examined = counted.examined;
        self.total_files.store(examined.files, Ordering::Relaxed);
        self.total_bytes.store(examined.bytes, Ordering::Relaxed);
        self.counted.store(true, Ordering::Release);
        true
    }

    /// What the checks have examined, while they run.
    fn looking(&self) -> Option<String> {
        let load = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
        let is_checking = self.checking.load(Ordering::Acquire);
        is_checking.then(|| looking(load(&self.examined_entries), load(&self.examined_bytes)))
    }

    fn sample(&self) -> Sample {
        let counted = self.counted.load(Ordering::Acquire);
        Sample {
            bytes: self.bytes.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
            total_files: self.total_files.load(Ordering::Relaxed),
            counted,
        }
    }
}

/// A running display.
#[derive(Debug)]
pub(crate) struct Progress {
    counters: Arc<Counters>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Starts to show the counters, if `when` asks for it.
    pub(crate) fn start(when: When, console: &Console) -> io::Result<Option<Progress>> {
        // A dumb terminal can't move the cursor back.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = io::stderr().is_terminal() && !is_dumb;
        if when == When::Never || (when == When::Auto && !is_terminal) {
            return Ok(None);
        }
        let counters = Arc::new(Counters::default());
        let seen = Arc::clone(&counters);
        let builder = thread::Builder::new().name("progress".to_owned());
        let thread = if is_terminal {
            let bar = ProgressBar::with_draw_target(
                None,
                ProgressDrawTarget::term_like(Box::new(Narrow::stderr())),
            );
            console.set_bar(bar.clone());
            builder.spawn(move || draw(&seen, &bar))?
        } else {
            builder.spawn(move || write_lines(&seen))?
        };
        Ok(Some(Progress { counters, thread }))
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Ends, with the final state shown, or with the bar removed if `clear`.
    pub(crate) fn finish(self, clear: bool) {
        self.counters.clear.store(clear, Ordering::Release);
        self.counters.over.store(true, Ordering::Release);
        self.thread.thread().unpark();
        // It fails only if the thread has panicked. The panic has been printed, and the copy is complete.
        let _ = self.thread.join();
    }
}

fn draw(counters: &Counters, bar: &ProgressBar) {
    // Both templates are constants that indicatif knows how to read.
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    bar.set_style(style("{spinner} {wide_msg}"));
    let mut with_bar = false;
    let mut meter = Meter::new();
    loop {
        let over = counters.over.load(Ordering::Acquire);
        let sample = counters.sample();
        if sample.counted && !with_bar {
            bar.set_style(style("[{bar:10}] {wide_msg}"));
            with_bar = true;
        }
        bar.set_length(sample.total_bytes.max(sample.bytes));
        bar.set_position(sample.bytes);
        let looking = counters.looking();
        let text = looking.unwrap_or_else(|| meter.text(&sample, over));
        bar.set_message(text);
        if over && counters.clear.load(Ordering::Acquire) {
            return bar.finish_and_clear();
        }
        if over {
            return bar.abandon();
        }
        bar.tick();
        thread::park_timeout(REDRAW_EVERY);
    }
}

fn write_lines(counters: &Counters) {
    let mut meter = Meter::new();
    let mut next = Instant::now() + LINE_EVERY;
    loop {
        let over = counters.over.load(Ordering::Acquire);
        if over && counters.clear.load(Ordering::Acquire) {
            return;
        }
        if over || Instant::now() >= next {
            let looking = counters.looking();
            let text = looking.unwrap_or_else(|| meter.text(&counters.sample(), over));
            let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
            next += LINE_EVERY;
        }
        if over {
            return;
        }
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
}

/// Computes the rate.
#[derive(Debug)]
struct Meter {
    began: Instant,
    last: Instant,
    last_bytes: u64,
    /// Bytes a second.
    rate: Option<f64>,
}

impl Meter {
    fn new() -> Meter {
        let now = Instant::now();
        Meter {
            began: now,
            last: now,
            last_bytes: 0,
            rate: None,
        }
    }

    fn text(&mut self, sample: &Sample, over: bool) -> String {
        let now = Instant::now();
        if over {
            let elapsed = now - self.began;
            let rate = sample.bytes as f64 / elapsed.as_secs_f64().max(1e-6);
            return status(sample, Some(rate), Some(elapsed));
        }
        let seconds = (now - self.last).as_secs_f64();
        if seconds > 0.05 {
            let current = sample.bytes.saturating_sub(self.last_bytes) as f64 / seconds;
            let weight = 1.0 - libm::exp(-seconds / RATE_SECONDS);
            let rate = self
                .rate
                .map_or(current, |old| old + weight * (current - old));
            (self.rate, self.last, self.last_bytes) = (Some(rate), now, sample.bytes);
        }
        status(sample, self.rate, None)
    }
}

/// The text while the checks before the copy run.
fn looking(entries: u64, bytes: u64) -> String {
    let plural = if entries == 1 { "y" } else { "ies" };
    let entries = HumanCount(entries);
    match bytes {
        0 => format!("looking: {entries} entr{plural}"), // sizes may not matter
        _ => format!("looking: {entries} entr{plural}, {}", HumanBytes(bytes)),
    }
}

/// The text: `took` is set when the copy is over, and then the totals are left out.
fn status(sample: &Sample, rate: Option<f64>, took: Option<Duration>) -> String {
    let mut bytes = HumanBytes(sample.bytes).to_string();
    let mut files = HumanCount(sample.files).to_string();
    if took.is_none() && sample.total_files > 0 {
        // Totals grow while they are counted; skipped files are included.
        let more = if sample.counted { "" } else { "+" };
        bytes += &format!(" / {}{more}", HumanBytes(sample.total_bytes));
        files += &format!(" / {}{more}", HumanCount(sample.total_files));
    }
    let plural = if files == "1" { "" } else { "s" };
    let files = format!("{files} file{plural}");
    let speed = rate.map_or(String::new(), |rate| {
        format!(", {}/s", HumanBytes(rate as u64))
    });
    if let Some(took) = took {
        return format!("{bytes}, {files}{speed} in {}", clock(took.as_secs_f64()));
    }
    // A narrow terminal cuts off the end, so the most important part is first.
    let left = sample.total_bytes.saturating_sub(sample.bytes) as f64;
    let left = match rate.filter(|rate| *rate >= 1.0 && sample.counted) {
        Some(rate) => format!(", {} left", clock(left / rate)),
        None => String::new(),
    };
    format!("{bytes}{left}{speed}, {files}")
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::sync::atomic::Ordering;

    use copyist::preflight::{Counted, Examined};

    use super::{Counters, Sample, clock, looking, status};

    #[test]
    fn the_text_tells_bytes_files_rate_and_time_left() {
        let mut sample = Sample {
            bytes: 512 << 20,
            files: 1200,
            total_bytes: 1 << 30,
            total_files: 5000,
            counted: false,
        };
        let rate = Some(f64::from(64 << 20));
        assert_eq!(
            status(&sample, rate, None),
            "512.00 MiB / 1.00 GiB+, 64.00 MiB/s, 1,200 / 5,000+ files"
        );
        sample.counted = true;
        assert_eq!(
            status(&sample, rate, None),
            "512.00 MiB / 1.00 GiB, 0:08 left, 64.00 MiB/s, 1,200 / 5,000 files"
        );
        assert_eq!(
            status(&sample, rate, Some(Duration::from_secs(65))),
            "512.00 MiB, 1,200 files, 64.00 MiB/s in 1:05"
        );
        assert_eq!(status(&Sample::default(), None, None), "0 B, 0 files");
        sample.files = 1;
        let done = status(&sample, None, Some(Duration::ZERO));
        assert_eq!(done, "512.00 MiB, 1 file in 0:00");
    }

    #[test]
    fn what_the_checks_look_at_is_shown_and_their_counts_are_the_totals() {
        let bytes = (123 << 30) / 10;
        assert_eq!(looking(41_200, bytes), "looking: 41,200 entries, 12.30 GiB");
        assert_eq!(looking(1, 0), "looking: 1 entry");
        let counters = Counters::default();
        assert_eq!(counters.looking(), None);
        let mut examined = Examined::default();
        (examined.entries, examined.files, examined.bytes) = (3, 2, 1024);
        counters.add_examined(&examined);
        counters.add_examined(&examined);
        let shown = counters.looking();
        assert_eq!(shown.as_deref(), Some("looking: 6 entries, 2.00 KiB"));
        let mut counted = Counted::default();
        counted.examined = examined;
        assert!(!counters.takes(Some(counted)) && !counters.takes(None));
        assert!(!counters.sample().counted);
        assert_eq!(counters.looking(), None);
        counted.is_complete = true;
        assert!(counters.takes(Some(counted)));
        let sample = counters.sample();
        assert!(sample.counted && !counters.checking.load(Ordering::Relaxed));
        assert_eq!((sample.total_files, sample.total_bytes), (2, 1024));
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(clock(0.4), "0:00");
        assert_eq!(clock(3599.6), "1:00:00");
        assert_eq!(clock(7322.0), "2:02:02");
    }
}
