use serde::Serialize;

/// The quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.959_964;

/// A share, 0 to 1, and between which values the true share lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// What was measured.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Wilson's score interval (Wilson 1927) of `hits` among `trials`; it holds for few trials and shares near 0 and 1 too.
    #[must_use]
    pub fn wilson(hits: usize, trials: usize) -> Self {
        if trials == 0 {
            return Self {
                value: 0.0,
                low: 0.0,
                high: 1.0,
            };
        }
        let (n, value) = (trials as f64, hits as f64 / trials as f64);
        let denominator = 1.0 + Z * Z / n;
        let centre = (value + Z * Z / (2.0 * n)) / denominator;
        let spread = (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt() * Z / denominator;
        Self {
            value,
            low: (centre - spread).max(0.0),
            high: (centre + spread).min(1.0),
        }
    }

    /// The mean of independent shares. Each share's variance is that of Agresti and Coull (1998), which is not 0 where all
    /// trials agree.
    pub(crate) fn mean_of(shares: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let count = shares.clone().count().max(1) as f64;
        let value = shares
            .clone()
            .map(|(hits, trials)| hits as f64 / trials as f64)
            .sum::<f64>()
            / count;
        let variance = shares.map(|(hits, trials)| {
            let n = trials as f64 + Z * Z;
            let share = (hits as f64 + Z * Z / 2.0) / n;
            share * (1.0 - share) / n
        });
        let spread = Z * variance.sum::<f64>().sqrt() / count;
        Self {
            value,
            low: (value - spread).max(0.0),
            high: (value + spread).min(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are statsmodels' `proportion_confint(method="wilson")`.
    #[test]
    fn wilsons_interval_is_statsmodels() {
        for (hits, trials, low, high) in [
            (8, 10, 0.490_16, 0.943_31),
            (0, 10, 0.0, 0.277_53),
            (341, 341, 0.988_86, 1.0),
        ] {
            let interval = Interval::wilson(hits, trials);
            assert!((interval.low - low).abs() < 1e-4, "{interval:?}");
            assert!((interval.high - high).abs() < 1e-4, "{interval:?}");
        }
    }

    #[test]
    fn the_mean_of_perfect_shares_is_not_certain() {
        let interval = Interval::mean_of([(5, 5), (5, 5)].into_iter());
        assert_eq!(interval.value, 1.0);
        assert!(interval.low < 0.9);
    }
}
