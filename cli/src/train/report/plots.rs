//! The report's diagrams as SVG. Their colours are those of the light page; the style sheet replaces them in the dark.

use std::{io, ops::Range};

use imageclassifier_train::{Calibration, CalibrationBin, CoveragePoint, LearningPoint};
use plotters::{
    chart::{ChartBuilder, ChartContext},
    coord::{
        cartesian::Cartesian2d,
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
        types::RangedCoordf64,
    },
    drawing::{DrawingAreaErrorKind, IntoDrawingArea},
    element::Circle,
    prelude::SVGBackend,
    series::{DashedLineSeries, LineSeries},
    style::{Color, IntoFont, RGBColor, TRANSPARENT},
};

use super::content::Kept;

const WIDTH: u32 = 480;
const HEIGHT: u32 = 330;
const INK: RGBColor = RGBColor(0x1F, 0x29, 0x37);
const GRID: RGBColor = RGBColor(0xD9, 0xDD, 0xE3);
const ACCENT: RGBColor = RGBColor(0x1D, 0x5F, 0xD1);
const MUTED: RGBColor = RGBColor(0x6B, 0x72, 0x80);
const FONT: (&str, i32) = ("sans-serif", 18);
const DOT_RADIUS: i32 = 4;
/// The name of SVG's elements, which a browser knows within HTML. It looks like a link to what searches for links.
const NAMESPACE: &str = r#" xmlns="http://www.w3.org/2000/svg""#;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

#[derive(Clone)]
struct Axis {
    name: &'static str,
    range: Range<f64>,
    ticks: Vec<f64>,
    label: fn(&f64) -> String,
}

/// Of the photographs with about the same confidence, the share that is right. Larger dots stand for more photographs.
pub(super) fn reliability(calibration: &Calibration) -> String {
    let bins: Vec<_> = calibration.bins.iter().filter(|it| it.count > 0).collect();
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let radius = |bin: &CalibrationBin| {
        let share = (bin.count as f64 / most).sqrt();
        #[allow(clippy::cast_possible_truncation, reason = "a few pixels")]
        let radius = (3.0 + 8.0 * share) as i32;
        radius
    };
    let place = |bin: &CalibrationBin| (bin.confidence, bin.accuracy);
    let axis = |name| Axis::of_shares(name, 0.0);
    draw(axis("stated confidence"), axis("right"), |chart| {
        let diagonal = [(0.0, 0.0), (1.0, 1.0)];
        chart.draw_series(DashedLineSeries::new(diagonal, 6, 5, MUTED.stroke_width(2)))?;
        let line = bins.iter().map(|bin| place(bin));
        chart.draw_series(LineSeries::new(line, ACCENT.stroke_width(2)))?;
        chart.draw_series(
            bins.iter()
                .map(|bin| Circle::new(place(bin), radius(bin), ACCENT.filled())),
        )?;
        Ok(())
    })
}

/// Accuracy against the number of photographs per class, whose logarithm is even.
pub(super) fn learning_curve(points: &[LearningPoint]) -> String {
    let place = |point: &LearningPoint| {
        let doublings = (point.examples_per_class as f64).log2();
        (doublings, point.balanced_accuracy)
    };
    let places: Vec<_> = points.iter().map(place).collect();
    let last = places.last().expect("a curve has points").0;
    let x = Axis {
        name: "photographs per class",
        range: 0.0..last.max(1.0),
        ticks: places.iter().map(|place| place.0).collect(),
        label: |doublings| format!("{:.0}", doublings.exp2()),
    };
    let y = Axis::of_shares("balanced accuracy", lowest(&places));
    draw(x, y, |chart| draw_line(chart, &places))
}

/// Accuracy of the photographs with the highest known scores, against their share. A line marks the model's threshold.
pub(super) fn coverage(points: &[CoveragePoint], unknown: Option<Kept>) -> String {
    let places: Vec<_> = points.iter().map(|it| (it.coverage, it.accuracy)).collect();
    let bottom = lowest(&places);
    let x = Axis::of_shares("share of photographs that get an answer", 0.0);
    draw(x, Axis::of_shares("right", bottom), |chart| {
        if let Some(Kept { coverage, .. }) = unknown {
            let mark = [(coverage, bottom), (coverage, 1.0)];
            chart.draw_series(DashedLineSeries::new(mark, 6, 5, MUTED.stroke_width(2)))?;
        }
        draw_line(chart, &places)
    })
}

fn draw_line(chart: &mut Chart, places: &[(f64, f64)]) -> Drawn {
    let line = places.iter().copied();
    chart.draw_series(LineSeries::new(line.clone(), ACCENT.stroke_width(3)))?;
    chart.draw_series(line.map(|place| Circle::new(place, DOT_RADIUS, ACCENT.filled())))?;
    Ok(())
}

/// Where an axis can begin so that all places are above.
fn lowest(places: &[(f64, f64)]) -> f64 {
    let lowest = places.iter().map(|place| place.1).fold(0.9, f64::min);
    (lowest * 10.0).floor() / 10.0
}

impl Axis {
    fn of_shares(name: &'static str, from: f64) -> Self {
        let steps = if from < 0.7 { 5 } else { 10 };
        let ticks = (0..=steps).map(|step| f64::from(step) / f64::from(steps));
        Self {
            name,
            range: from..1.0,
            ticks: ticks.filter(|&tick| tick >= from - 1e-9).collect(),
            label: |share| format!("{:.0} %", share * 100.0),
        }
    }
}

/// Puts the labels where `ticks` says: plotters' own choice knows neither per cent nor doublings.
impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range.clone()).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

fn draw(x: Axis, y: Axis, series: impl FnOnce(&mut Chart) -> Drawn) -> String {
    let mut svg = String::new();
    try_draw(&mut svg, &x, &y, series).expect("a string takes any drawing");
    svg.replacen(NAMESPACE, "", 1)
}

fn try_draw(
    svg: &mut String,
    x: &Axis,
    y: &Axis,
    series: impl FnOnce(&mut Chart) -> Drawn,
) -> Drawn {
    let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .margin_right(26)
        .x_label_area_size(50)
        .y_label_area_size(68)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(MUTED)
        .label_style(FONT.into_font().color(&INK))
        .axis_desc_style(FONT.into_font().color(&INK))
        .x_label_formatter(&x.label)
        .y_label_formatter(&y.label)
        .x_desc(x.name)
        .y_desc(y.name)
        .draw()?;
    series(&mut chart)?;
    drop(chart);
    area.present()
}
