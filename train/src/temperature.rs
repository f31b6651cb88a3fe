//! Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"): one divisor for all logits, so that a
//! confidence of 0.8 is right 8 times in 10. It changes no ranking.
//!
//! If every held-out prediction is right, nothing in the data speaks against a confidence of 1. Therefore each prediction
//! counts as wrong with the probability that the next one is wrong, by the rule of succession, as in Platt 1999,
//! "Probabilistic Outputs for Support Vector Machines": of 20 that are right, a confidence of 0.95 can be learned.

use crate::{Task, examples::Examples, probabilities::probabilities};

/// Logarithms of the temperatures that are considered: 1/20 to 20.
const LOG_RANGE: f64 = 3.0;
const STEPS: usize = 60;
/// Keeps the logarithm of a probability finite.
const PROBABILITY_MIN: f64 = 1e-12;

/// The temperature with which the held-out `logits` explain the labels best: least cross-entropy, which has one minimum.
pub(crate) fn fit(examples: &Examples, logits: &[Vec<f32>]) -> f32 {
    let doubt = 1.0 / (logits.len() as f64 + 2.0);
    let total_loss = |log: f64| {
        let losses = logits.iter().enumerate().map(|(example, logits)| {
            let probabilities = probabilities(examples.task(), logits, log.exp());
            loss(
                examples.task(),
                &probabilities,
                examples.labels(example),
                doubt,
            )
        });
        losses.sum::<f64>()
    };
    // Golden-section search.
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-LOG_RANGE, LOG_RANGE);
    let inner = |low: f64, high: f64| [high - ratio * (high - low), low + ratio * (high - low)];
    let [mut left, mut right] = inner(low, high);
    let (mut at_left, mut at_right) = (total_loss(left), total_loss(right));
    for _ in 0..STEPS {
        if at_left < at_right {
            high = right;
            [left, right] = inner(low, high);
            (at_left, at_right) = (total_loss(left), at_left);
        } else {
            low = left;
            [left, right] = inner(low, high);
            (at_left, at_right) = (at_right, total_loss(right));
        }
    }
    #[allow(clippy::cast_possible_truncation, reason = "1/20 to 20")]
    let temperature = f64::midpoint(low, high).exp() as f32;
    temperature
}

/// The cross-entropy of the labels, each of which is wrong with probability `doubt`.
fn loss(task: Task, probabilities: &[f64], labels: &[usize], doubt: f64) -> f64 {
    let log = |probability: f64| -probability.max(PROBABILITY_MIN).ln();
    let doubted = |right: f64| (1.0 - doubt) * log(right) + doubt * log(1.0 - right);
    let present = labels.iter().map(|&class| doubted(probabilities[class]));
    match task {
        Task::SingleLabel => present.sum(),
        Task::MultiLabel => {
            let absent = (0..probabilities.len()).filter(|class| !labels.contains(class));
            let absent = absent.map(|class| doubted(1.0 - probabilities[class]));
            present.chain(absent).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The confidence of `count` predictions, half of each class, of which every `wrong`-th is wrong.
    fn confidence(count: usize, wrong: usize) -> f64 {
        let labels = (0..count).map(|index| index % 2);
        let all = labels.clone().map(|class| (vec![1.0], vec![class]));
        let examples = Examples::new(Task::SingleLabel, 2, all).unwrap();
        let logits = labels.enumerate().map(|(index, class)| {
            let predicted = class ^ usize::from(index % wrong == wrong - 1);
            [[9.0, 0.0], [0.0, 9.0]][predicted].to_vec()
        });
        let logits: Vec<_> = logits.collect();
        let temperature = fit(&examples, &logits);
        probabilities(Task::SingleLabel, &logits[0], temperature.into())[0]
    }

    #[test]
    fn confidence_becomes_the_share_that_is_right() {
        let learned = confidence(1000, 5);
        assert!((learned - 0.8).abs() < 1e-3, "{learned}");
    }

    #[test]
    fn predictions_that_are_all_right_leave_some_doubt() {
        for (count, expected) in [(20, 21.0 / 22.0), (100, 101.0 / 102.0)] {
            let learned = confidence(count, usize::MAX);
            assert!((learned - expected).abs() < 1e-3, "{learned}");
        }
    }
}
