use rten::{Model, ModelOptions};
use rten_tensor::{AsView, NdTensor};

use crate::{Engine, IMAGE_LEN, SIZE};

/// RTen with `RTEN_NUM_THREADS` threads. It runs the images one after the other, because a batch takes longer.
pub(crate) struct Rten {
    model: Model,
    inputs: Vec<NdTensor<f32, 4>>,
}

impl Rten {
    pub(crate) fn load(model: &str) -> anyhow::Result<Self> {
        let mut options = ModelOptions::with_all_ops();
        Ok(Self {
            model: options.prepack_weights(true).load_file(model)?,
            inputs: Vec::new(),
        })
    }
}

impl Engine for Rten {
    fn feed(&mut self, images: &[f32]) -> anyhow::Result<()> {
        let images = images.chunks_exact(IMAGE_LEN);
        let inputs = images.map(|image| NdTensor::from_data([1, 3, SIZE, SIZE], image.to_vec()));
        self.inputs = inputs.collect();
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<Vec<f32>> {
        let mut logits = Vec::new();
        for input in self.inputs.drain(..) {
            let output: NdTensor<f32, 2> = self.model.run_one(input.into(), None)?.try_into()?;
            logits.extend(output.iter());
        }
        Ok(logits)
    }
}
