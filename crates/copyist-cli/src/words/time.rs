//! Dates and durations as people read them.

use std::time::Duration;

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;

/// A time, seconds since 1970 and nanoseconds, as RFC 3339 in UTC, without trailing zeros in the fraction.
/// (Years beyond 9999, which RFC 3339 doesn't have, have more digits.)
pub(crate) fn rfc3339((seconds, nanoseconds): (i64, u32)) -> String {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_OF_DAY));
    let second = seconds.rem_euclid(SECONDS_OF_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = format!(".{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The year, month and day of a day since 1970-01-01, in the Gregorian calendar.
///
/// # References
///  - [Howard Hinnant, chrono-Compatible Low-Level Date Algorithms](https://howardhinnant.github.io/date_algorithms.html)
fn civil(day: i64) -> (i64, i64, i64) {
    // Days are counted from 0000-03-01, so that a leap day ends a year; 400 years have as many days as any other 400.
    const DAYS_OF_ERA: i64 = 146_097;
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(DAYS_OF_ERA), day.rem_euclid(DAYS_OF_ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year + era * 400 + next, month, day)
}

/// A duration in the two units that fit it best.
pub(crate) fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => format!("{} ms", elapsed.as_millis()),
        1..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    /// What GNU date says: `date -u -d @N --rfc-3339=ns`.
    #[test]
    fn times_are_dates() {
        let table = [
            ((0, 0), "1970-01-01T00:00:00Z"),
            ((1_000_000_000, 0), "2001-09-09T01:46:40Z"),
            ((951_782_400, 500_000_000), "2000-02-29T00:00:00.5Z"),
            ((951_868_799, 1), "2000-02-29T23:59:59.000000001Z"),
            ((4_107_542_400, 0), "2100-03-01T00:00:00Z"),
            (
                (1_795_827_026, 599_286_779),
                "2026-11-28T00:50:26.599286779Z",
            ),
            ((-1, 999_999_900), "1969-12-31T23:59:59.9999999Z"),
            ((-62_167_219_200, 0), "0000-01-01T00:00:00Z"),
            ((253_402_300_800, 0), "10000-01-01T00:00:00Z"),
        ];
        for (time, expected) in table {
            assert_eq!(rfc3339(time), expected);
        }
        // No time that a filesystem can store overflows.
        for seconds in [i64::MIN, i64::MAX] {
            assert!(rfc3339((seconds, 0)).ends_with('Z'));
        }
    }
}
