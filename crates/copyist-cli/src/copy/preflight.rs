//! Checks before the first byte is copied: space, names, sizes.

use std::path::Path;

use copyist::observer::FileKind;
use copyist::preflight::{BadName, Obstacle};
use copyist::{CancelToken, Operand};
use indicatif::HumanBytes;

use crate::copy::filter::Filter;
use crate::output::console::Console;
use crate::settings::Settings;
use crate::words::quoting::Quoter;

/// How many obstacles are listed; the rest is a number.
const SHOWN_MAX: u64 = 20;

/// Reports the obstacles. Returns whether there are none.
pub(crate) fn passes(
    settings: &Settings,
    operands: &[Operand],
    filter: Option<&Filter>,
    (console, quoter): (&Console, Quoter),
    cancel: &CancelToken,
) -> bool {
    let mut found = 0;
    let wants = |path: &Path, kind: FileKind| filter.is_none_or(|it| it.would_want(path, kind));
    let mut report = |obstacle| {
        found += 1;
        if found <= SHOWN_MAX {
            console.error(&words(&obstacle, quoter));
        }
    };
    copyist::preflight::preflight(operands, &settings.options, cancel, &wants, &mut report);
    if found > SHOWN_MAX {
        console.error(&format!("and {} more", found - SHOWN_MAX));
    }
    if found > 0 {
        console.error("nothing was copied; --no-preflight copies what can be");
    }
    found == 0
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
