use crate::Task;

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
