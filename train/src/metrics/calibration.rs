use serde::Serialize;

use crate::{Prediction, Task};

/// scikit-learn's and most papers' number.
const BINS: usize = 10;

/// Whether confidences can be believed: of the images with confidence 0.8, 8 in 10 should be right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Expected calibration error (Naeini et al. 2015): the mean distance between confidence and accuracy, 0 to 1. Of several
    /// labels, every probability counts as a confidence.
    pub ece: f64,
    /// The reliability diagram: ten bins of equal width that divide 0 to 1.
    pub bins: Vec<CalibrationBin>,
}

/// The predictions of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Their number.
    pub count: usize,
    /// Their mean confidence; 0 if there are none.
    pub confidence: f64,
    /// The share of them that is right; 0 if there are none.
    pub accuracy: f64,
}

impl Calibration {
    pub(crate) fn of(task: Task, predictions: &[Prediction]) -> Self {
        let mut bins = vec![CalibrationBin::default(); BINS];
        for (confidence, right) in predictions.iter().flat_map(|it| confidences(task, it)) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a probability"
            )]
            let index = ((confidence * BINS as f64) as usize).min(BINS - 1);
            let bin = &mut bins[index];
            bin.count += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(right));
        }
        let total: usize = bins.iter().map(|bin| bin.count).sum();
        let mut distances = 0.0;
        for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
            distances += (bin.confidence - bin.accuracy).abs();
            bin.confidence /= bin.count as f64;
            bin.accuracy /= bin.count as f64;
        }
        Self {
            ece: distances / total as f64,
            bins,
        }
    }
}

fn confidences(task: Task, prediction: &Prediction) -> Vec<(f64, bool)> {
    match task {
        Task::SingleLabel => {
            let top = prediction.top();
            vec![(prediction.probabilities[top], prediction.is_right(task))]
        }
        Task::MultiLabel => {
            let classes = prediction.probabilities.iter().enumerate();
            classes
                .map(|(class, &probability)| (probability, prediction.labels.contains(&class)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ece_is_the_mean_distance_weighted_by_the_bins() {
        let prediction = |confidence: f64, label| Prediction {
            probabilities: vec![confidence, 1.0 - confidence],
            known_score: 1.0,
            labels: vec![label],
        };
        // 0.95 three times, right twice; 0.65 once, right.
        let predictions = [(0.95, 0), (0.95, 0), (0.95, 1), (0.65, 0)];
        let predictions = predictions.map(|(confidence, label)| prediction(confidence, label));
        let calibration = Calibration::of(Task::SingleLabel, &predictions);
        let expected = 0.75 * (0.95 - 2.0 / 3.0) + 0.25 * 0.35;
        assert!((calibration.ece - expected).abs() < 1e-9);
        assert_eq!(calibration.bins[9].count, 3);
    }
}
