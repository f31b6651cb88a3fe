//! Predictions for every example by a head that has not seen it.

use crate::{examples::Examples, fit::fit, folds::Folds, parallel};

/// Logits `[classes]` of each example, before the temperature.
pub(crate) fn logits(examples: &Examples, folds: &Folds) -> Vec<Vec<f32>> {
    let of_folds = parallel::map(folds.count(), |fold| {
        let head = fit(examples, &folds.others(fold));
        let held_out = folds.held_out(fold).into_iter();
        held_out
            .map(|example| (example, head.logits(examples.features(example))))
            .collect::<Vec<_>>()
    });
    let mut all = vec![Vec::new(); examples.len()];
    for (example, logits) in of_folds.into_iter().flatten() {
        all[example] = logits;
    }
    all
}
