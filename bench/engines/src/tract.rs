use std::sync::Arc;

use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, IntoTValue, Tensor, TypedModel,
    TypedRunnableModel, tvec,
};

use crate::{Engine, PICTURE_LEN, SIZE};

/// On one thread, whatever is asked for. One picture after the other: as a batch they take more than twice as long.
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
    fn feed(&mut self, pictures: &[f32]) -> anyhow::Result<()> {
        let pictures = pictures.chunks_exact(PICTURE_LEN);
        let inputs = pictures.map(|picture| Tensor::from_shape(&[1, 3, SIZE, SIZE], picture));
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
