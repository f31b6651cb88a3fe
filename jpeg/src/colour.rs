//! From samples to red, green and blue: JFIF's equations in 16-bit fixed point, with libjpeg's rounding.

use crate::vector::{alternating, to_bytes};
use fearless_simd::prelude::*;
use fearless_simd::{Bytes, i8x16, i16x8, i16x16, i32x8, u8x16};

/// `1.402`, `0.34414`, `0.71414` and `1.772` times 65536, less multiples of 65536 so that they fit in 16 bits. Those
/// multiples are whole multiples of the sample, and are added separately.
const RED_OF_CR: i16 = 26345; // and 1
const GREEN_OF_CB: i16 = -22554;
const GREEN_OF_CR: i16 = 18734; // and -1
const BLUE_OF_CB: i16 = -14942; // and 2

const CHANNELS: usize = 3;
/// Pixels that are converted at once.
const GROUP: usize = 16;

/// Writes three bytes a pixel from one line of grey.
#[inline(always)]
pub(crate) fn from_grey(grey: &[u8], pixels: &mut [u8]) {
    for (pixel, &value) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(grey) {
        *pixel = [value; 3];
    }
}

/// Applies black to three bytes a pixel, as Pillow does. The bytes and `white` are inverted CMYK or, with `is_ycck`, the
/// bytes were converted from Y'CbCr, and their inverse is inverted CMY.
#[inline(always)]
pub(crate) fn darken(white: &[u8], is_ycck: bool, pixels: &mut [u8]) {
    let inversion = if is_ycck { 0 } else { 255 };
    for (pixel, &white) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(white) {
        *pixel = pixel.map(|value| white - share(value ^ inversion, white));
    }
}

/// `a * b / 255`, rounded.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "at most 255")]
fn share(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Writes three bytes a pixel from three lines.
#[inline(always)]
pub(crate) fn from_rgb<S: Simd>(simd: S, lines: [&[u8]; 3], pixels: &mut [u8]) {
    convert::<S, false>(simd, lines, pixels);
}

/// Writes three bytes a pixel from three lines.
#[inline(always)]
pub(crate) fn from_ycbcr<S: Simd>(simd: S, lines: [&[u8]; 3], pixels: &mut [u8]) {
    convert::<S, true>(simd, lines, pixels);
}

#[inline(always)]
fn convert<S: Simd, const YCBCR: bool>(simd: S, [a, b, c]: [&[u8]; 3], pixels: &mut [u8]) {
    let (groups, rest) = pixels.as_chunks_mut::<{ CHANNELS * GROUP }>();
    let (a, a_rest) = a.as_chunks::<GROUP>();
    let (b, b_rest) = b.as_chunks::<GROUP>();
    let (c, c_rest) = c.as_chunks::<GROUP>();
    for (((group, a), b), c) in groups.iter_mut().zip(a).zip(b).zip(c) {
        convert_group::<S, YCBCR>(simd, [a, b, c], group);
    }
    if !rest.is_empty() {
        let mut padded = [[0; GROUP]; CHANNELS];
        for (group, samples) in padded.iter_mut().zip([a_rest, b_rest, c_rest]) {
            group[..samples.len()].copy_from_slice(samples);
        }
        let mut group = [0; CHANNELS * GROUP];
        convert_group::<S, YCBCR>(simd, padded.each_ref(), &mut group);
        rest.copy_from_slice(&group[..rest.len()]);
    }
}

#[inline(always)]
fn convert_group<S: Simd, const YCBCR: bool>(
    simd: S,
    [a, b, c]: [&[u8; GROUP]; CHANNELS],
    pixels: &mut [u8; CHANNELS * GROUP],
) {
    let a = u8x16::load_array_ref(simd, a);
    let b = u8x16::load_array_ref(simd, b);
    let c = u8x16::load_array_ref(simd, c);
    if YCBCR {
        let [r, g, b] = ycbcr_to_rgb(simd, a, b, c);
        interleave(simd, r, g, b, pixels);
    } else {
        interleave(simd, a, b, c, pixels);
    }
}

#[inline(always)]
fn ycbcr_to_rgb<S: Simd>(simd: S, y: u8x16<S>, cb: u8x16<S>, cr: u8x16<S>) -> [u8x16<S>; 3] {
    let y = centred(simd, y);
    let cb = centred(simd, cb);
    let cr = centred(simd, cr);
    let (low, high) = cb.interleave(cr);
    let red = y + cr + fraction(simd, low, high, 0, RED_OF_CR);
    let green = y - cr + fraction(simd, low, high, GREEN_OF_CB, GREEN_OF_CR);
    let blue = y + cb + cb + fraction(simd, low, high, BLUE_OF_CB, 0);
    [cut(simd, red), cut(simd, green), cut(simd, blue)]
}

/// The products of pairs of Cb and Cr with the fractional parts of the coefficients, rounded to whole numbers.
#[inline(always)]
fn fraction<S: Simd>(
    simd: S,
    low: i16x16<S>,
    high: i16x16<S>,
    of_cb: i16,
    of_cr: i16,
) -> i16x16<S> {
    let constants = alternating(simd, of_cb, of_cr);
    let half = i32x8::splat(simd, 1 << 15);
    let low = simd.pairwise_dot_product_i16x16(low, constants) + half;
    let high = simd.pairwise_dot_product_i16x16(high, constants) + half;
    simd.saturating_narrow_i32x8(low >> 16, high >> 16)
}

/// The bytes less 128.
#[inline(always)]
fn centred<S: Simd>(simd: S, samples: u8x16<S>) -> i16x16<S> {
    let (low, high): (i16x8<S>, i16x8<S>) =
        simd.widen_i8x16((samples ^ 0x80).bitcast::<i8x16<S>>());
    simd.combine_i16x8(low, high)
}

/// The inverse of [`centred`], clamped to the range of a byte.
#[inline(always)]
fn cut<S: Simd>(simd: S, channel: i16x16<S>) -> u8x16<S> {
    let (low, high) = simd.split_i16x16(channel);
    to_bytes(simd, low, high)
}

/// Writes `r[0], g[0], b[0], r[1], …`
#[inline(always)]
fn interleave<S: Simd>(
    simd: S,
    r: u8x16<S>,
    g: u8x16<S>,
    b: u8x16<S>,
    pixels: &mut [u8; CHANNELS * GROUP],
) {
    for (vector, places) in pixels.as_chunks_mut::<GROUP>().0.iter_mut().zip(&PLACES) {
        let r = r.swizzle_dyn_precise(u8x16::load_array_ref(simd, &places[0]));
        let g = g.swizzle_dyn_precise(u8x16::load_array_ref(simd, &places[1]));
        let b = b.swizzle_dyn_precise(u8x16::load_array_ref(simd, &places[2]));
        (r | g | b).store_array(vector);
    }
}

/// For each of three vectors of interleaved bytes and each channel, which of the channel's bytes go where. An index beyond
/// the vector makes a zero.
const PLACES: [[[u8; GROUP]; CHANNELS]; CHANNELS] = {
    let mut places = [[[u8::MAX; GROUP]; CHANNELS]; CHANNELS];
    let mut byte = 0;
    while byte < CHANNELS * GROUP {
        #[allow(clippy::cast_possible_truncation, reason = "below 16")]
        let pixel = (byte / CHANNELS) as u8;
        places[byte / GROUP][byte % CHANNELS][byte % GROUP] = pixel;
        byte += 1;
    }
    places
};
