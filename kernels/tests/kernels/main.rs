//! Every instruction set that this machine can run, against direct convolutions written for clarity.

mod bf16;
mod blocks;
mod fused_blocks;
mod graphs;
mod network;
mod networks;
mod random;
mod reference;
mod shapes;
mod stem_and_head;
mod unfused_blocks;
mod winograd;

/// The largest difference between two maps.
fn max_abs_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}
