use std::sync::{Mutex, MutexGuard, PoisonError};

/// Limits the retries of a client, so that they do not add to the load of servers that fail: gRPC's retry throttling (proposal
/// A6). The client begins with `max_tokens`. Each failed request takes one, each answered request or image gives `token_ratio`
/// back. While half of the tokens or fewer are left, nothing is sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Above 0; otherwise nothing is sent again. Infinitely many are no bound.
    pub max_tokens: f64,
    /// At least 0; less counts as 0.
    pub token_ratio: f64,
}

impl Default for RetryBudget {
    /// 49 retries at once, and one more for each ten successes.
    fn default() -> Self {
        Self {
            max_tokens: 100.0,
            token_ratio: 0.1,
        }
    }
}

/// The tokens of one client.
#[derive(Debug)]
pub(super) struct Bucket {
    budget: RetryBudget,
    tokens: Mutex<f64>,
}

impl Bucket {
    pub(super) fn new(budget: RetryBudget) -> Self {
        // NaN too becomes 0.
        let budget = RetryBudget {
            max_tokens: budget.max_tokens.max(0.0),
            token_ratio: budget.token_ratio.max(0.0),
        };
        Self {
            budget,
            tokens: Mutex::new(budget.max_tokens),
        }
    }

    pub(super) fn allows_retries(&self) -> bool {
        // Half of infinity would be infinity.
        *self.tokens() > self.budget.max_tokens.min(f64::MAX) / 2.0
    }

    pub(super) fn failed(&self) {
        let mut tokens = self.tokens();
        *tokens = (*tokens - 1.0).max(0.0);
    }

    pub(super) fn succeeded(&self) {
        let mut tokens = self.tokens();
        *tokens = (*tokens + self.budget.token_ratio).min(self.budget.max_tokens);
    }

    fn tokens(&self) -> MutexGuard<'_, f64> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_that_of_a6() {
        let bucket = Bucket::new(RetryBudget {
            max_tokens: 10.0,
            token_ratio: 0.5,
        });
        (0..4).for_each(|_| bucket.failed());
        assert!(bucket.allows_retries(), "6 of 10 are left");
        bucket.failed();
        assert!(!bucket.allows_retries(), "half are left");
        bucket.succeeded();
        assert!(bucket.allows_retries());
        (0..100).for_each(|_| bucket.failed());
        for _ in 0..11 {
            assert!(!bucket.allows_retries());
            bucket.succeeded();
        }
        assert!(bucket.allows_retries(), "it was never below 0");
    }

    #[test]
    fn an_infinite_budget_always_allows_retries() {
        let bucket = Bucket::new(RetryBudget {
            max_tokens: f64::INFINITY,
            token_ratio: f64::INFINITY,
        });
        bucket.failed();
        assert!(bucket.allows_retries());
        bucket.succeeded();
        assert!(bucket.allows_retries());
    }

    #[test]
    fn invalid_budgets_allow_no_retries() {
        for (max_tokens, token_ratio) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0)] {
            let bucket = Bucket::new(RetryBudget {
                max_tokens,
                token_ratio,
            });
            bucket.succeeded();
            assert!(!bucket.allows_retries());
        }
        for token_ratio in [-1.0, f64::NAN] {
            let bucket = Bucket::new(RetryBudget {
                max_tokens: 2.0,
                token_ratio,
            });
            bucket.succeeded();
            assert!(bucket.allows_retries());
            bucket.failed();
            bucket.succeeded();
            assert!(!bucket.allows_retries());
        }
    }
}
