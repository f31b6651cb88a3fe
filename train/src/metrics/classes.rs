use serde::Serialize;

use crate::{Prediction, Task, metrics::interval::Interval};

/// How one class fares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Images of this class.
    pub images: usize,
    /// Of the images that are said to be of this class, the share that is.
    pub precision: Interval,
    /// Of the images of this class, the share that is found.
    pub recall: Interval,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Images found; their number is what recall and precision divide.
    #[serde(skip)]
    pub(crate) found: usize,
}

/// How often each class is taken for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion(Vec<Vec<usize>>);

pub(crate) fn metrics(task: Task, classes: usize, predictions: &[Prediction]) -> Vec<ClassMetrics> {
    let mut counts = vec![[0_usize; 3]; classes];
    for prediction in predictions {
        let stated = prediction.stated(task);
        for &class in &prediction.labels {
            counts[class][0] += 1;
            counts[class][2] += usize::from(stated.contains(&class));
        }
        for class in stated {
            counts[class][1] += 1;
        }
    }
    let metrics = |[images, stated, found]: [usize; 3]| ClassMetrics {
        images,
        precision: Interval::wilson(found, stated),
        recall: Interval::wilson(found, images),
        f1: match images + stated {
            0 => 0.0,
            sum => 2.0 * found as f64 / sum as f64,
        },
        found,
    };
    counts.into_iter().map(metrics).collect()
}

/// Over the classes that have images.
pub(crate) fn balanced_accuracy(classes: &[ClassMetrics]) -> Interval {
    let present = classes.iter().filter(|class| class.images > 0);
    Interval::mean_of(present.map(|class| (class.found, class.images)))
}

impl Confusion {
    pub(crate) fn of(classes: usize, predictions: &[Prediction]) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for prediction in predictions {
            counts[prediction.labels[0]][prediction.top()] += 1;
        }
        Self(counts)
    }

    /// Images of the class `label` that were taken for the class `predicted`.
    ///
    /// # Panics
    /// If there are no such classes.
    #[must_use]
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        self.0[label][predicted]
    }

    /// Pairs of a class and another that it is taken for, most frequent first.
    #[must_use]
    pub fn worst_pairs(&self) -> Vec<(usize, usize, usize)> {
        let classes = 0..self.0.len();
        let mut pairs: Vec<_> = classes
            .clone()
            .flat_map(|label| classes.clone().map(move |predicted| (label, predicted)))
            .filter(|(label, predicted)| label != predicted)
            .map(|(label, predicted)| (label, predicted, self.count(label, predicted)))
            .filter(|&(_, _, count)| count > 0)
            .collect();
        pairs.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: usize, stated: usize) -> Prediction {
        let mut probabilities = vec![0.1; 3];
        probabilities[stated] = 0.8;
        Prediction {
            probabilities,
            known_score: 1.0,
            labels: vec![label],
        }
    }

    #[test]
    fn counts_what_is_found_and_what_is_mistaken() {
        let predictions = [(0, 0), (0, 1), (0, 1), (1, 1), (2, 1)];
        let predictions = predictions.map(|(label, stated)| prediction(label, stated));
        let classes = metrics(Task::SingleLabel, 3, &predictions);
        let of = |class: usize| (classes[class].precision.value, classes[class].recall.value);
        assert_eq!(of(0), (1.0, 1.0 / 3.0));
        assert_eq!(of(1), (0.25, 1.0));
        assert_eq!(of(2), (0.0, 0.0));
        assert_eq!(classes[1].f1, 0.4);
        let balanced = balanced_accuracy(&classes).value;
        assert!((balanced - (1.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
        let confusion = Confusion::of(3, &predictions);
        assert_eq!(confusion.worst_pairs(), [(0, 1, 2), (2, 1, 1)]);
    }
}
