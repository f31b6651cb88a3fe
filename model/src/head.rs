use std::{collections::HashSet, sync::Arc};

use crate::{Embedding, FeatureMap, Heatmap, Logits, Ranking, explain::dot};

/// A trained last layer with its classes: what `imageclassifier train` learns on the features of a frozen network. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Head(Arc<HeadParts>);

/// What a [`Head`] consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadParts {
    /// Names of the classes, by class index.
    pub labels: Vec<String>,
    /// How logits become probabilities.
    pub activation: Activation,
    /// `[classes, channels]`. The logits are `(weight · f + bias) / temperature`, where `f` is the embedding scaled to length 1.
    pub weight: Vec<f32>,
    /// `[classes]`.
    pub bias: Vec<f32>,
    /// `[classes, channels]`, each row of length 1. The known score is the largest cosine similarity of the embedding to a row.
    pub class_means: Vec<f32>,
    /// Divides the logits, so that confidences are right as often as they say; over 0.
    pub temperature: f32,
    /// Images with a lower known score are unknown. `None` if none is.
    pub known_threshold: Option<f32>,
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// An image has exactly one class: the probabilities add up to 1.
    Softmax,
    /// An image can have several classes: each has a probability of its own.
    Sigmoid,
}

/// How much an image resembles the classes that a [`Head`] knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Cosine similarity of the embedding to the nearest class mean, -1 to 1.
    pub score: f32,
    /// Whether the score is below the head's threshold: the image probably shows none of the classes.
    pub unknown: bool,
}

/// Why parts do not make a head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Too few or too many classes.
    #[error("there are {0} classes: a model has 2 to {CLASSES_MAX}")]
    Classes(usize),
    /// A class without a usable name.
    #[error(
        "class {0} has a name that is empty, longer than {LABEL_BYTES_MAX} bytes, or has control characters"
    )]
    Label(usize),
    /// Two classes with the same name.
    #[error("two classes are called {0:?}")]
    SameLabels(String),
    /// A tensor of the wrong size.
    #[error("{tensor} has {found} values instead of {expected}")]
    Length {
        /// The tensor.
        tensor: &'static str,
        /// Its values.
        found: usize,
        /// The values that it needs.
        expected: usize,
    },
    /// A value that cannot be computed with.
    #[error("{0} has a value that is infinite, not a number, or out of range")]
    Value(&'static str),
}

/// As many classes as ImageNet-21k's usual subset has would take 115 MB.
const CLASSES_MAX: usize = 4096;
const LABEL_BYTES_MAX: usize = 256;

impl Activation {
    /// Its name: `softmax` or `sigmoid`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
        }
    }
}

impl Head {
    /// Checks `parts` for a network with `channels` features.
    ///
    /// # Errors
    /// If a part has another size than the others say, or a value is out of range.
    pub fn new(parts: HeadParts, channels: usize) -> Result<Self, HeadError> {
        let classes = parts.labels.len();
        if !(2..=CLASSES_MAX).contains(&classes) {
            return Err(HeadError::Classes(classes));
        }
        check_labels(&parts.labels)?;
        for (tensor, values, expected) in [
            ("fc.weight", &parts.weight, classes * channels),
            ("fc.bias", &parts.bias, classes),
            ("class_means", &parts.class_means, classes * channels),
        ] {
            let found = values.len();
            if found != expected {
                return Err(HeadError::Length {
                    tensor,
                    found,
                    expected,
                });
            }
            // Larger values could make a logit infinite.
            if !values.iter().all(|value| value.abs() <= 1e6) {
                return Err(HeadError::Value(tensor));
            }
        }
        let unit = 1e-3..=1e3;
        if !unit.contains(&parts.temperature) {
            return Err(HeadError::Value("temperature"));
        }
        if parts
            .known_threshold
            .is_some_and(|it| !(-1.0..=1.0).contains(&it))
        {
            return Err(HeadError::Value("known_threshold"));
        }
        Ok(Self(Arc::new(parts)))
    }

    /// What the head consists of.
    #[must_use]
    pub fn parts(&self) -> &HeadParts {
        &self.0
    }

    /// Length of the embeddings that the head is for.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.0.weight.len() / self.0.labels.len()
    }

    /// One logit per class, divided by the temperature. `None` if one is not finite.
    ///
    /// # Panics
    /// If the embedding is of another network.
    #[must_use]
    pub fn logits(&self, embedding: &Embedding) -> Option<Logits> {
        let parts = &*self.0;
        let scale = scale(embedding) / parts.temperature;
        let rows = rows(&parts.weight, embedding);
        let logits = rows
            .zip(&parts.bias)
            .map(|(row, bias)| dot(embedding.values(), row) * scale + bias / parts.temperature);
        Logits::new(&logits.collect::<Vec<_>>())
    }

    /// How much the image of `embedding` resembles the classes.
    ///
    /// # Panics
    /// If the embedding is of another network.
    #[must_use]
    pub fn known(&self, embedding: &Embedding) -> Known {
        let scale = scale(embedding);
        let similarities =
            rows(&self.0.class_means, embedding).map(|mean| dot(embedding.values(), mean) * scale);
        let score = similarities.fold(f32::NEG_INFINITY, f32::max);
        Known {
            score,
            unknown: self.0.known_threshold.is_some_and(|it| score < it),
        }
    }

    /// The `top_k` most probable classes.
    #[must_use]
    pub fn rank(&self, logits: &Logits, top_k: usize) -> Ranking {
        match self.0.activation {
            Activation::Softmax => Ranking::of(logits, top_k),
            Activation::Sigmoid => Ranking::of_independent(logits, top_k),
        }
    }

    /// The class-activation map of `class` in the image of `features` and `embedding`: the mean of its values plus the class's
    /// bias, divided by the temperature, is its logit.
    ///
    /// # Panics
    /// If there is no such class, or the features are of another network.
    #[must_use]
    pub fn heatmap(&self, features: &FeatureMap, embedding: &Embedding, class: usize) -> Heatmap {
        let parts = &*self.0;
        let scale = scale(embedding) / parts.temperature;
        let mut rows = rows(&parts.weight, embedding);
        let row = rows.nth(class).expect("the class exists");
        let scaled: Vec<_> = row.iter().map(|weight| weight * scale).collect();
        features.weighted(&scaled)
    }
}

