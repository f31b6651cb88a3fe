use image::Rgb;

/// Nine points of "inferno" (Smith and van der Walt 2015, matplotlib's), evenly from 0 to 1: lightness rises evenly,
/// so that the shape stays visible in grey and to people with colour blindness.
const INFERNO: [[u8; 3]; 9] = [
    [0x00, 0x00, 0x04],
    [0x21, 0x0c, 0x4a],
    [0x57, 0x10, 0x6e],
    [0x8a, 0x22, 0x6a],
    [0xbc, 0x37, 0x54],
    [0xe4, 0x59, 0x32],
    [0xf9, 0x8c, 0x0a],
    [0xf9, 0xc9, 0x32],
    [0xfc, 0xff, 0xa4],
];

/// The colour of `strength`, 0 to 1.
pub(super) fn inferno(strength: f32) -> Rgb<u8> {
    let position = strength.clamp(0.0, 1.0) * (INFERNO.len() - 1) as f32;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the last but one"
    )]
    let below = (position as usize).min(INFERNO.len() - 2);
    mix(
        Rgb(INFERNO[below]),
        Rgb(INFERNO[below + 1]),
        position - below as f32,
    )
}

/// `one`, with `share` of it, 0 to 1, replaced by `other`.
pub(super) fn mix(Rgb(one): Rgb<u8>, Rgb(other): Rgb<u8>, share: f32) -> Rgb<u8> {
    let channel = |channel: usize| {
        let (one, other) = (f32::from(one[channel]), f32::from(other[channel]));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two bytes"
        )]
        let mixed = (one + (other - one) * share).round() as u8;
        mixed
    };
    Rgb([channel(0), channel(1), channel(2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_lighter_from_end_to_end() {
        assert_eq!(inferno(0.0), Rgb(INFERNO[0]));
        assert_eq!(inferno(0.5), Rgb(INFERNO[4]));
        assert_eq!(inferno(1.0), Rgb(INFERNO[8]));
        assert_eq!(inferno(7.0), inferno(1.0));
        let lightness = |step: u8| {
            let Rgb([r, g, b]) = inferno(f32::from(step) / 100.0);
            2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)
        };
        assert!((1..=100).all(|step| lightness(step - 1) < lightness(step)));
    }
}
