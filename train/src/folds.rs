//! Which examples are held out together.

use crate::examples::Examples;

/// Up to this many examples, each is held out alone: few examples make folds that mislead.
const LEAVE_ONE_OUT_MAX: usize = 60;
const FOLDS: usize = 5;

/// A division of the examples into parts, each to be predicted by a head that was fitted to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folds {
    /// The fold of each example.
    fold_of: Vec<usize>,
    count: usize,
}

impl Folds {
    /// One fold per example if there are few; otherwise five, each with an equal share of every class.
    pub(crate) fn new(examples: &Examples) -> Self {
        if examples.len() <= LEAVE_ONE_OUT_MAX {
            return Self {
                fold_of: (0..examples.len()).collect(),
                count: examples.len(),
            };
        }
        let mut fold_of = vec![0; examples.len()];
        // Dealt like cards, class by class and without a gap between the classes, so that the folds are of one size too. An
        // example of several classes is dealt with its first.
        let mut dealt = 0;
        let mut deal = |example: usize| {
            fold_of[example] = dealt % FOLDS;
            dealt += 1;
        };
        for class in 0..examples.classes() {
            let first = |example: &usize| examples.labels(*example).first() == Some(&class);
            (0..examples.len()).filter(first).for_each(&mut deal);
        }
        let unlabelled = |example: &usize| examples.labels(*example).is_empty();
        (0..examples.len()).filter(unlabelled).for_each(deal);
        Self {
            fold_of,
            count: FOLDS,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether each example is held out alone.
    pub(crate) fn is_leave_one_out(&self) -> bool {
        self.count == self.fold_of.len()
    }

    /// The examples of a fold.
    pub(crate) fn held_out(&self, fold: usize) -> Vec<usize> {
        self.examples(|it| it == fold)
    }

    /// The examples of all other folds.
    pub(crate) fn others(&self, fold: usize) -> Vec<usize> {
        self.examples(|it| it != fold)
    }

    fn examples(&self, chosen: impl Fn(usize) -> bool) -> Vec<usize> {
        let folds = self.fold_of.iter().enumerate();
        folds
            .filter_map(|(example, &fold)| chosen(fold).then_some(example))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;

    fn examples(classes: &[usize]) -> Examples {
        let all = classes.iter().enumerate();
        let all = all
            .flat_map(|(class, &count)| std::iter::repeat_n((vec![1.0, 0.5], vec![class]), count));
        Examples::new(Task::SingleLabel, classes.len(), all).unwrap()
    }

    #[test]
    fn few_examples_are_held_out_one_by_one() {
        let folds = Folds::new(&examples(&[30, 30]));
        assert!(folds.is_leave_one_out());
        assert_eq!(folds.held_out(7), [7]);
        assert_eq!(folds.others(7).len(), 59);
    }

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let examples = examples(&[7, 21, 50]);
        let folds = Folds::new(&examples);
        assert_eq!(folds.count(), 5);
        for fold in 0..5 {
            let held_out = folds.held_out(fold);
            assert!((15..=16).contains(&held_out.len()));
            for (class, share) in [(0, 1..=2), (1, 4..=5), (2, 10..=10)] {
                let of_class = |&&it: &&usize| examples.labels(it) == [class];
                assert!(share.contains(&held_out.iter().filter(of_class).count()));
            }
            assert_eq!(held_out.len() + folds.others(fold).len(), 78);
        }
    }
}
