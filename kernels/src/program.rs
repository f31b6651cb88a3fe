//! A [`Graph`] prepared for one instruction set: steps in order, on buffers that are planned beforehand.
//!
//! Maps lie in memory as `[height, width, channels]` with the channels padded to a cache line, as the kernels read them;
//! everything else is row-major. The planner inserts a step where an operation needs the other layout.

mod block;
mod conv;
mod elementwise;
mod explained;
mod kernel;
mod layout;
mod linear;
mod lower;
mod memory;
mod plan;
mod planner;
mod pool;
mod product;
mod reference;
mod relayout;
mod role;
mod rows;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::buffer::Buffer;
use crate::graph::Graph;
use crate::scratch::{Scratch, ScratchLen};
use crate::{BuildError, Isa, ThreadTeam};
use explained::Ending;
pub use explained::Features;
use kernel::{Kernel, KernelKind};

/// The graph's operations for one instruction set. Immutable: any number of buffers may run it at once.
#[derive(Debug)]
pub struct Program {
    steps: Vec<Step>,
    /// Elements of each buffer.
    slots: Vec<usize>,
    scratch_len: ScratchLen,
    helper_scratch_len: ScratchLen,
    input: usize,
    input_len: usize,
    output: usize,
    output_len: usize,
    ending: Option<Ending<usize>>,
    isa: Isa,
}

#[derive(Debug)]
struct Step {
    name: String,
    operation: String,
    kernel: Box<dyn Kernel>,
    inputs: Vec<Source>,
    output: usize,
    macs: u64,
}

/// Where a step reads.
#[derive(Clone, Debug)]
enum Source {
    /// A buffer, and how much of it.
    Slot(usize),
    Constant(Arc<Vec<f32>>),
}

/// Buffers in which one thread, or one team, runs a program.
#[derive(Debug)]
pub struct ProgramBuffers {
    slots: Vec<Buffer>,
    scratch: Scratch,
}

/// One step of a run, for people.
#[derive(Clone, Debug)]
pub struct StepProfile {
    /// The layer, as the file calls it.
    pub name: String,
    /// What it computes.
    pub operation: String,
    /// What computes it; `reference` for the reference loops, where there is no kernel.
    pub kernel: &'static str,
    /// Multiply-adds.
    pub macs: u64,
    /// Time of the fastest run.
    pub time: Duration,
}

impl Program {
    /// Prepares `graph`: fuses it, packs its weights, and plans its memory.
    ///
    /// # Errors
    /// [`BuildError::IsaUnavailable`] if the machine lacks the instruction set; [`BuildError::TooLarge`] if memory cannot hold
    /// the maps.
    pub fn new(isa: Isa, graph: Graph) -> Result<Self, BuildError> {
        plan::plan(isa, &graph.fused(), true)
    }

    /// As [`new`](Self::new), but every layer is a step of its own: what fused blocks are measured against.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn layer_by_layer(isa: Isa, graph: Graph) -> Result<Self, BuildError> {
        plan::plan(isa, &graph.fused(), false)
    }

    /// The instruction set it was prepared for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.input_len
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.output_len
    }

    /// Bytes of the buffers that a thread needs.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        (self.slots.iter().sum::<usize>() + self.scratch_len.total()) * size_of::<f32>()
    }

    /// How many inverted-residual blocks run as one step each.
    #[must_use]
    pub fn fused_blocks(&self) -> usize {
        let kinds = self.steps.iter().map(|step| step.kernel.kind());
        kinds.filter(|kind| *kind == KernelKind::FusedBlock).count()
    }

    /// The share of the multiply-adds that kernels compute, 0 to 1. The rest runs in the reference loops.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // A share.
    pub fn kernel_share(&self) -> f64 {
        let (mut in_kernels, mut total) = (0, 0);
        for step in &self.steps {
            total += step.macs;
            if step.kernel.kind() != KernelKind::Reference {
                in_kernels += step.macs;
            }
        }
        in_kernels as f64 / total.max(1) as f64
    }

    /// Buffers to run it in.
    #[must_use]
    pub fn buffers(&self) -> ProgramBuffers {
        ProgramBuffers {
            slots: self.slots.iter().map(|len| Buffer::zeroed(*len)).collect(),
            scratch: Scratch::new(self.scratch_len),
        }
    }

    /// Runs one input and returns the output, both row-major, in the shapes of the graph: for a classifier from
    /// `[1, 3, height, width]` to `[1, classes]`.
    ///
    /// # Panics
    /// If the input has another length, or the buffers are another program's.
    pub fn run<'a>(
        &self,
        team: &mut ThreadTeam,
        buffers: &'a mut ProgramBuffers,
        input: &[f32],
    ) -> &'a [f32] {
        self.run_with(team, buffers, input, |_, run| run())
    }

    /// Runs it `rounds` times and measures each step.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[must_use]
    pub fn profile(
        &self,
        team: &mut ThreadTeam,
        buffers: &mut ProgramBuffers,
        input: &[f32],
        rounds: usize,
    ) -> Vec<StepProfile> {
        let profile = |step: &Step| StepProfile {
            name: step.name.clone(),
            operation: step.operation.clone(),
            kernel: step.kernel.name(),
            macs: step.macs,
            time: Duration::MAX,
        };
        let mut profiles: Vec<_> = self.steps.iter().map(profile).collect();
        for _ in 0..rounds {
            self.run_with(team, buffers, input, |i, run| {
                let begun_at = Instant::now();
                run();
                profiles[i].time = profiles[i].time.min(begun_at.elapsed());
            });
        }
        profiles
    }

    fn run_with<'a>(
        &self,
        team: &mut ThreadTeam,
        buffers: &'a mut ProgramBuffers,
        input: &[f32],
        mut around: impl FnMut(usize, &mut dyn FnMut()),
    ) -> &'a [f32] {
        assert_eq!(input.len(), self.input_len, "an input");
        team.reserve_scratch(self.helper_scratch_len);
        let ProgramBuffers { slots, scratch } = buffers;
        slots[self.input][..input.len()].copy_from_slice(input);
        for (i, step) in self.steps.iter().enumerate() {
            // Taken out, so that the other buffers can be read meanwhile. The planner never gives a step one buffer twice.
            let mut output = std::mem::take(&mut slots[step.output]);
            let inputs: Vec<&[f32]> = step
                .inputs
                .iter()
                .map(|source| match source {
                    Source::Slot(slot) => &*slots[*slot],
                    Source::Constant(data) => data,
                })
                .collect();
            around(i, &mut || {
                step.kernel.run(team, &inputs, &mut output, scratch)
            });
            slots[step.output] = output;
        }
        &slots[self.output][..self.output_len]
    }
}
