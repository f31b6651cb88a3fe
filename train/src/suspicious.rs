//! Labels that are probably wrong (Northcutt et al. 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels").

use serde::Serialize;

use crate::Prediction;

/// An example whose label the held-out predictions contradict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Suspicious {
    /// Index of the example.
    pub example: usize,
    /// Its label.
    pub label: usize,
    /// The class that it seems to have.
    pub likely: usize,
    /// Probability of `likely` minus that of `label`, 0 to 1.
    pub margin: f64,
}

/// The suspicious examples, most suspicious first: those that look as much like another class as that class's own examples do
/// on average.
pub(crate) fn find(classes: usize, predictions: &[Prediction]) -> Vec<Suspicious> {
    let usual: Vec<f64> = (0..classes)
        .map(|class| {
            let own = predictions.iter().filter(|it| it.labels == [class]);
            let own = own.map(|it| it.probabilities[class]);
            own.clone().sum::<f64>() / own.count().max(1) as f64
        })
        .collect();
    let mut found: Vec<_> = predictions
        .iter()
        .enumerate()
        .filter_map(|(example, prediction)| {
            let (label, likely) = (prediction.labels[0], prediction.top());
            let probability = prediction.probabilities[likely];
            (likely != label && probability >= usual[likely]).then(|| Suspicious {
                example,
                label,
                likely,
                margin: probability - prediction.probabilities[label],
            })
        })
        .collect();
    found.sort_by(|a, b| b.margin.total_cmp(&a.margin));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confident_contradiction_is_suspicious_and_a_doubtful_one_is_not() {
        let prediction = |first: f64, label| Prediction {
            probabilities: vec![first, 1.0 - first],
            known_score: 1.0,
            labels: vec![label],
        };
        // Class 0 has a probability of 0.8 on average.
        let predictions = [(0.9, 0), (0.7, 0), (0.2, 1), (0.6, 1), (0.85, 1)];
        let predictions = predictions.map(|(first, label)| prediction(first, label));
        let found = find(2, &predictions);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].example, found[0].label, found[0].likely),
            (4, 1, 0)
        );
        assert!((found[0].margin - 0.7).abs() < 1e-9);
    }
}
