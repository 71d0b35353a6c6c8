//! The plot: each program's time as a multiple of copyist's, one line for each filesystem.
//!
//! Colours are of middle brightness and the ground is left clear, so that it reads on light and on dark.

use std::fmt::Write;

use super::judge;
use super::record::{Pair, Records};
use super::rows::ROWS;
use super::tools::Tool;

const WIDTH: f64 = 860.0;
/// Where the axis begins; names of filesystems are left of it.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 840.0;
const TOP: f64 = 80.0;
const LINE: f64 = 18.0;
const HEADING: f64 = 30.0;

/// The values that the axis names, as far as they are needed.
const TICKS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// One line of dots.
struct Line {
    name: &'static str,
    y: f64,
    dots: Vec<(Tool, f64)>,
}

/// The whole picture.
pub(super) fn svg(records: &Records) -> String {
    let (mut y, mut lines, mut headings) = (TOP, Vec::new(), Vec::new());
    for row in ROWS.iter().filter(|row| !row.is_about_memory()) {
        let pairs: Vec<&Pair> = records.of(row.name).collect();
        let made: Vec<Line> = places(&pairs, y + HEADING);
        if let Some(last) = made.last() {
            headings.push((row.title.replace('`', ""), y + HEADING - LINE + 2.0));
            y = last.y + LINE / 2.0;
            lines.extend(made);
        }
    }
    let scale = Scale::of(&lines);
    let height = y + 12.0;
    let mut svg = head(height);
    svg += &legend(&lines);
    svg += &scale.axis(y);
    for (title, y) in headings {
        let _ = writeln!(
            svg,
            "<text class=\"h\" x=\"8\" y=\"{y}\">{}</text>",
            escaped(&title)
        );
    }
    for line in &lines {
        let _ = writeln!(
            svg,
            "<text class=\"p\" x=\"{}\" y=\"{}\">{}</text>",
            LEFT - 10.0,
            line.y + 4.0,
            escaped(line.name)
        );
        for (tool, times) in &line.dots {
            let title = format!("{}: {times:.2} times copyist's time", tool.title());
            svg += &mark(*tool, scale.x(*times), line.y, &title);
        }
    }
    svg + "</svg>\n"
}

fn places(pairs: &[&Pair], first_y: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for place in judge::places(pairs) {
        let here = pairs.iter().filter(|pair| pair.on == place);
        let dots: Vec<_> = here
            .filter_map(|pair| Some((pair.tool, 1.0 / pair.ratio()?.median)))
            .collect();
        if !dots.is_empty() {
            lines.push(Line {
                name: place.title(),
                y: first_y + LINE * lines.len() as f64,
                dots,
            });
        }
    }
    lines
}

