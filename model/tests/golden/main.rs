//! The answers of PyTorch's reference implementation on ten photographs (`make_golden.py`), whatever computes the network.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod family;
mod lite0;
mod preprocessing;
mod reference;
