use imageclassifier_client::{Answer, Heatmap};

use crate::texts::Place;

/// Side of the square of pixels that a heatmap is drawn with; the browser scales it further.
pub(crate) const SIDE: usize = 112;

/// Evidence for the class is magenta, evidence against it cyan. Both are rare in photographs, and one is much lighter, so that
/// people with a colour vision deficiency can tell them apart.
const FOR: [u8; 3] = [224, 0, 122];
const AGAINST: [u8; 3] = [0, 205, 215];

/// The evidence for a class, scaled with that for the answer's other classes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heat {
    rows: usize,
    columns: usize,
    /// -1 to 1: as parts of the largest value, of either sign, of all maps of the answer.
    values: Vec<f32>,
}

impl Heat {
    /// Of the class at `position` in the answer. None if the answer has no heatmaps, or one without a meaning.
    pub(crate) fn of(answer: &Answer, position: usize) -> Option<Self> {
        let maps = answer
            .predictions
            .iter()
            .filter_map(|prediction| prediction.heatmap.as_ref());
        let largest = maps
            .flat_map(|map| &map.values)
            .fold(0.0, |largest: f32, value| largest.max(value.abs()));
        let map = answer.predictions.get(position)?.heatmap.as_ref()?;
        let (rows, columns) = shape(map)?;
        let values = map.values.iter().map(|value| value / largest).collect();
        (largest > 0.0 && largest.is_finite()).then_some(Self {
            rows,
            columns,
            values,
        })
    }

    /// Where the evidence for the class is strongest; None if there is none.
    pub(crate) fn strongest(&self) -> Option<Place> {
        let strongest = |best: (usize, f32), (index, &value): (usize, &f32)| {
            if value > best.1 { (index, value) } else { best }
        };
        let (index, value) = self.values.iter().enumerate().fold((0, 0.0), strongest);
        let third = |at: usize, of: usize| (2 * at + 1) * 3 / (2 * of);
        (value > 0.0).then(|| {
            match (
                third(index / self.columns, self.rows),
                third(index % self.columns, self.columns),
            ) {
                (0, 0) => Place::UpperLeft,
                (0, 1) => Place::Top,
                (0, _) => Place::UpperRight,
                (1, 0) => Place::Left,
                (1, 1) => Place::Centre,
                (1, _) => Place::Right,
                (_, 0) => Place::LowerLeft,
                (_, 1) => Place::Bottom,
                _ => Place::LowerRight,
            }
        })
    }

    /// [`SIDE`] x [`SIDE`] pixels of red, green, blue and opacity: more opaque where there is more evidence.
    pub(crate) fn pixels(&self) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(SIDE * SIDE * 4);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let value = self.between(y, x);
                let [red, green, blue] = if value < 0.0 { AGAINST } else { FOR };
                pixels.extend([red, green, blue, opacity(value)]);
            }
        }
        pixels
    }

    /// The value at a pixel, linear between the centres of the cells.
    fn between(&self, y: usize, x: usize) -> f32 {
        let (top, bottom, down) = neighbours(y, self.rows);
        let (left, right, along) = neighbours(x, self.columns);
        let at = |row: usize, column: usize| self.values[row * self.columns + column];
        let upper = at(top, left) * (1.0 - along) + at(top, right) * along;
        let lower = at(bottom, left) * (1.0 - along) + at(bottom, right) * along;
        upper * (1.0 - down) + lower * down
    }
}

/// Rows and columns, if there are as many values.
fn shape(map: &Heatmap) -> Option<(usize, usize)> {
    let (rows, columns) = (map.height as usize, map.width as usize);
    let cells = rows.checked_mul(columns)?;
    (cells > 0 && cells == map.values.len()).then_some((rows, columns))
}

/// The two cells that a pixel lies between, and how far it is from the first to the second, 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small whole numbers, not below 0"
)]
fn neighbours(pixel: usize, cells: usize) -> (usize, usize, f32) {
    let last = (cells - 1) as f32;
    let at = ((pixel as f32 + 0.5) * cells as f32 / SIDE as f32 - 0.5).clamp(0.0, last);
    let first = at as usize;
    (first, (first + 1).min(cells - 1), at - first as f32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 255"
)]
fn opacity(value: f32) -> u8 {
    (value.abs().min(1.0) * 255.0) as u8
}

#[cfg(test)]
mod tests {
    use imageclassifier_client::Prediction;

    use super::*;

    fn answer(maps: &[&[f32]]) -> Answer {
        let predictions = maps.iter().map(|values| Prediction {
            heatmap: Some(Heatmap {
                height: 3,
                width: 3,
                values: values.to_vec(),
            }),
            ..Prediction::default()
        });
        Answer {
            predictions: predictions.collect(),
            ..Answer::default()
        }
    }

    fn single(index: usize, value: f32) -> Vec<f32> {
        let mut values = vec![0.0; 9];
        values[index] = value;
        values
    }

    #[test]
    fn the_strongest_cell_has_a_place_in_words() {
        use Place::{
            Bottom, Centre, Left, LowerLeft, LowerRight, Right, Top, UpperLeft, UpperRight,
        };
        let places = [
            UpperLeft, Top, UpperRight, Left, Centre, Right, LowerLeft, Bottom, LowerRight,
        ];
        for (index, place) in places.into_iter().enumerate() {
            let heat = Heat::of(&answer(&[&single(index, 2.0)]), 0).unwrap();
            assert_eq!(heat.strongest(), Some(place));
        }
        let against = Heat::of(&answer(&[&single(4, -2.0)]), 0).unwrap();
        assert_eq!(against.strongest(), None);
    }

    #[test]
    fn of_seven_cells_the_outer_two_are_at_the_edge() {
        let places = (0..7).map(|index| {
            let mut values = vec![0.0; 49];
            values[index] = 1.0;
            let mut answer = answer(&[&[]]);
            answer.predictions[0].heatmap = Some(Heatmap {
                height: 7,
                width: 7,
                values,
            });
            Heat::of(&answer, 0).unwrap().strongest().unwrap()
        });
        use Place::{Top, UpperLeft, UpperRight};
        assert_eq!(
            places.collect::<Vec<_>>(),
            [UpperLeft, UpperLeft, Top, Top, Top, UpperRight, UpperRight]
        );
    }

    #[test]
    fn maps_of_one_result_share_a_scale() {
        let answer = answer(&[&single(0, 4.0), &single(0, -1.0)]);
        let corner = |position| Heat::of(&answer, position).unwrap().pixels()[..4].to_vec();
        assert_eq!(corner(0), [224, 0, 122, 255]);
        assert_eq!(corner(1), [0, 205, 215, 63]);
    }

    #[test]
    fn a_map_without_a_meaning_is_none() {
        for values in [&[][..], &[1.0; 8], &[0.0; 9], &[f32::INFINITY; 9]] {
            assert_eq!(Heat::of(&answer(&[values]), 0), None, "{values:?}");
        }
        assert_eq!(Heat::of(&answer(&[&[1.0; 9]]), 1), None);
    }
}
