//! How good a classifier is, from its predictions for labelled images that it was not trained on.

pub(crate) mod calibration;
pub(crate) mod classes;
pub(crate) mod coverage;
pub(crate) mod interval;
pub(crate) mod unknown;

use serde::Serialize;

use crate::{
    Prediction, Task,
    metrics::{
        calibration::Calibration,
        classes::{ClassMetrics, Confusion},
        coverage::CoveragePoint,
        interval::Interval,
    },
};

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
