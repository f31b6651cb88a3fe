//! Bytes in place of the missing ones of a cut frame.

/// Pseudorandom bytes, others for each seed. From `random_bytes` on all are the same.
pub(super) fn padding(seed: u32, random_bytes: usize) -> impl Iterator<Item = u8> {
    let mut state = (seed + 1).wrapping_mul(0x9E37_79B9);
    let mut byte = 0;
    (0..).map(move |index| {
        if index < random_bytes {
            state = xorshift(state);
            byte = state.to_be_bytes()[0];
        }
        byte
    })
}

/// Marsaglia's generator of pseudorandom numbers.
fn xorshift(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^ state << 5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first state of Marsaglia's article (Xorshift RNGs, 2003), and the next one, computed in Python.
    #[test]
    fn xorshift_computes_the_next_state() {
        assert_eq!(xorshift(2_463_534_242), 723_471_715);
    }

    #[test]
    fn only_the_first_bytes_are_random() {
        let [first, second] = [0, 1].map(|seed| padding(seed, 16).take(100).collect::<Vec<_>>());
        assert_ne!(first[0], second[0]);
        for bytes in [first, second] {
            let (random, same) = bytes.split_at(16);
            assert_ne!(random[14], random[15]);
            assert!(random.iter().any(|&byte| byte != random[0]));
            assert_eq!(*same, [random[15]; 84]);
        }
    }
}
