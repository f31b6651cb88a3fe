//! How a heatmap is drawn: the same colours in the page, the command line and the report.

/// Evidence below this part of the peak is transparent. Maps have few cells and a broad base, which would tint the whole square.
pub const THRESHOLD: f32 = 0.25;
/// From this part of the peak on, colours have their full opacity.
const FULL: f32 = 0.6;
/// Opacity of a heatmap over its image: what lies below stays recognisable.
pub const OPACITY_PERCENT: u32 = 70;
/// The same, 0 to 1.
pub const OPACITY: f32 = OPACITY_PERCENT as f32 / 100.0;

/// Nine points of "inferno" (Smith and van der Walt 2015, matplotlib's), evenly from 0 to 1: lightness rises evenly,
/// so that the shape stays visible in grey and to people with colour blindness.
pub const COLOURS: [[u8; 3]; 9] = [
    [0x00, 0x00, 0x04],
    [0x21, 0x0c, 0x4a],
    [0x57, 0x10, 0x6e],
    [0x8a, 0x22, 0x6a],
    [0xbc, 0x37, 0x54],
    [0xe4, 0x59, 0x32],
    [0xf9, 0x8c, 0x0a],
    [0xf9, 0xc9, 0x32],
    [0xfc, 0xff, 0xa4],
];

/// The colour of evidence of this `strength`, a part of the peak: red, green, blue and opacity. Evidence against the class is
/// negative, and transparent.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into COLOURS, and bytes"
)]
pub fn colour(strength: f32) -> [u8; 4] {
    let position = strength.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let below = (position as usize).min(COLOURS.len() - 2);
    let share = position - below as f32;
    let channel = |at: usize| {
        let [one, other] = [COLOURS[below][at], COLOURS[below + 1][at]].map(f32::from);
        (one + (other - one) * share + 0.5) as u8
    };
    let opacity = ((strength - THRESHOLD) / (FULL - THRESHOLD)).clamp(0.0, 1.0);
    [channel(0), channel(1), channel(2), (opacity * 255.0) as u8]
}

/// The largest value of all maps of a result, so that their drawings are comparable; greater than 0.
pub fn peak<'a>(maps: impl IntoIterator<Item = &'a [f32]>) -> f32 {
    let values = maps.into_iter().flatten().copied();
    values.fold(f32::MIN_POSITIVE, f32::max)
}

/// A map with as many values as it says, at least one, in rows from the top.
#[derive(Clone, Copy, Debug)]
pub struct HeatGrid<'a> {
    columns: usize,
    rows: usize,
    values: &'a [f32],
}

impl<'a> HeatGrid<'a> {
    /// `None` if there are not as many values.
    #[must_use]
    pub fn new(columns: u32, rows: u32, values: &'a [f32]) -> Option<Self> {
        let columns = usize::try_from(columns).ok()?;
        let rows = usize::try_from(rows).ok()?;
        let is_whole = columns.checked_mul(rows) == Some(values.len());
        (is_whole && !values.is_empty()).then_some(Self {
            columns,
            rows,
            values,
        })
    }

    /// The value at a place, 0 to 1 across and down: bilinear between the middles of the map's cells.
    #[must_use]
    pub fn at(&self, across: f32, down: f32) -> f32 {
        let (left, right, x) = between(across, self.columns);
        let (above, below, y) = between(down, self.rows);
        let value = |row: usize, column: usize| self.values[row * self.columns + column];
        let upper = value(above, left) * (1.0 - x) + value(above, right) * x;
        let lower = value(below, left) * (1.0 - x) + value(below, right) * x;
        upper * (1.0 - y) + lower * y
    }
}

/// The cells before and after `place`, 0 to 1, and how far it is from the first to the second.
fn between(place: f32, cells: usize) -> (usize, usize, f32) {
    let last = cells - 1;
    let position = (place * cells as f32 - 0.5).clamp(0.0, last as f32);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the last cell"
    )]
    let before = position as usize;
    (before, (before + 1).min(last), position - before as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_lighter_from_end_to_end() {
        let rgb = |strength: f32| [0, 1, 2].map(|at| colour(strength)[at]);
        assert_eq!(rgb(0.0), COLOURS[0]);
        assert_eq!(rgb(0.5), COLOURS[4]);
        assert_eq!(rgb(1.0), COLOURS[8]);
        assert_eq!(rgb(7.0), rgb(1.0));
        let lightness = |step: u8| {
            let [r, g, b] = rgb(f32::from(step) / 100.0).map(u32::from);
            2126 * r + 7152 * g + 722 * b
        };
        assert!((1..=100).all(|step| lightness(step - 1) < lightness(step)));
    }

    #[test]
    fn weak_evidence_and_evidence_against_the_class_are_transparent() {
        for strength in [-1.0, 0.0, 0.2, THRESHOLD] {
            assert_eq!(colour(strength)[3], 0, "{strength}");
        }
        for strength in [0.6, 1.0, 2.0] {
            assert_eq!(colour(strength)[3], 255, "{strength}");
        }
        let opacity = |step: u8| colour(f32::from(step) / 100.0)[3];
        assert!((26..=60).all(|step| opacity(step - 1) < opacity(step)));
    }

    #[test]
    fn values_are_linear_between_the_middles_of_cells() {
        let grid = HeatGrid::new(2, 1, &[0.0, 4.0]).unwrap();
        for (across, expected) in [(0.0, 0.0), (0.25, 0.0), (0.5, 2.0), (0.75, 4.0), (1.0, 4.0)] {
            assert_eq!(grid.at(across, 0.5), expected, "{across}");
        }
    }

    #[test]
    fn a_map_has_as_many_values_as_it_says() {
        assert!(HeatGrid::new(0, 0, &[]).is_none());
        assert!(HeatGrid::new(2, 2, &[1.0; 3]).is_none());
        assert!(HeatGrid::new(u32::MAX, u32::MAX, &[1.0; 3]).is_none());
    }
}
