use imageclassifier_client::{Answer, Heatmap};
use imageclassifier_crop::heat::{self, HeatGrid};

use crate::texts::Place;

/// Side of the square of pixels that a heatmap is drawn with; the browser scales it further.
pub(crate) const SIDE: usize = 112;

/// The evidence for a class, and the strongest of all maps of the answer, which is their common scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heat {
    map: Heatmap,
    /// Greater than 0.
    peak: f32,
}

impl Heat {
    /// Of the class at `position` in the answer. None if the answer has no heatmaps, or one without a meaning.
    pub(crate) fn of(answer: &Answer, position: usize) -> Option<Self> {
        let map = answer.predictions.get(position)?.heatmap.clone()?;
        let maps = answer.predictions.iter().flat_map(|it| &it.heatmap);
        let peak = heat::peak(maps.map(|map| &*map.values));
        HeatGrid::new(map.width, map.height, &map.values)?;
        peak.is_finite().then_some(Self { map, peak })
    }

    /// Where the evidence for the class is strongest; None if there is none.
    pub(crate) fn strongest(&self) -> Option<Place> {
        let strongest = |best: (usize, f32), (index, &value): (usize, &f32)| {
            if value > best.1 { (index, value) } else { best }
        };
        let values = self.map.values.iter().enumerate();
        let (index, value) = values.fold((0, 0.0), strongest);
        let [rows, columns] = [self.map.height, self.map.width].map(|cells| cells as usize);
        let third = |at: usize, of: usize| (2 * at + 1) * 3 / (2 * of);
        (value > 0.0).then(|| {
            match (
                third(index / columns, rows),
                third(index % columns, columns),
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

    /// [`SIDE`] x [`SIDE`] pixels of red, green, blue and opacity.
    pub(crate) fn pixels(&self) -> Vec<u8> {
        let map = &self.map;
        let grid = HeatGrid::new(map.width, map.height, &map.values).expect("`of` has checked it");
        let place = |at: usize| (at as f32 + 0.5) / SIDE as f32;
        let pixels = (0..SIDE * SIDE).flat_map(|at| {
            let value = grid.at(place(at % SIDE), place(at / SIDE));
            heat::colour(value / self.peak)
        });
        pixels.collect()
    }
}

/// The colours from the weakest evidence that is shown to the strongest, for a style sheet.
pub(crate) fn legend() -> String {
    let colours = heat::COLOURS.iter().skip(2);
    let colours = colours.map(|[red, green, blue]| format!(", rgb({red} {green} {blue})"));
    format!("linear-gradient(to right{})", colours.collect::<String>())
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
        let answer = answer(&[&single(0, 4.0), &single(0, 2.0)]);
        let corner = |position| Heat::of(&answer, position).unwrap().pixels()[..4].to_vec();
        assert_eq!(corner(0), heat::colour(1.0));
        assert_eq!(corner(1), heat::colour(0.5));
    }

    #[test]
    fn a_map_without_a_meaning_is_none() {
        for values in [&[][..], &[1.0; 8], &[f32::INFINITY; 9]] {
            assert_eq!(Heat::of(&answer(&[values]), 0), None, "{values:?}");
        }
        assert_eq!(Heat::of(&answer(&[&[1.0; 9]]), 1), None);
    }
}
