//! From a graph to a program: the steps, their buffers, and both together.

use super::kernel::Kernel;
use super::lower::Lowered;
use super::memory::{self, Access, Memory};
use super::planner::{PlannedSource, PlannedStep};
use super::{Program, Source, Step};
use crate::graph::Graph;
use crate::scratch::ScratchLen;
use crate::{BuildError, Isa};

/// Elements of all buffers of a run, scratch included, at most: 1 GiB, fifty times what large classifiers take. Each helper of a
/// team has scratch of its own besides, at most as much as the calling thread.
const ELEMENTS_MAX: usize = 1 << 28;

pub(super) fn plan(isa: Isa, graph: &Graph, fuse_blocks: bool) -> Result<Program, BuildError> {
    let lowered = Lowered::new(graph, isa.token()?.in_f32(), fuse_blocks)?;
    let memory = lowered.assign_slots();
    let program = lowered.assemble(isa, memory);
    let mut slots = program.slots.iter();
    let total = slots.try_fold(program.scratch_len.total(), |sum, len| {
        sum.checked_add(*len)
    });
    match total {
        Some(total) if total <= ELEMENTS_MAX => Ok(program),
        _ => Err(BuildError::TooLarge),
    }
}

impl PlannedStep {
    fn access(&self) -> Access {
        let inputs = self.inputs.iter().filter_map(|source| match source {
            PlannedSource::Value(value) => Some(*value),
            PlannedSource::Constant(_) => None,
        });
        Access {
            inputs: inputs.collect(),
            output: self.output,
        }
    }

    fn on_slots(self, slot: impl Fn(usize) -> usize) -> Step {
        let source = |source| match source {
            PlannedSource::Value(value) => Source::Slot(slot(value)),
            PlannedSource::Constant(data) => Source::Constant(data),
        };
        Step {
            name: self.description.name,
            operation: self.description.operation,
            macs: self.description.macs,
            kernel: self.kernel,
            inputs: self.inputs.into_iter().map(source).collect(),
            output: slot(self.output),
        }
    }
}

impl Lowered {
    /// Gives each value a buffer. The output and what heatmaps are made of outlive the run.
    fn assign_slots(&self) -> Memory {
        let accesses: Vec<_> = self.steps.iter().map(PlannedStep::access).collect();
        let ending = self.ending.iter();
        let kept = ending.flat_map(|ending| [ending.features, ending.pooled]);
        let kept: Vec<_> = kept.chain([self.output]).collect();
        memory::plan(&accesses, &self.lengths, self.input, &kept)
    }

    fn largest_scratch(&self, len: impl Fn(&dyn Kernel) -> ScratchLen) -> ScratchLen {
        let lengths = self.steps.iter().map(|step| len(&*step.kernel));
        lengths.fold(ScratchLen::default(), ScratchLen::max)
    }

    fn assemble(self, isa: Isa, memory: Memory) -> Program {
        let slot = |value: usize| memory.slot_of[value];
        Program {
            scratch_len: self.largest_scratch(|kernel| kernel.scratch_len()),
            helper_scratch_len: self.largest_scratch(|kernel| kernel.helper_scratch_len()),
            steps: self
                .steps
                .into_iter()
                .map(|step| step.on_slots(slot))
                .collect(),
            input: slot(self.input),
            input_len: self.input_len,
            output: slot(self.output),
            output_len: self.output_len,
            ending: self.ending.map(|ending| ending.at(slot)),
            slots: memory.slots,
            isa,
        }
    }
}