fn head(height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Wall times of other copiers as multiples of copyist's\">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #57606a; }}
.h {{ font-weight: 600; }}
.p {{ text-anchor: end; }}
.t {{ text-anchor: middle; }}
.g {{ stroke: #8c959f; stroke-opacity: .35; }}
.one {{ stroke: #d1495b; stroke-width: 2; }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #b1bac4; }} }}
</style>
"
    )
}

/// The tools that there are, in two rows at the top.
fn legend(lines: &[Line]) -> String {
    let is_there = |tool: &Tool| {
        let mut dots = lines.iter().flat_map(|line| &line.dots);
        dots.any(|(dot, _)| dot == tool)
    };
    let mut legend = String::from(
        "<line class=\"one\" x1=\"8\" y1=\"14\" x2=\"20\" y2=\"14\"/><text x=\"26\" y=\"18\">copyist</text>\n",
    );
    let mut x = 96.0;
    for tool in Tool::ALL.into_iter().filter(is_there) {
        legend += &mark(tool, x, 14.0, tool.title());
        let _ = writeln!(
            legend,
            "<text x=\"{}\" y=\"18\">{}</text>",
            x + 10.0,
            tool.title()
        );
        x += 30.0 + 6.6 * tool.title().len() as f64;
    }
    legend
}

/// The axis is logarithmic: twice as long is as far from one as half as long.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// From tick to tick around all values, and 1.
    fn of(lines: &[Line]) -> Self {
        let values = || {
            lines
                .iter()
                .flat_map(|line| line.dots.iter().map(|dot| dot.1))
        };
        let (low, high) = (values().fold(1.0, f64::min), values().fold(2.0, f64::max));
        let below = TICKS.iter().rfind(|tick| **tick <= low);
        let above = TICKS.iter().find(|tick| **tick >= high);
        let [first, .., last] = TICKS;
        Self {
            least: *below.unwrap_or(&first),
            most: *above.unwrap_or(&last),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let value = value.clamp(self.least, self.most);
        let part = (value / self.least).ln() / (self.most / self.least).ln();
        LEFT + part * (RIGHT - LEFT)
    }

    fn axis(&self, bottom: f64) -> String {
        let mut axis = format!(
            "<text class=\"t\" x=\"{:.1}\" y=\"{}\">wall time, copyist's is 1: who is right of the line \
             takes longer</text>\n",
            f64::midpoint(LEFT, RIGHT),
            TOP - 36.0
        );
        let is_shown = |tick: &&f64| (self.least..=self.most).contains(*tick);
        for tick in TICKS.iter().filter(is_shown) {
            let x = self.x(*tick);
            let class = if *tick == 1.0 { "one" } else { "g" };
            let _ = writeln!(
                axis,
                "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
                 <text class=\"t\" x=\"{x:.1}\" y=\"{}\">{tick}×</text>",
                TOP - 10.0,
                TOP - 16.0
            );
        }
        axis
    }
}

/// Tools differ in colour and in shape.
fn mark(tool: Tool, x: f64, y: f64, title: &str) -> String {
    let (colour, shape) = match tool {
        Tool::Floor => ("#8c959f", "M-5 -5L5 5M5 -5L-5 5"),
        Tool::Cp => ("#d98c21", "M-5 -5H5V5H-5Z"),
        Tool::CpNewest => ("#d98c21", "M0 -6L6 0L0 6L-6 0Z"),
        Tool::Rsync => ("#c2559d", "M-5 5L0 -6L5 5Z"),
        Tool::Cpz => ("#3d8bd4", "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"),
        Tool::Xcp => ("#2f9e63", "M-5 -5H5V5H-5Z"),
        Tool::Cpx => ("#8a6fd1", "M-5 -5L0 6L5 -5Z"),
        Tool::Rcp => ("#1f9c9c", "M0 -6L6 0L0 6L-6 0Z"),
        Tool::StdCopy => ("#d98c21", "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"),
        Tool::ReflinkCopy => ("#2f9e63", "M0 -6L6 0L0 6L-6 0Z"),
        Tool::FsExtra => ("#8a6fd1", "M-5 -5H5V5H-5Z"),
    };
    let paint = if tool == Tool::Floor {
        format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"")
    } else {
        format!("fill=\"{colour}\" fill-opacity=\".85\"")
    };
    format!(
        "<path transform=\"translate({x:.1} {y:.1})\" d=\"{shape}\" {paint}><title>{}</title></path>\n",
        escaped(title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::place::Place;
    use super::super::record::tests::{pair, run};
    use super::*;

    #[test]
    fn each_ranked_program_has_its_dot() {
        let mut records = Records::default();
        let cpz = pair("small", Place::Tmpfs, Tool::Cpz, "d", &[(1.0, 2.0)]);
        let mut wrong = pair("small", Place::Tmpfs, Tool::Xcp, "d", &[(1.0, 4.0)]);
        wrong.fault = Some("it is wrong".into());
        let memory = pair("million-flat", Place::Tmpfs, Tool::Cp, "d", &[(1.0, 4.0)]);
        records.merge(&run("d"), vec![cpz, wrong, memory]);
        let svg = svg(&records);
        assert!(
            svg.contains("<title>cpz: 2.00 times copyist's time</title>"),
            "{svg}"
        );
        assert!(!svg.contains("xcp") && !svg.contains("GNU"), "{svg}");
        assert!(svg.contains("500 directories, -r<"), "{svg}");
    }

    #[test]
    fn the_axis_goes_from_tick_to_tick_and_is_logarithmic() {
        let line = Line {
            name: "tmpfs",
            y: 0.0,
            dots: vec![(Tool::Cpz, 0.7), (Tool::Rsync, 6.0)],
        };
        let scale = Scale::of(&[line]);
        assert_eq!((scale.least, scale.most), (0.5, 8.0));
        assert_eq!((scale.x(0.5), scale.x(8.0)), (LEFT, RIGHT));
        assert!((scale.x(2.0) - f64::midpoint(LEFT, RIGHT)).abs() < 1e-9);
        assert_eq!(scale.x(100.0), RIGHT);
    }
}
