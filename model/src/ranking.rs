/// What the last layer computes, before the softmax or sigmoid: one finite value per class.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits(Vec<f32>);

/// The most probable classes, most probable first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking(Vec<Ranked>);

/// One class of a [`Ranking`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Class index, from 0.
    pub index: usize,
    /// Softmax over all classes, or the class's own sigmoid, 0 to 1.
    pub probability: f32,
}

impl Logits {
    /// `None` unless there are values and all are finite.
    #[must_use]
    pub fn new(values: &[f32]) -> Option<Self> {
        let sound = !values.is_empty() && values.iter().all(|value| value.is_finite());
        sound.then(|| Self(values.to_vec()))
    }

    /// One value per class, by class index.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// Class indices by descending value.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by(|&a, &b| self.0[b].total_cmp(&self.0[a]));
        order
    }
}

impl Ranking {
    /// The `top_k` most probable classes of an image that has exactly one (softmax). Of equally probable ones the lower index
    /// comes first.
    #[must_use]
    pub fn of(logits: &Logits, top_k: usize) -> Self {
        let (values, order) = (logits.values(), logits.order());
        // Subtracting the largest logit keeps every exponential within 0..=1.
        let largest = values[order[0]];
        let exponential = |index: usize| f64::from(values[index] - largest).exp();
        let sum: f64 = (0..values.len()).map(exponential).sum();
        let ranked = order.into_iter().take(top_k).map(|index| Ranked {
            index,
            #[allow(clippy::cast_possible_truncation, reason = "0 to 1")]
            probability: (exponential(index) / sum) as f32,
        });
        Self(ranked.collect())
    }

    /// The `top_k` most probable classes of an image that can have several (sigmoid of each).
    #[must_use]
    pub fn of_independent(logits: &Logits, top_k: usize) -> Self {
        let ranked = logits.order().into_iter().take(top_k).map(|index| Ranked {
            index,
            probability: sigmoid(logits.values()[index]),
        });
        Self(ranked.collect())
    }

    /// The classes, most probable first.
    #[must_use]
    pub fn classes(&self) -> &[Ranked] {
        &self.0
    }
}

pub(crate) fn sigmoid(logit: f32) -> f32 {
    #[allow(clippy::cast_possible_truncation, reason = "0 to 1")]
    let probability = (1.0 / (1.0 + f64::from(-logit).exp())) as f32;
    probability
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CLASSES;

    fn logits(set: &[(usize, f32)]) -> Logits {
        let mut values = vec![0.0; CLASSES];
        for &(index, value) in set {
            values[index] = value;
        }
        Logits::new(&values).unwrap()
    }

    #[test]
    fn probabilities_are_a_softmax_over_all_classes() {
        let ranking = Ranking::of(&logits(&[(7, 10.0), (3, 9.0)]), CLASSES);
        let sum: f32 = ranking.classes().iter().map(|c| c.probability).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        let denominator = 10f64.exp() + 9f64.exp() + 998.0;
        let expected = 10f64.exp() / denominator;
        assert!((f64::from(ranking.classes()[0].probability) - expected).abs() < 1e-6);
    }

    #[test]
    fn ties_go_to_the_lower_index() {
        let indices: Vec<_> = Ranking::of(&logits(&[(9, 1.0), (4, 1.0)]), 3)
            .classes()
            .iter()
            .map(|class| class.index)
            .collect();
        assert_eq!(indices, [4, 9, 0]);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let ranking = Ranking::of(&logits(&[(1, f32::MAX), (2, -f32::MAX)]), 1);
        assert_eq!(ranking.classes()[0].probability, 1.0);
    }

    #[test]
    fn independent_classes_have_a_sigmoid_each() {
        let logits = Logits::new(&[0.0, 2.0, -1.0]).unwrap();
        let ranking = Ranking::of_independent(&logits, 2);
        let [first, second] = ranking.classes() else {
            panic!("{ranking:?}");
        };
        assert_eq!((first.index, second.index), (1, 0));
        assert!((first.probability - 0.880_797).abs() < 1e-6);
        assert_eq!(second.probability, 0.5);
    }

    #[test]
    fn rejects_logits_of_no_class_and_non_finite_ones() {
        assert!(Logits::new(&[]).is_none());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![0.0; CLASSES];
            values[500] = bad;
            assert!(Logits::new(&values).is_none());
        }
    }
}
