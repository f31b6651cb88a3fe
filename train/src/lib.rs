//! Trains a classifier of your own classes on the features of a frozen network, in seconds on a CPU, and measures how good it
//! is. Runs natively and on wasm32. Knows no files, no images, no network and no server: features go in, a [`Head`] comes out.
//!
//! The modules are the stages of a training: [`Examples`] -> [`Folds`](folds) -> logistic regression (`fit`) -> calibration
//! (`temperature`, `known`) -> [`Evaluation`].

mod examples;
mod fit;
mod folds;
mod held_out;
mod known;
mod learning_curve;
mod metrics;
mod parallel;
mod prediction;
mod probabilities;
mod suspicious;
mod temperature;
mod trainer;

pub use examples::{Examples, ExamplesError, Task};
pub use learning_curve::LearningPoint;
pub use metrics::{
    Evaluation,
    calibration::{Calibration, CalibrationBin},
    classes::{ClassMetrics, Confusion},
    coverage::CoveragePoint,
    interval::Interval,
    unknown::UnknownEvaluation,
};
pub use prediction::Prediction;
pub use suspicious::Suspicious;
pub use trainer::{Head, Options, Trained, train};
