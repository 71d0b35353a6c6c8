//! A bar chart as SVG. Pure: figures in, text out.
//!
//! It has no background, and colours that are legible on a light and on a dark page; with
//! `prefers-color-scheme` they are adapted to it. A refused or missing
//! measurement is a line of text in its place.

use std::fmt::Write as _;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// What was measured.
    pub(crate) label: String,
    /// The result.
    pub(crate) value: Value,
    /// The one that the others are compared with.
    pub(crate) is_baseline: bool,
}

/// The result of a measurement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// The length of the bar, its spread, and the text at its end.
    Measured {
        middle: f64,
        low: f64,
        high: f64,
        text: String,
    },
    /// Why there is no bar.
    Missing(String),
}

/// A chart of horizontal bars, which begin at zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// What the length of a bar is.
    pub(crate) axis: String,
    pub(crate) bars: Vec<Bar>,
}

const WIDTH: f64 = 760.0;
/// Where bars begin.
const LEFT: f64 = 170.0;
/// The space on the right for the text at the end of a bar.
const RIGHT: f64 = 190.0;
const ROW: f64 = 34.0;
const BAR: f64 = 20.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 42.0;

// The first colours are for readers without `prefers-color-scheme`: each has a contrast of at least 3
// with white and with black.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#737b87}\
.title{font-size:16px;font-weight:600}\
.bar{fill:#3b82c4}.base{fill:#8a8f98}\
.spread{stroke:#737b87;stroke-width:1.5}\
.grid{stroke:#8a8f98;stroke-opacity:.35}\
.end{font-weight:600}.missing{font-style:italic}\
@media(prefers-color-scheme:light){text{fill:#3d444d}.title,.end{fill:#1f2328}\
.spread{stroke:#1f2328}}\
@media(prefers-color-scheme:dark){text{fill:#b3bac3}.title,.end{fill:#f0f3f6}\
.bar{fill:#539bf5}.spread{stroke:#f0f3f6}}";

/// Draws the chart.
pub(crate) fn svg(chart: &Chart) -> String {
    let height = TOP + ROW * chart.bars.len() as f64 + BOTTOM;
    let scale = Scale::of(&chart.bars);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n",
        escape(&chart.title)
    );
    text(&mut out, 16.0, 26.0, "title", "start", &chart.title);
    text(&mut out, 16.0, 47.0, "", "start", &chart.subtitle);
    let bottom = height - BOTTOM;
    for tick in scale.ticks() {
        let x = scale.x(tick);
        // Formatting into a String can't fail.
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        );
        text(&mut out, x, bottom + 16.0, "", "middle", &number(tick));
    }
    text(&mut out, LEFT, height - 8.0, "", "start", &chart.axis);
    for (n, bar) in chart.bars.iter().enumerate() {
        row(&mut out, TOP + ROW * n as f64, bar, &scale);
    }
    out.push_str("</svg>\n");
    out
}

fn row(out: &mut String, top: f64, bar: &Bar, scale: &Scale) {
    let base = top + ROW / 2.0 + 4.5;
    text(out, LEFT - 10.0, base, "", "end", &bar.label);
    match &bar.value {
        Value::Missing(why) => text(out, LEFT + 6.0, base, "missing", "start", why),
        Value::Measured {
            middle,
            low,
            high,
            text: words,
        } => {
            let (y, width) = (top + (ROW - BAR) / 2.0, (scale.x(*middle) - LEFT).max(1.5));
            let class = if bar.is_baseline { "base" } else { "bar" };
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{BAR}\" rx=\"2\"/>"
            );
            let (from, to) = (scale.x(*low), scale.x(*high));
            // A spread narrower than its line is not drawn.
            if to - from >= 2.0 {
                spread(out, from, to, top + ROW / 2.0);
            }
            let end = to.max(LEFT + width) + 8.0;
            text(out, end, base, "end", "start", words);
        }
    }
}

/// The spread, as a line with ends.
fn spread(out: &mut String, from: f64, to: f64, y: f64) {
    let (above, below) = (y - 4.0, y + 4.0);
    let _ = writeln!(
        out,
        "<path class=\"spread\" fill=\"none\" d=\"M{from:.1} {y:.1}H{to:.1}\
         M{from:.1} {above:.1}V{below:.1}M{to:.1} {above:.1}V{below:.1}\"/>"
    );
}

fn text(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(" class=\"{class}\"")
    };
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{class}>{}</text>",
        escape(words)
    );
}

fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 can't represent these.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// From values to positions.
struct Scale {
    most: f64,
    step: f64,
}

impl Scale {
    fn of(bars: &[Bar]) -> Scale {
        let most = bars.iter().fold(0.0_f64, |most, bar| match bar.value {
            Value::Measured { middle, high, .. } => most.max(high).max(middle),
            Value::Missing(_) => most,
        });
        let most = if most > 0.0 { most } else { 1.0 };
        Scale {
            most,
            step: step(most / 4.0),
        }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * value / self.most
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let count = (self.most / self.step).floor() as u32;
        (0..=count).map(|n| f64::from(n) * self.step)
    }
}

/// The next of 1, 2, 5, 10, 20, 50 ... at or above `least`.
fn step(least: f64) -> f64 {
    let power = libm::exp10(libm::log10(least).floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|it| it * power >= least);
    factor.unwrap_or(10.0) * power
}

/// A round number without rounding errors.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(middle: f64, low: f64, high: f64) -> Bar {
        Bar {
            label: "a < b".into(),
            value: Value::Measured {
                middle,
                low,
                high,
                text: "words".into(),
            },
            is_baseline: false,
        }
    }

    fn chart(bars: Vec<Bar>) -> String {
        svg(&Chart {
            title: "T & U".into(),
            subtitle: "s".into(),
            axis: "ms".into(),
            bars,
        })
    }

    #[test]
    fn the_longest_reaches_the_end_and_others_their_part() {
        let svg = chart(vec![
            measured(200.0, 200.0, 200.0),
            measured(50.0, 40.0, 60.0),
        ]);
        assert!(svg.contains("width=\"400.0\""), "{svg}");
        assert!(svg.contains("width=\"100.0\""), "{svg}");
        assert!(
            svg.contains("M250.0"),
            "the spread begins at 40 of 200: {svg}"
        );
        assert!(svg.contains(">a &lt; b</text>"), "{svg}");
        assert!(svg.contains("<title>T &amp; U</title>"), "{svg}");
    }

    #[test]
    fn nothing_measured_is_no_division_by_zero() {
        let missing = Bar {
            value: Value::Missing("refused".into()),
            ..measured(0.0, 0.0, 0.0)
        };
        let svg = chart(vec![missing, measured(0.0, 0.0, 0.0)]);
        assert!(svg.contains(">refused</text>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(
            [step(0.3), step(1.0), step(7.0), step(34.0)],
            [0.5, 1.0, 10.0, 50.0]
        );
        assert_eq!([number(0.5), number(50.0)], ["0.5", "50"]);
    }
}
