//! "None of these": how much an image resembles the classes that the head knows. The score is the cosine similarity of its
//! features to the nearest class mean (Mensink et al. 2013, "Distance-Based Image Classification"), which separates unknown
//! images better than the largest probability does.

use crate::{
    examples::{Examples, norm},
    fit::dot,
};

/// The share of known images that the threshold keeps.
const KEPT: f64 = 0.95;

/// The mean of each class's features, `[classes, channels]`, each row scaled to length 1.
pub(crate) fn class_means(examples: &Examples) -> Vec<f32> {
    let mut means = sums(examples);
    for mean in means.chunks_exact_mut(examples.channels()) {
        let length = norm(mean).max(f32::MIN_POSITIVE);
        mean.iter_mut().for_each(|value| *value /= length);
    }
    means
}

fn sums(examples: &Examples) -> Vec<f32> {
    let channels = examples.channels();
    let mut sums = vec![0.0; examples.classes() * channels];
    for example in 0..examples.len() {
        for &class in examples.labels(example) {
            let sum = &mut sums[class * channels..][..channels];
            for (sum, value) in sum.iter_mut().zip(examples.features(example)) {
                *sum += value;
            }
        }
    }
    sums
}

/// The score of each example, with class means of all other examples.
pub(crate) fn leave_one_out_scores(examples: &Examples) -> Vec<f32> {
    let channels = examples.channels();
    let sums = sums(examples);
    let lengths: Vec<f32> = sums.chunks_exact(channels).map(norm).collect();
    let score = |example: usize| {
        let features = examples.features(example);
        let similarities = sums.chunks_exact(channels).zip(&lengths).enumerate();
        let similarities = similarities.map(|(class, (sum, &length))| {
            let product = dot(sum, features);
            if examples.labels(example).contains(&class) {
                // The features have length 1.
                let rest = (length * length - 2.0 * product + 1.0).max(f32::MIN_POSITIVE);
                (product - 1.0) / rest.sqrt()
            } else {
                product / length
            }
        });
        similarities.fold(f32::NEG_INFINITY, f32::max)
    };
    (0..examples.len()).map(score).collect()
}

/// The largest threshold that at least 95 % of `scores` reach.
pub(crate) fn threshold(scores: &[f32]) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f32::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a number of examples"
    )]
    let dropped = ((1.0 - KEPT) * sorted.len() as f64 + 1e-9) as usize;
    sorted[dropped]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;

    #[test]
    fn the_threshold_keeps_95_percent() {
        let scores: Vec<_> = (0..100_u8).rev().map(f32::from).collect();
        assert_eq!(threshold(&scores), 5.0);
        assert_eq!(threshold(&[0.3, 0.2]), 0.2);
    }

    /// Against means that are computed anew without the example.
    #[test]
    fn an_example_does_not_vouch_for_itself() {
        let features = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8], [0.6, 0.8]];
        let labels = [0, 0, 1, 1, 1];
        let all = || features.iter().zip(labels);
        let examples = all().map(|(features, class)| (features.to_vec(), vec![class]));
        let examples = Examples::new(Task::SingleLabel, 2, examples).unwrap();
        let scores = leave_one_out_scores(&examples);
        for (left_out, score) in scores.into_iter().enumerate() {
            let similarity = |class: usize| {
                let others = all().enumerate();
                let others = others.filter(|&(it, (_, of))| it != left_out && of == class);
                let mean = others.fold([0.0; 2], |[x, y], (_, (it, _))| [x + it[0], y + it[1]]);
                dot(&mean, &features[left_out]) / norm(&mean)
            };
            let expected = similarity(0).max(similarity(1));
            assert!(
                (score - expected).abs() < 1e-5,
                "{left_out}: {score}, {expected}"
            );
        }
    }
}
