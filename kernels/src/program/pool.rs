//! Poolings of maps.

use super::kernel::Kernel;
use super::planner::Planner;
use super::relayout::Layout;
use crate::graph::{Node, Pool, Pooling, Reduction, Window, average, padded_count};
use crate::isa::Token;
use crate::micro::{AveragePool, Operand, Operation, Tiles};
use crate::padding::unpadded;
use crate::scratch::Scratch;
use crate::team::split;
use crate::{BuildError, MapShape, ThreadTeam};

/// A pooling over a window.
#[derive(Debug)]
struct MapPool {
    token: Token,
    pool: Pool,
    input: MapShape,
    output: MapShape,
}

impl Kernel for MapPool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn run(&self, team: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        let line = self.output.width() * self.output.channel_stride();
        let shares = || team.shares(self.output.height());
        let outputs = split(output, shares().map(|rows| rows.len() * line));
        team.for_each(shares().zip(outputs), |(rows, output)| {
            for (y, output) in rows.zip(output.chunks_exact_mut(line)) {
                self.token.run(PoolRow {
                    pool: &self.pool,
                    shape: self.input,
                    input: inputs[0],
                    y,
                    output,
                });
            }
        });
    }
}

/// One row of a pooling.
struct PoolRow<'a> {
    pool: &'a Pool,
    shape: MapShape,
    input: &'a [f32],
    y: usize,
    output: &'a mut [f32],
}

impl Operation for PoolRow<'_> {
    #[inline(always)]
    fn run<S: Tiles, O: Operand<S>>(self, _: S) {
        let (height, width, stride) = (
            self.shape.height(),
            self.shape.width(),
            self.shape.channel_stride(),
        );
        let window: &Window = &self.pool.window;
        let inside = |axis: usize, out: usize, tap: usize, size: usize| {
            let padded = out * window.stride[axis] + tap;
            unpadded(padded, window.pad_begin[axis], size)
        };
        for (x, output) in self.output.chunks_exact_mut(stride).enumerate() {
            let is_max = self.pool.pooling == Pooling::Max;
            output.fill(if is_max { f32::NEG_INFINITY } else { 0.0 });
            let mut count = 0;
            for ky in 0..window.kernel[0] {
                let Some(from_y) = inside(0, self.y, ky, height) else {
                    continue;
                };
                for kx in 0..window.kernel[1] {
                    let Some(from_x) = inside(1, x, kx, width) else {
                        continue;
                    };
                    count += 1;
                    let input = &self.input[(from_y * width + from_x) * stride..][..stride];
                    if is_max {
                        for (largest, x) in output.iter_mut().zip(input) {
                            *largest = if *x > *largest { *x } else { *largest };
                        }
                    } else {
                        for (sum, x) in output.iter_mut().zip(input) {
                            *sum += x;
                        }
                    }
                }
            }
            if let Pooling::Average { count_padding } = self.pool.pooling {
                let all = padded_count(window, self.y, x, height, width);
                let share = average(1.0, if count_padding { all } else { count });
                for sum in output {
                    *sum *= share;
                }
            }
        }
    }
}

/// The mean of every channel.
#[derive(Debug)]
struct GlobalAverage {
    token: Token,
    input: MapShape,
}

impl Kernel for GlobalAverage {
    fn name(&self) -> &'static str {
        "global pool"
    }

    fn run(&self, _: &mut ThreadTeam, inputs: &[&[f32]], output: &mut [f32], _: &mut Scratch) {
        self.token.run(AveragePool {
            input: &inputs[0][..self.input.buffer_len()],
            output: &mut output[..self.input.channel_stride()],
        });
    }
}

impl Planner<'_> {
    pub(super) fn lower_pool(&mut self, node: &Node, pool: &Pool) -> Result<bool, BuildError> {
        let (Some(input), Some(output)) = (
            self.map_shape(node.inputs[0])?,
            self.map_shape(node.output)?,
        ) else {
            return Ok(false);
        };
        let kernel = MapPool {
            token: self.token,
            pool: pool.clone(),
            input,
            output,
        };
        let source = self.source(node.inputs[0], Layout::Map)?;
        self.push(node, Box::new(kernel), vec![source], Layout::Map)?;
        Ok(true)
    }

    pub(super) fn lower_reduce(
        &mut self,
        node: &Node,
        reduction: Reduction,
        axes: &[usize],
    ) -> Result<bool, BuildError> {
        let Some(input) = self.map_shape(node.inputs[0])? else {
            return Ok(false);
        };
        if reduction != Reduction::Mean || axes != [2, 3] {
            return Ok(false);
        }
        let kernel = GlobalAverage {
            token: self.token,
            input,
        };
        let source = self.source(node.inputs[0], Layout::Map)?;
        self.push(node, Box::new(kernel), vec![source], Layout::Map)?;
        Ok(true)
    }
}
