//! Upsamples components with fewer samples than pixels, as libjpeg does by default ("fancy"): triangle filters for factors
//! of two, repetition for the rest.

/// How a component's samples become pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upsampling {
    /// There is one sample per pixel.
    None,
    /// Twice as many columns: 3/4 of the nearer sample, 1/4 of the farther.
    Across,
    /// Twice as many rows, likewise.
    Down,
    /// Both.
    Both,
    /// Each sample is repeated.
    Repeat { across: usize, down: usize },
}

impl Upsampling {
    /// Pixels per sample, in columns and in rows.
    pub(crate) fn factors(self) -> (usize, usize) {
        match self {
            Self::None => (1, 1),
            Self::Across => (2, 1),
            Self::Down => (1, 2),
            Self::Both => (2, 2),
            Self::Repeat { across, down } => (across, down),
        }
    }

    /// Whether a pixel depends on the samples to the left and right of its own.
    pub(crate) fn looks_across(self) -> bool {
        matches!(self, Self::Across | Self::Both)
    }

    /// Whether a pixel depends on the samples above and below its own.
    pub(crate) fn looks_down(self) -> bool {
        matches!(self, Self::Down | Self::Both)
    }
}

/// `samples` has one more sample at either end than `pixels` has pairs.
#[inline(always)]
pub(crate) fn across(samples: &[u8], pixels: &mut [u8]) {
    let (pairs, _) = pixels.as_chunks_mut::<2>();
    let count = pairs.len();
    let left = &samples[..count];
    let centre = &samples[1..][..count];
    let right = &samples[2..][..count];
    for (((pair, &left), &centre), &right) in pairs.iter_mut().zip(left).zip(centre).zip(right) {
        let centre = 3 * u16::from(centre);
        *pair = [
            narrow((centre + u16::from(left) + 1) >> 2),
            narrow((centre + u16::from(right) + 2) >> 2),
        ];
    }
}

/// `near` and `far` have one sample per pixel; `rounding` is 1 if `far` is above, 2 if it is below.
#[inline(always)]
pub(crate) fn down(near: &[u8], far: &[u8], rounding: u16, pixels: &mut [u8]) {
    for ((pixel, &near), &far) in pixels.iter_mut().zip(near).zip(far) {
        *pixel = narrow((3 * u16::from(near) + u16::from(far) + rounding) >> 2);
    }
}

/// `near` and `far` have one more sample at either end than `pixels` has pairs.
#[inline(always)]
pub(crate) fn both(near: &[u8], far: &[u8], sums: &mut Vec<u16>, pixels: &mut [u8]) {
    sums.clear();
    sums.extend(
        near.iter()
            .zip(far)
            .map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)),
    );
    let (pairs, _) = pixels.as_chunks_mut::<2>();
    let count = pairs.len();
    let left = &sums[..count];
    let centre = &sums[1..][..count];
    let right = &sums[2..][..count];
    for (((pair, left), centre), right) in pairs.iter_mut().zip(left).zip(centre).zip(right) {
        *pair = [
            narrow((3 * centre + left + 8) >> 4),
            narrow((3 * centre + right + 7) >> 4),
        ];
    }
}

/// `samples` has one sample per `factor` pixels.
#[inline(always)]
pub(crate) fn repeat(samples: &[u8], factor: usize, pixels: &mut [u8]) {
    for (group, &sample) in pixels.chunks_exact_mut(factor).zip(samples) {
        group.fill(sample);
    }
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "a weighted mean of bytes")]
fn narrow(mean: u16) -> u8 {
    mean as u8
}
