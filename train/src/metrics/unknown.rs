use serde::Serialize;

use crate::metrics::interval::Interval;

/// How well known images are told from images that show none of the classes, by their known scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnknownEvaluation {
    /// How often a known image has a higher score than an unknown one, 0 to 1 (area under the ROC curve).
    pub auroc: f64,
    /// The share of unknown images that pass for known if 95 % of the known images are kept.
    pub fpr_at_95: f64,
    /// The share of known images that the model's threshold keeps. `None` if it has none.
    pub known_kept: Option<Interval>,
    /// The share of unknown images that the model's threshold calls unknown. `None` if it has none.
    pub unknown_found: Option<Interval>,
}

impl UnknownEvaluation {
    /// Measures the scores of known and unknown images; `threshold` is the model's.
    ///
    /// # Panics
    /// If either is empty.
    #[must_use]
    pub fn of(known: &[f32], unknown: &[f32], threshold: Option<f32>) -> Self {
        assert!(
            !known.is_empty() && !unknown.is_empty(),
            "nothing to measure"
        );
        let passing = |scores: &[f32], threshold: f32| {
            scores.iter().filter(|&&score| score >= threshold).count()
        };
        let keeps_95 = crate::known::threshold(known);
        Self {
            auroc: auroc(known, unknown),
            fpr_at_95: passing(unknown, keeps_95) as f64 / unknown.len() as f64,
            known_kept: threshold.map(|it| Interval::wilson(passing(known, it), known.len())),
            unknown_found: threshold.map(|it| {
                let found = unknown.len() - passing(unknown, it);
                Interval::wilson(found, unknown.len())
            }),
        }
    }
}

/// Counts pairs. Ties count half.
fn auroc(known: &[f32], unknown: &[f32]) -> f64 {
    let mut all: Vec<(f32, bool)> = known.iter().map(|&score| (score, true)).collect();
    all.extend(unknown.iter().map(|&score| (score, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut wins, mut unknown_below) = (0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let known_here = tied.iter().filter(|it| it.1).count() as f64;
        let unknown_here = tied.len() as f64 - known_here;
        wins += known_here * (unknown_below + unknown_here / 2.0);
        unknown_below += unknown_here;
    }
    wins / (known.len() as f64 * unknown.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_pairs() {
        assert_eq!(auroc(&[2.0, 3.0], &[0.0, 1.0]), 1.0);
        assert_eq!(auroc(&[0.0, 3.0], &[1.0, 2.0]), 0.5);
        assert_eq!(auroc(&[1.0, 1.0], &[1.0]), 0.5);
    }

    #[test]
    fn a_share_of_unknown_images_passes_where_95_percent_of_the_known_do() {
        let known: Vec<_> = (0..100_u8)
            .map(|index| 0.5 + f32::from(index) / 200.0)
            .collect();
        let measured = UnknownEvaluation::of(&known, &[0.1, 0.2, 0.6, 0.51], Some(0.55));
        assert_eq!(measured.fpr_at_95, 0.25);
        assert_eq!(measured.known_kept.unwrap().value, 0.9);
        assert_eq!(measured.unknown_found.unwrap().value, 0.75);
    }
}