fn rows<'a>(matrix: &'a [f32], embedding: &Embedding) -> impl Iterator<Item = &'a [f32]> {
    matrix.chunks_exact(embedding.values().len())
}

/// What scales an embedding to length 1. It is 0 for an image in which the network finds nothing, and for embeddings shorter than
/// 1e-20, whose reciprocal could make logits infinite.
fn scale(embedding: &Embedding) -> f32 {
    const SHORTEST: f32 = 1e-20;
    let length = embedding.length();
    if length < SHORTEST {
        0.0
    } else {
        length.recip()
    }
}

/// Whether a class can be called so.
pub(crate) fn is_usable(label: &str) -> bool {
    !label.trim().is_empty() && label.len() <= LABEL_BYTES_MAX && !label.contains(char::is_control)
}

fn check_labels(labels: &[String]) -> Result<(), HeadError> {
    if let Some(index) = labels.iter().position(|label| !is_usable(label)) {
        return Err(HeadError::Label(index));
    }
    let mut seen = HashSet::new();
    match labels.iter().find(|&label| !seen.insert(label)) {
        None => Ok(()),
        Some(label) => Err(HeadError::SameLabels(label.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> HeadParts {
        HeadParts {
            labels: ["cat", "dog"].map(str::to_owned).to_vec(),
            activation: Activation::Softmax,
            weight: vec![1.0, 0.0, 0.0, 2.0],
            bias: vec![0.5, -0.5],
            class_means: vec![1.0, 0.0, 0.6, 0.8],
            temperature: 0.5,
            known_threshold: Some(0.9),
        }
    }

    #[test]
    fn logits_are_of_the_features_at_length_1_over_the_temperature() {
        let head = Head::new(parts(), 2).unwrap();
        let embedding = Embedding::new(vec![3.0, 4.0]);
        let logits = head.logits(&embedding).unwrap();
        assert_eq!(logits.values(), [(0.6 + 0.5) * 2.0, (1.6 - 0.5) * 2.0]);
        assert_eq!(
            head.known(&embedding),
            Known {
                score: 1.0,
                unknown: false
            }
        );
        let strange = head.known(&Embedding::new(vec![0.0, 2.0]));
        assert_eq!(
            strange,
            Known {
                score: 0.8,
                unknown: true
            }
        );
        assert_eq!(head.known(&Embedding::new(vec![0.0, 0.0])).score, 0.0);
    }

    #[test]
    fn an_image_without_features_has_the_logits_of_the_bias() {
        let sharp = HeadParts {
            temperature: 1.0 / 512.0,
            weight: vec![1e6; 4],
            ..parts()
        };
        let head = Head::new(sharp, 2).unwrap();
        for value in [0.0, f32::MIN_POSITIVE, 1e-30] {
            let embedding = Embedding::new(vec![value; 2]);
            let logits = head.logits(&embedding).unwrap();
            assert_eq!(logits.values(), [256.0, -256.0], "{value}");
            assert_eq!(head.known(&embedding).score, 0.0, "{value}");
            let features = FeatureMap {
                height: 1,
                width: 1,
                values: vec![value; 2],
            };
            let map = head.heatmap(&features, &embedding, 0);
            assert_eq!(map.values, [0.0], "{value}");
        }
    }

    #[test]
    fn a_heatmap_adds_up_to_the_logit() {
        let head = Head::new(parts(), 2).unwrap();
        let features = FeatureMap {
            height: 1,
            width: 2,
            values: vec![2.0, 4.0, 4.0, 4.0],
        };
        let embedding = Embedding::new(vec![3.0, 4.0]);
        let logits = head.logits(&embedding).unwrap();
        for class in 0..2 {
            let map = head.heatmap(&features, &embedding, class).values;
            let sum = (map[0] + map[1]) / 2.0 + parts().bias[class] / 0.5;
            assert!((sum - logits.values()[class]).abs() < 1e-6);
        }
    }

    #[test]
    fn rejects_parts_that_do_not_fit() {
        let error = |change: fn(&mut HeadParts)| {
            let mut parts = parts();
            change(&mut parts);
            Head::new(parts, 2).unwrap_err()
        };
        assert_eq!(error(|it| it.labels.truncate(1)), HeadError::Classes(1));
        assert_eq!(error(|it| it.labels[1] = " ".into()), HeadError::Label(1));
        let same = HeadError::SameLabels("cat".into());
        assert_eq!(error(|it| it.labels[1] = "cat".into()), same);
        assert_eq!(
            error(|it| it.bias[0] = f32::NAN),
            HeadError::Value("fc.bias")
        );
        assert_eq!(
            error(|it| it.temperature = 0.0),
            HeadError::Value("temperature")
        );
        let threshold = HeadError::Value("known_threshold");
        assert_eq!(error(|it| it.known_threshold = Some(f32::NAN)), threshold);
        assert!(matches!(
            error(|it| it.weight.truncate(3)),
            HeadError::Length {
                tensor: "fc.weight",
                found: 3,
                expected: 4
            }
        ));
    }
}
