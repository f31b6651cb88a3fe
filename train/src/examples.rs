/// Features of the images to learn from, and the classes of each.
///
/// The order of the examples decides which ones are held out together. It should have nothing to do with their classes or
/// their names; the order of the images' digests is one such.
#[derive(Clone, Debug)]
pub struct Examples {
    task: Task,
    classes: usize,
    channels: usize,
    /// `[examples, channels]`, each row of length 1.
    features: Vec<f32>,
    /// The classes of each example, ascending.
    labels: Vec<Vec<usize>>,
}

/// How many classes an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Exactly one: the probabilities of all classes add up to 1 (softmax).
    SingleLabel,
    /// Any number: each class has a probability of its own (sigmoid).
    MultiLabel,
}

/// Why nothing can be learned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExamplesError {
    /// One class is no choice.
    #[error("there are {0} classes: at least 2 are needed")]
    Classes(usize),
    /// One example cannot be both learned from and held out.
    #[error("class {class} has {examples} examples: at least 2 are needed")]
    TooFew {
        /// Index of the class.
        class: usize,
        /// Its examples.
        examples: usize,
    },
    /// Features that are not those of one network.
    #[error("example {0} has features of another length, or infinite, or all zero")]
    Features(usize),
    /// Labels that do not fit the task.
    #[error("example {0} has a class that does not exist, or not exactly one")]
    Labels(usize),
}

impl Examples {
    /// Takes the features of each image, `[channels]`, and its classes. The features are scaled to length 1.
    ///
    /// # Errors
    /// If there are fewer than two classes, or fewer than two examples of a class, or an example is malformed.
    pub fn new(
        task: Task,
        classes: usize,
        examples: impl IntoIterator<Item = (Vec<f32>, Vec<usize>)>,
    ) -> Result<Self, ExamplesError> {
        if classes < 2 {
            return Err(ExamplesError::Classes(classes));
        }
        let mut all = Self {
            task,
            classes,
            channels: 0,
            features: Vec::new(),
            labels: Vec::new(),
        };
        for (features, labels) in examples {
            all.push(features, labels)?;
        }
        match (0..classes).find(|&class| all.of_class(class).count() < 2) {
            None => Ok(all),
            Some(class) => Err(ExamplesError::TooFew {
                class,
                examples: all.of_class(class).count(),
            }),
        }
    }

    fn push(
        &mut self,
        mut features: Vec<f32>,
        mut labels: Vec<usize>,
    ) -> Result<(), ExamplesError> {
        let index = self.labels.len();
        if index == 0 {
            self.channels = features.len();
        }
        let length = norm(&features);
        if features.len() != self.channels || !length.is_finite() || length <= 0.0 {
            return Err(ExamplesError::Features(index));
        }
        labels.sort_unstable();
        labels.dedup();
        let exist = labels.iter().all(|&class| class < self.classes);
        if !exist || (self.task == Task::SingleLabel && labels.len() != 1) {
            return Err(ExamplesError::Labels(index));
        }
        features.iter_mut().for_each(|value| *value /= length);
        self.features.extend(features);
        self.labels.push(labels);
        Ok(())
    }

    /// How many classes each example has.
    #[must_use]
    pub fn task(&self) -> Task {
        self.task
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Length of a feature vector.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of examples.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "every class has two examples")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The classes of an example, ascending.
    ///
    /// # Panics
    /// If there is no example of that index.
    #[must_use]
    pub fn labels(&self, example: usize) -> &[usize] {
        &self.labels[example]
    }

    /// The features of an example, of length 1.
    pub(crate) fn features(&self, example: usize) -> &[f32] {
        &self.features[example * self.channels..][..self.channels]
    }

    pub(crate) fn of_class(&self, class: usize) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |&example| self.labels[example].contains(&class))
    }
}

pub(crate) fn norm(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "features are f32")]
    let length = sum.sqrt() as f32;
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[usize]) -> Result<Examples, ExamplesError> {
        let examples = labels.iter().map(|&class| (vec![3.0, 4.0], vec![class]));
        Examples::new(Task::SingleLabel, 2, examples)
    }

    #[test]
    fn scales_features_to_length_1() {
        let examples = of(&[0, 0, 1, 1]).unwrap();
        assert_eq!(examples.features(3), [0.6, 0.8]);
    }

    #[test]
    fn rejects_what_cannot_be_learned() {
        let too_few = |class, examples| ExamplesError::TooFew { class, examples };
        assert_eq!(of(&[0, 0, 1]).unwrap_err(), too_few(1, 1));
        assert_eq!(of(&[0, 0]).unwrap_err(), too_few(1, 0));
        assert_eq!(of(&[0, 2]).unwrap_err(), ExamplesError::Labels(1));
        for features in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![1.0]] {
            let examples = [(vec![1.0, 0.0], vec![0]), (features, vec![1])];
            let error = Examples::new(Task::SingleLabel, 2, examples).unwrap_err();
            assert_eq!(error, ExamplesError::Features(1));
        }
        let one = Examples::new(Task::MultiLabel, 1, []);
        assert_eq!(one.unwrap_err(), ExamplesError::Classes(1));
        let two_labels = Examples::new(Task::SingleLabel, 2, [(vec![1.0], vec![0, 1])]);
        assert_eq!(two_labels.unwrap_err(), ExamplesError::Labels(0));
    }
}
