//! "None of these": how much an image resembles the classes that the head knows. The score is the cosine similarity of its
//! features to the nearest class mean (Mensink et al. 2013, "Distance-Based Image Classification"), which separates unknown
//! images better than the largest probability does.

use crate::{
    examples::{Examples, norm},
    fit::dot,
};

/// One in so many new known images may fall below the threshold: 5 %.
const LOST_ONE_IN: usize = 20;

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

/// The largest threshold that 95 % of new images reach, in expectation, if `scores` are of images like them: the quantile of
/// conformal prediction (Vovk et al. 2005, "Algorithmic Learning in a Random World"). With fewer than 39 scores the lowest
/// is the threshold; with fewer than 19 it cannot promise 95 %.
pub(crate) fn threshold(scores: &[f32]) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f32::total_cmp);
    let rank = (sorted.len() + 1) / LOST_ONE_IN;
    sorted[rank.saturating_sub(1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;

    #[test]
    fn the_threshold_keeps_95_percent_of_new_images() {
        let scores = |count: u16| (0..count).rev().map(f32::from).collect::<Vec<_>>();
        // The lowest of 19 leaves a twentieth below it, as does the fifth of 99.
        for (count, expected) in [
            (2, 0.0),
            (19, 0.0),
            (38, 0.0),
            (39, 1.0),
            (99, 4.0),
            (999, 49.0),
        ] {
            assert_eq!(threshold(&scores(count)), expected, "{count}");
        }
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
