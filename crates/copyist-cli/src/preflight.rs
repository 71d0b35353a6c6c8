//! What stands in the way of a copy, said before its first byte.

use std::path::Path;

use copyist::observer::FileKind;
use copyist::preflight::{BadName, Obstacle};
use copyist::{CancelToken, Operand};
use indicatif::HumanBytes;

use crate::console::Console;
use crate::filter::Filter;
use crate::quoting::Quoter;
use crate::settings::Settings;

/// How many obstacles are told one by one.
const TOLD: u64 = 20;

/// Looks for obstacles; whether there are none.
pub(crate) fn passes(
    settings: &Settings,
    operands: &[Operand],
    filter: Option<&Filter>,
    (console, quoter): (&Console, Quoter),
    cancel: &CancelToken,
) -> bool {
    let mut found = 0;
    let wants = |path: &Path, kind: FileKind| filter.is_none_or(|it| it.would_want(path, kind));
    let mut tell = |obstacle| {
        found += 1;
        if found <= TOLD {
            console.error(&words(&obstacle, quoter));
        }
    };
    copyist::preflight::preflight(operands, &settings.options, cancel, &wants, &mut tell);
    if found > TOLD {
        console.error(&format!("and {} more", found - TOLD));
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
                BadName::NotText => "it is no text".to_owned(),
                _ => "it is not allowed".to_owned(),
            };
            let src = quoter.always(src);
            format!("the destination can't hold the name of {src}: {why}")
        }
        _ => "something else is in the way".to_owned(),
    }
}
