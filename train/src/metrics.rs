//! How good a classifier is, from its predictions for labelled images that it was not trained on.

pub(crate) mod calibration;
pub(crate) mod classes;
pub(crate) mod coverage;
pub(crate) mod interval;
pub(crate) mod unknown;

use serde::Serialize;

use crate::{
    Task,
    metrics::{
        calibration::Calibration,
        classes::{ClassMetrics, Confusion},
        coverage::CoveragePoint,
        interval::Interval,
    },
};

/// What a classifier says about one labelled image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// Cosine similarity to the nearest class mean, -1 to 1.
    pub known_score: f32,
    /// The right classes, ascending.
    pub labels: Vec<usize>,
}

/// Everything that is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of images.
    pub images: usize,
    /// The share of images that got the right class; of several labels, all of them.
    pub accuracy: Interval,
    /// The mean of the classes' recalls: every class counts the same, however many images it has.
    pub balanced_accuracy: Interval,
    /// One entry per class.
    pub classes: Vec<ClassMetrics>,
    /// Who is taken for whom. `None` where an image can have several classes.
    pub confusion: Option<Confusion>,
    /// Whether confidences can be believed.
    pub calibration: Calibration,
    /// How accuracy rises as images with a low known score are left out.
    pub coverage: Vec<CoveragePoint>,
}

impl Evaluation {
    /// Measures `predictions` for `classes` classes.
    ///
    /// # Panics
    /// If there are no predictions, or one has another number of probabilities or a label that does not exist.
    #[must_use]
    pub fn of(task: Task, classes: usize, predictions: &[Prediction]) -> Self {
        assert!(!predictions.is_empty(), "nothing to measure");
        let per_class = classes::metrics(task, classes, predictions);
        let right = predictions.iter().filter(|it| it.is_right(task)).count();
        Self {
            images: predictions.len(),
            accuracy: Interval::wilson(right, predictions.len()),
            balanced_accuracy: classes::balanced_accuracy(&per_class),
            classes: per_class,
            confusion: (task == Task::SingleLabel).then(|| Confusion::of(classes, predictions)),
            calibration: Calibration::of(task, predictions),
            coverage: coverage::curve(task, predictions),
        }
    }
}

impl Prediction {
    /// The most probable class. Of equally probable ones the lowest index.
    #[must_use]
    pub fn top(&self) -> usize {
        let classes = self.probabilities.iter().enumerate();
        let best = classes.reduce(|best, it| if it.1 > best.1 { it } else { best });
        best.expect("there are classes").0
    }

    /// The classes that the prediction states: the most probable one, or of several labels those that are likelier than not.
    #[must_use]
    pub fn stated(&self, task: Task) -> Vec<usize> {
        match task {
            Task::SingleLabel => vec![self.top()],
            Task::MultiLabel => (0..self.probabilities.len())
                .filter(|&class| self.probabilities[class] >= 0.5)
                .collect(),
        }
    }

    /// Whether the stated classes are the right ones.
    #[must_use]
    pub fn is_right(&self, task: Task) -> bool {
        self.stated(task) == self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_labels_are_right_only_together() {
        let prediction = |labels: &[usize]| Prediction {
            probabilities: vec![0.9, 0.2, 0.5],
            known_score: 1.0,
            labels: labels.to_vec(),
        };
        let right = |labels: &[usize]| prediction(labels).is_right(Task::MultiLabel);
        assert!(right(&[0, 2]));
        assert!(!right(&[0]) && !right(&[0, 1, 2]));
        assert!(prediction(&[0]).is_right(Task::SingleLabel));
    }
}
