use std::{mem, thread};

use anyhow::ensure;
use imageclassifier_model::{Backend, Compute, Input, Isa, Network, Runner, ThreadTeam, Weights};

use crate::{Engine, IMAGE_LEN, SIZE};

/// The product's network, as the server runs it: a single image uses all threads; in a batch each thread runs alone.
pub(crate) struct Ours {
    runners: Vec<Runner>,
    team: ThreadTeam,
    inputs: Vec<Input>,
    batch: usize,
}

impl Ours {
    /// `name` is an instruction set of our kernels, or a burn backend with its own operators.
    pub(crate) fn load(name: &str, batch: usize, threads: usize) -> anyhow::Result<Self> {
        let compute = match name.parse::<Backend>() {
            Ok(backend) => Compute::Plain(backend),
            Err(_) => Compute::Fused(name.parse::<Isa>()?),
        };
        let network = Network::load(&Weights::lite0(), compute)?;
        // burn's operators create their own threads.
        let runners = if batch == 1 || matches!(compute, Compute::Plain(_)) {
            1
        } else {
            threads
        };
        Ok(Self {
            runners: (0..runners).map(|_| network.runner()).collect(),
            team: ThreadTeam::new(if batch == 1 { threads } else { 1 }),
            inputs: Vec::new(),
            batch,
        })
    }
}

impl Engine for Ours {
    fn feed(&mut self, images: &[f32]) -> anyhow::Result<()> {
        let inputs = images.chunks_exact(IMAGE_LEN).map(|image| {
            let (area, side) = (SIZE * SIZE, SIZE as u32);
            let interleaved = (0..IMAGE_LEN).map(|i| image[i % 3 * area + i / 3]);
            Input::from_values(side, interleaved.collect())
        });
        self.inputs = inputs.collect::<Option<_>>().unwrap_or_default();
        ensure!(self.inputs.len() == self.batch, "the batch is incomplete");
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<Vec<f32>> {
        let mut inputs = mem::take(&mut self.inputs);
        let share = inputs.len().div_ceil(self.runners.len());
        if let [runner] = self.runners.as_mut_slice() {
            return run(runner, inputs, &mut self.team);
        }
        thread::scope(|scope| {
            let parts: Vec<_> = self
                .runners
                .iter_mut()
                .map(|runner| {
                    let part = inputs.drain(..share.min(inputs.len())).collect();
                    scope.spawn(|| run(runner, part, &mut ThreadTeam::solo()))
                })
                .collect();
            let mut logits = Vec::new();
            for part in parts {
                logits.extend(part.join().expect("the engine does not panic")?);
            }
            Ok(logits)
        })
    }
}

fn run(runner: &mut Runner, inputs: Vec<Input>, team: &mut ThreadTeam) -> anyhow::Result<Vec<f32>> {
    let mut logits = Vec::new();
    for input in inputs {
        logits.extend_from_slice(runner.run(input, team)?.values());
    }
    Ok(logits)
}
