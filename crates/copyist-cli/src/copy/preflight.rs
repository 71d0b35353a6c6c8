//! Checks before the first byte is copied: space, names, sizes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use copyist::observer::FileKind;
use copyist::preflight::{BadName, Counted, Examined, Obstacle, Watch};
use copyist::{CancelToken, Operand};
use indicatif::HumanBytes;

use crate::copy::filter::Filter;
use crate::output::console::Console;
use crate::output::progress::Counters;
use crate::settings::Settings;
use crate::words::quoting::Quoter;

/// How many obstacles are listed; the rest is a number.
const SHOWN_MAX: u64 = 20;

struct Checks<'a> {
    filter: Option<&'a Filter>,
    counters: Option<&'a Counters>,
    console: &'a Console,
    quoter: Quoter,
    found: AtomicU64,
}

impl Watch for Checks<'_> {
    fn wants(&self, path: &Path, kind: FileKind) -> bool {
        self.filter.is_none_or(|it| it.would_want(path, kind))
    }

    fn examined(&self, more: Examined) {
        if let Some(counters) = self.counters {
            counters.add_examined(&more);
        }
    }

    fn obstacle(&self, obstacle: Obstacle) {
        if self.found.fetch_add(1, Ordering::Relaxed) < SHOWN_MAX {
            self.console.error(&words(&obstacle, self.quoter));
        }
    }
}

/// Reports the obstacles. Returns what was counted, if there are none.
pub(crate) fn check(
    settings: &Settings,
    operands: &[Operand],
    (filter, counters): (Option<&Filter>, Option<&Counters>),
    (console, quoter): (&Console, Quoter),
    cancel: &CancelToken,
) -> Option<Counted> {
    let checks = Checks {
        filter,
        counters,
        console,
        quoter,
        found: AtomicU64::new(0),
    };
    let counted = copyist::preflight::preflight(operands, &settings.options, cancel, &checks);
    let found = checks.found.into_inner();
    if found > SHOWN_MAX {
        console.error(&format!("and {} more", found - SHOWN_MAX));
    }
    if found > 0 {
        console.error("nothing was copied; --no-preflight copies what can be");
    }
    (found == 0).then_some(counted)
}

fn words(obstacle: &Obstacle, quoter: Quoter) -> String {
    match obstacle {
        Obstacle::Space { dst, needed, free } => format!(
            "not enough space for {}: {} are needed, and {} are free",
            quoter.always(dst),
            HumanBytes(*needed),
            HumanBytes(*free)
        ),
        Obstacle::Collision(one, other) => format!(
            "{} and {} have one name on the destination, where case makes no difference",
            quoter.always(one),
            quoter.always(other)
        ),
        Obstacle::TooLarge { src, size, limit } => format!(
            "{} has {}, and a file on the destination at most {}",
            quoter.always(src),
            HumanBytes(*size),
            HumanBytes(*limit)
        ),
        Obstacle::Name(src, why) => {
            let why = match why {
                BadName::TooLong => "it is too long".to_owned(),
                BadName::Character(c) => format!("it has {}", quoter.always(c.to_string())),
                BadName::NotText => "it is not UTF-8".to_owned(),
                _ => "it is not allowed".to_owned(),
            };
            let src = quoter.always(src);
            format!("the destination can't hold the name of {src}: {why}")
        }
        _ => "the copy would fail for another reason".to_owned(),
    }
}
