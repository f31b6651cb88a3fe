use std::path::Path;

use imageclassifier_train::{Evaluation, LearningPoint, Prediction, Task};
use serde::Serialize;

use super::{Images, Subject, confused::Confused, verdict::Verdict};

/// Changes when a field of `report.json` changes its meaning or goes. New fields do not change it.
const FORMAT: u32 = 1;

/// `report.json`: everything that the page says, without its pictures.
#[derive(Debug, Serialize)]
pub(super) struct Content {
    format: u32,
    /// The program that wrote the file.
    version: &'static str,
    /// The model's name.
    pub(super) model: String,
    pub(super) base: Base,
    pub(super) labels: Vec<String>,
    pub(super) multi_label: bool,
    pub(super) verdict: Verdict,
    pub(super) training: Training,
    pub(super) evaluation: Evaluation,
    pub(super) learning_curve: Vec<LearningPoint>,
    /// `None` if the model calls no image unknown.
    pub(super) unknown: Option<Kept>,
    /// Each class and another that it is taken for, most frequent first.
    pub(super) confused: Vec<Confused>,
    /// Images whose labels are probably wrong, the likeliest first.
    pub(super) suspicious: Vec<Suspect>,
    /// What was predicted for each image, by a head that had not seen it.
    photographs: Vec<Photograph>,
}

/// The frozen network.
#[derive(Debug, Serialize)]
pub(super) struct Base {
    pub(super) name: String,
    /// SHA-256 of the file with the network.
    pub(super) digest: String,
}

/// What was trained, and how.
#[derive(Debug, Serialize)]
pub(super) struct Training {
    pub(super) images: usize,
    /// Files that could not be used.
    pub(super) unreadable: usize,
    pub(super) evaluated_on: &'static str,
    pub(super) temperature: f32,
}

/// What is left of the measured images if those below the threshold are called unknown.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Kept {
    pub(super) threshold: f32,
    /// The share that is kept.
    pub(super) coverage: f64,
    /// The share of the kept images that got the right class.
    pub(super) accuracy: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Suspect {
    pub(super) file: String,
    pub(super) label: String,
    pub(super) likely: String,
    /// Probability of `likely` minus that of `label`, 0 to 1.
    pub(super) margin: f64,
}

#[derive(Debug, Serialize)]
struct Photograph {
    file: String,
    labels: Vec<String>,
    predicted: Vec<Stated>,
    known_score: f32,
}

#[derive(Debug, Serialize)]
struct Stated {
    label: String,
    confidence: f64,
}

impl Content {
    pub(super) fn of(subject: &Subject) -> Self {
        let (base, trained) = (subject.base, subject.trained);
        let head = subject.head.parts();
        let name = |class: usize| head.labels[class].clone();
        let confusion = trained.evaluation.confusion.iter();
        let confused: Vec<_> = confusion
            .flat_map(|confusion| confusion.worst_pairs())
            .map(|(label, predicted, count)| Confused {
                label: name(label),
                predicted: name(predicted),
                count,
            })
            .collect();
        let suspects = trained.suspicious.iter().map(|it| Suspect {
            file: subject.learned_from.name(it.example),
            label: name(it.label),
            likely: name(it.likely),
            margin: it.margin,
        });
        let measured = trained.held_out.iter().enumerate();
        let photographs = measured.map(|(index, prediction)| Photograph {
            file: subject.measured_on.name(index),
            labels: prediction.labels.iter().copied().map(name).collect(),
            predicted: prediction
                .stated(subject.task)
                .into_iter()
                .map(|class| Stated {
                    label: name(class),
                    confidence: prediction.probabilities[class],
                })
                .collect(),
            known_score: prediction.known_score,
        });
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            model: subject.name.to_owned(),
            base: Base {
                name: base.name().to_owned(),
                digest: base.digest().to_owned(),
            },
            multi_label: subject.task == Task::MultiLabel,
            verdict: Verdict::of(subject, &confused),
            training: Training {
                images: subject.learned_from.images.len(),
                unreadable: subject.unreadable,
                evaluated_on: subject.evaluated_on,
                temperature: head.temperature,
            },
            evaluation: trained.evaluation.clone(),
            learning_curve: trained.learning_curve.clone(),
            unknown: head
                .known_threshold
                .map(|threshold| Kept::of(subject.task, &trained.held_out, threshold)),
            suspicious: suspects.collect(),
            photographs: photographs.collect(),
            confused,
            labels: head.labels.clone(),
        }
    }
}

impl Kept {
    fn of(task: Task, predictions: &[Prediction], threshold: f32) -> Self {
        let kept = predictions.iter().filter(|it| it.known_score >= threshold);
        let right = kept.clone().filter(|it| it.is_right(task)).count();
        let count = kept.count();
        Self {
            threshold,
            coverage: count as f64 / predictions.len() as f64,
            accuracy: right as f64 / count.max(1) as f64,
        }
    }
}

impl Images<'_> {
    /// The name of an image below the root, with slashes on every system.
    pub(super) fn name(&self, index: usize) -> String {
        let path = &self.images[index].path;
        let below: &Path = path.strip_prefix(self.root).unwrap_or(path);
        let parts = below.components().map(|part| part.as_os_str());
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}
