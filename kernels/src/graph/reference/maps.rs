//! Convolutions and poolings.

use super::{Operand, finish};
use crate::graph::op::{Conv, Pool, Pooling, Window};
use crate::padding::unpadded;

/// The input pixel that a tap reads, if it is not padding.
fn pixel(window: &Window, axis: usize, out: usize, tap: usize, size: usize) -> Option<usize> {
    let padded = out * window.stride[axis] + tap * window.dilation[axis];
    unpadded(padded, window.pad_begin[axis], size)
}

pub(super) fn conv(conv: &Conv, inputs: &[Operand<'_>], shape: &[usize], output: &mut [f32]) {
    let (map, weight) = (inputs[0], inputs[1]);
    let [_, channels, height, width] = *map.shape else {
        unreachable!("shapes were checked");
    };
    let of_group = channels / conv.groups;
    let outs_of_group = shape[1] / conv.groups;
    let [kernel_height, kernel_width] = conv.window.kernel;
    for (o, plane) in output.chunks_exact_mut(shape[2] * shape[3]).enumerate() {
        plane.fill(if conv.bias { inputs[2].data[o] } else { 0.0 });
        let first = o / outs_of_group * of_group;
        for c in 0..of_group {
            let input = &map.data[(first + c) * height * width..][..height * width];
            for ky in 0..kernel_height {
                for kx in 0..kernel_width {
                    let w =
                        weight.data[((o * of_group + c) * kernel_height + ky) * kernel_width + kx];
                    for y in 0..shape[2] {
                        let Some(from_y) = pixel(&conv.window, 0, y, ky, height) else {
                            continue;
                        };
                        let line = &input[from_y * width..][..width];
                        for (x, sum) in plane[y * shape[3]..][..shape[3]].iter_mut().enumerate() {
                            if let Some(from_x) = pixel(&conv.window, 1, x, kx, width) {
                                *sum += w * line[from_x];
                            }
                        }
                    }
                }
            }
        }
    }
    let residual = conv.residual.then(|| inputs[inputs.len() - 1]);
    finish(residual, conv.activation, output);
}

pub(super) fn pool(pool: &Pool, map: Operand<'_>, shape: &[usize], output: &mut [f32]) {
    let (height, width) = (map.shape[2], map.shape[3]);
    let window = &pool.window;
    let planes = output.chunks_exact_mut(shape[2] * shape[3]);
    for (plane, input) in planes.zip(map.data.chunks_exact(height * width)) {
        for (i, output) in plane.iter_mut().enumerate() {
            let (y, x) = (i / shape[3], i % shape[3]);
            let (mut largest, mut sum, mut count) = (f32::NEG_INFINITY, 0.0, 0_usize);
            for ky in 0..window.kernel[0] {
                for kx in 0..window.kernel[1] {
                    let from = pixel(window, 0, y, ky, height).zip(pixel(window, 1, x, kx, width));
                    if let Some((y, x)) = from {
                        let value = input[y * width + x];
                        largest = largest.max(value);
                        sum += value;
                        count += 1;
                    }
                }
            }
            *output = match pool.pooling {
                Pooling::Max => largest,
                Pooling::Average { count_padding } => {
                    let all = padded_count(window, y, x, height, width);
                    average(sum, if count_padding { all } else { count })
                }
            };
        }
    }
}

/// Pixels of a window, those of the padding included, but not what lies beyond it where the output is rounded up.
pub(crate) fn padded_count(
    window: &Window,
    y: usize,
    x: usize,
    height: usize,
    width: usize,
) -> usize {
    let along = |axis: usize, out: usize, size: usize| {
        let start = out * window.stride[axis];
        let end =
            (start + window.kernel[axis]).min(window.pad_begin[axis] + size + window.pad_end[axis]);
        end - start
    };
    along(0, y, height) * along(1, x, width)
}

#[allow(clippy::cast_precision_loss)] // Windows have few pixels.
pub(crate) fn average(sum: f32, count: usize) -> f32 {
    sum / count.max(1) as f32
}
