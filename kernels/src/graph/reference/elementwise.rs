//! Operations on elements. The functions are free of branches on the elements, so that the compiler can vectorise them
//! for the instruction set they are inlined into.

use super::Operand;
use super::moves::{broadcast_strides, walk2};
use crate::graph::{Binary, Unary};

/// Applies an operation to every element.
#[inline(always)]
pub(crate) fn apply(unary: Unary, values: &mut [f32]) {
    macro_rules! each {
        ($x:ident => $value:expr) => {
            for value in values.iter_mut() {
                let $x = *value;
                *value = $value;
            }
        };
    }
    match unary {
        // As `f32::max` and `min`, except that NaN stays NaN.
        Unary::Clamp(low, high) => each!(x => clamp(x, low, high)),
        Unary::LeakyRelu(alpha) => each!(x => if x >= 0.0 { x } else { alpha * x }),
        Unary::Elu(alpha) => each!(x => if x >= 0.0 { x } else { alpha * (exp(x) - 1.0) }),
        Unary::Sigmoid => each!(x => sigmoid(x)),
        Unary::HardSigmoid(alpha, beta) => each!(x => clamp(alpha * x + beta, 0.0, 1.0)),
        Unary::HardSwish => each!(x => x * clamp(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)),
        Unary::Silu => each!(x => x * sigmoid(x)),
        Unary::Gelu => each!(x => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))),
        Unary::GeluTanh => {
            // sqrt(2 / pi)
            const SCALE: f32 = 0.797_884_6;
            each!(x => 0.5 * x * (1.0 + tanh(SCALE * (x + 0.044_715 * x * x * x))));
        }
        Unary::Tanh => each!(x => tanh(x)),
        Unary::Erf => each!(x => erf(x)),
        Unary::Exp => each!(x => exp(x)),
        Unary::Log => each!(x => x.ln()),
        Unary::Sqrt => each!(x => x.sqrt()),
        Unary::Reciprocal => each!(x => 1.0 / x),
        Unary::Negate => each!(x => -x),
        Unary::Abs => each!(x => x.abs()),
        Unary::Floor => each!(x => x.floor()),
        Unary::Truncate => each!(x => x.trunc()),
    }
}

#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// The exponential, within 2 units in the last place: 2^n times a polynomial of degree 6 on half an octave.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // The logarithm of 2 in two parts, so that the rest is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let clamped = clamp(x, -87.3, 88.3);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = clamped - whole * LN2_HIGH - whole * LN2_LOW;
    let mut sum = 1.987_569_2e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        sum = sum * rest + coefficient;
    }
    let mantissa = sum * rest * rest + rest + 1.0;
    // `ROUND` leaves the whole number in the lowest bits.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    let result = mantissa * power;
    let result = if x > 88.3 { f32::INFINITY } else { result };
    if x < -87.3 { 0.0 } else { result }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    // Near 0 the exponentials cancel.
    let square = x * x;
    let near = x * (1.0 + square * (-1.0 / 3.0 + square * (2.0 / 15.0 - square * (17.0 / 315.0))));
    let far = 1.0 - 2.0 / (exp(2.0 * x) + 1.0);
    if square < 0.04 { near } else { far }
}

/// The error function, within 2e-7 (Abramowitz and Stegun 7.1.26 has too few digits; this is its companion with an
/// exponential of a polynomial, fitted by Numerical Recipes to 1.2e-7).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let magnitude = x.abs();
    let t = 1.0 / (1.0 + 0.5 * magnitude);
    let mut sum = 0.170_872_77;
    for coefficient in [
        -0.822_152_2,
        1.488_515_9,
        -1.135_204,
        0.278_868_08,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_2,
    ] {
        sum = sum * t + coefficient;
    }
    let far = 1.0 - t * exp(sum - magnitude * magnitude);
    // Near 0 the difference cancels: the series.
    let square = x * x;
    let near = magnitude
        * (std::f32::consts::FRAC_2_SQRT_PI
            + square * (-0.376_126_4 + square * (0.112_837_92 - square * 0.026_866_17)));
    let positive = if magnitude < 0.3 { near } else { far };
    positive.copysign(x)
}

/// `a` and `b` combined.
#[inline(always)]
pub(crate) fn combine(binary: Binary, a: f32, b: f32) -> f32 {
    match binary {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => {
            if b == 2.0 {
                a * a
            } else {
                a.powf(b)
            }
        }
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        Binary::Equal => f32::from(u8::from(a == b)),
    }
}

pub(super) fn binary(
    binary: Binary,
    a: Operand<'_>,
    b: Operand<'_>,
    shape: &[usize],
    output: &mut [f32],
) {
    let strides = [a, b].map(|it| broadcast_strides(it.shape, shape));
    macro_rules! with {
        ($($name:ident)*) => {
            match binary {
                $(Binary::$name => walk2(shape, &strides, |out, [at, bt], [da, db], len| {
                    let output = &mut output[out..][..len];
                    for (i, output) in output.iter_mut().enumerate() {
                        *output = combine(Binary::$name, a.data[at + i * da], b.data[bt + i * db]);
                    }
                }),)*
            }
        };
    }
    with!(Add Sub Mul Div Pow Min Max Equal);
}
