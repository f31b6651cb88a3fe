use rten::{Model, ModelOptions};
use rten_tensor::{AsView, NdTensor};

use crate::{Engine, PICTURE_LEN, SIZE};

/// On as many threads as RTEN_NUM_THREADS says. One picture after the other: as a batch they take longer.
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
    fn feed(&mut self, pictures: &[f32]) -> anyhow::Result<()> {
        let pictures = pictures.chunks_exact(PICTURE_LEN);
        let inputs =
            pictures.map(|picture| NdTensor::from_data([1, 3, SIZE, SIZE], picture.to_vec()));
        self.inputs = inputs.collect();
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<Vec<f32>> {
        let mut logits = Vec::new();
        for input in self.inputs.drain(..) {
            let found: NdTensor<f32, 2> = self.model.run_one(input.into(), None)?.try_into()?;
            logits.extend(found.iter());
        }
        Ok(logits)
    }
}
