use serde::Serialize;

use crate::{Prediction, Task};

/// Points of the curve.
const POINTS: usize = 20;

/// What remains, and how good it is, if images below a known score are called unknown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CoveragePoint {
    /// The lowest score that is kept.
    pub threshold: f32,
    /// The share of images that is kept.
    pub coverage: f64,
    /// The share of the kept images that got the right class.
    pub accuracy: f64,
}

/// From all images to the surest twentieth.
pub(crate) fn curve(task: Task, predictions: &[Prediction]) -> Vec<CoveragePoint> {
    let mut sorted: Vec<_> = predictions
        .iter()
        .map(|it| (it.known_score, it.is_right(task)))
        .collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points: Vec<_> = (1..=POINTS)
        .rev()
        .map(|step| (sorted.len() * step).div_ceil(POINTS))
        .map(|kept| CoveragePoint {
            threshold: sorted[kept - 1].0,
            coverage: kept as f64 / sorted.len() as f64,
            accuracy: sorted[..kept].iter().filter(|it| it.1).count() as f64 / kept as f64,
        })
        .collect();
    points.dedup();
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_rises_as_strange_images_are_left_out() {
        let predictions: Vec<_> = (0..40_u8)
            .map(|index| Prediction {
                probabilities: vec![0.9, 0.1],
                known_score: f32::from(index) / 40.0,
                labels: vec![usize::from(index < 10)],
            })
            .collect();
        let curve = curve(Task::SingleLabel, &predictions);
        assert_eq!((curve[0].coverage, curve[0].accuracy), (1.0, 0.75));
        assert_eq!((curve[5].coverage, curve[5].accuracy), (0.75, 1.0));
        assert_eq!(curve[5].threshold, 0.25);
        assert_eq!(curve.len(), 20);
    }
}
