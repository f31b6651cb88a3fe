//! How accuracy grows with the number of examples: whether more photographs would help.

use serde::Serialize;

use crate::{examples::Examples, fit::fit, folds::Folds, parallel, probabilities::probabilities};

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LearningPoint {
    /// Examples per class, at most.
    pub examples_per_class: usize,
    /// The mean of the classes' recalls on examples that were not trained on, 0 to 1.
    pub balanced_accuracy: f64,
}

/// Examples per class that are tried; those that the smallest classes cannot fill are still tried with what there is.
const SIZES: [usize; 7] = [1, 2, 5, 10, 20, 50, 100];

/// Ends with `balanced_accuracy`, that of the held-out predictions by heads that learned from all other folds. Empty if the
/// examples are so few that they are held out one by one.
pub(crate) fn curve(
    examples: &Examples,
    folds: &Folds,
    balanced_accuracy: f64,
) -> Vec<LearningPoint> {
    if folds.is_leave_one_out() {
        return Vec::new();
    }
    let classes = 0..examples.classes();
    let largest = classes.map(|class| examples.of_class(class).count()).max();
    let all = largest.unwrap_or_default() * (folds.count() - 1) / folds.count();
    let sizes: Vec<_> = SIZES.into_iter().filter(|&size| size < all).collect();
    let recalls = parallel::map(sizes.len() * folds.count(), |index| {
        let (size, fold) = (sizes[index / folds.count()], index % folds.count());
        found(examples, &folds.others(fold), &folds.held_out(fold), size)
    });
    let points = sizes.iter().zip(recalls.chunks_exact(folds.count()));
    points
        .map(|(&examples_per_class, found)| LearningPoint {
            examples_per_class,
            balanced_accuracy: balanced(found),
        })
        .chain([LearningPoint {
            examples_per_class: all,
            balanced_accuracy,
        }])
        .collect()
}

/// For each class, how many of its held-out examples are found, and how many there are.
fn found(
    examples: &Examples,
    others: &[usize],
    held_out: &[usize],
    per_class: usize,
) -> Vec<[usize; 2]> {
    let mut taken = vec![0; examples.classes()];
    let chosen: Vec<_> = others
        .iter()
        .copied()
        .filter(|&example| {
            let labels = examples.labels(example);
            let wanted = labels.iter().any(|&class| taken[class] < per_class);
            if wanted {
                labels.iter().for_each(|&class| taken[class] += 1);
            }
            wanted
        })
        .collect();
    let head = fit(examples, &chosen);
    let mut counts = vec![[0; 2]; examples.classes()];
    for &example in held_out {
        let logits = head.logits(examples.features(example));
        let probabilities = probabilities(examples.task(), &logits, 1.0);
        for &class in examples.labels(example) {
            let is_found = match examples.task() {
                crate::Task::SingleLabel => probabilities
                    .iter()
                    .all(|&probability| probability <= probabilities[class]),
                crate::Task::MultiLabel => probabilities[class] >= 0.5,
            };
            counts[class][0] += usize::from(is_found);
            counts[class][1] += 1;
        }
    }
    counts
}

fn balanced(folds: &[Vec<[usize; 2]>]) -> f64 {
    let classes = folds[0].len();
    let recalls = (0..classes).map(|class| {
        let sum = |which: usize| folds.iter().map(|fold| fold[class][which]).sum::<usize>();
        sum(0) as f64 / sum(1).max(1) as f64
    });
    recalls.sum::<f64>() / classes as f64
}
