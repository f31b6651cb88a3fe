use std::sync::Arc;

use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, IntoTValue, Tensor, TypedModel,
    TypedRunnableModel, tvec,
};

use crate::{Engine, IMAGE_LEN, SIZE};

/// tract, always with one thread. It runs the images one after the other, because a batch takes more than twice as long.
pub(crate) struct Tract {
    model: Arc<TypedRunnableModel>,
    inputs: Vec<Tensor>,
}

impl Tract {
    pub(crate) fn load(model: &str) -> anyhow::Result<Self> {
        let model: TypedModel = tract_onnx::onnx()
            .model_for_path(model)?
            .with_input_fact(0, f32::fact([1, 3, SIZE, SIZE]).into())?
            .into_optimized()?;
        Ok(Self {
            model: model.into_runnable()?,
            inputs: Vec::new(),
        })
    }
}

impl Engine for Tract {
    fn feed(&mut self, images: &[f32]) -> anyhow::Result<()> {
        let images = images.chunks_exact(IMAGE_LEN);
        let inputs = images.map(|image| Tensor::from_shape(&[1, 3, SIZE, SIZE], image));
        self.inputs = inputs.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<Vec<f32>> {
        let mut logits = Vec::new();
        for input in self.inputs.drain(..) {
            let outputs = self.model.run(tvec![input.into_tvalue()])?;
            logits.extend(outputs[0].to_plain_array_view::<f32>()?);
        }
        Ok(logits)
    }
}
