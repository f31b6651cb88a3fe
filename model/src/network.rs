use burn::{
    Tensor,
    store::{ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore},
    tensor::{Device, TensorData},
};

use crate::{
    Backend, Input, Logits, Weights, efficientnet_lite::EfficientNetLite, labels::CLASSES,
};

/// EfficientNet-Lite with its weights, ready to run.
#[derive(Debug)]
pub struct Network {
    layers: EfficientNetLite,
    device: Device,
    input_size: u32,
}

/// Why a network cannot be loaded or gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The weights are not those of the variant.
    #[error("the weights of {name} do not fit the network: {reason}")]
    Weights {
        /// The variant.
        name: &'static str,
        /// What burn-store says.
        reason: String,
    },
    /// An input was prepared for another network.
    #[error("the input is {actual} x {actual} pixels, the network takes {expected} x {expected}")]
    InputSize {
        /// Side of the input.
        actual: u32,
        /// Side that the network takes.
        expected: u32,
    },
    /// An infinity or NaN came out.
    #[error("the network's answer is not finite")]
    NotFinite,
}

impl Network {
    /// Builds the network of `weights` on `backend`.
    ///
    /// # Errors
    /// [`NetworkError::Weights`] if a layer finds no weights or weights of another shape.
    pub fn load(weights: &Weights, backend: Backend) -> Result<Self, NetworkError> {
        let device = backend.device();
        let variant = weights.variant;
        let mut layers = EfficientNetLite::new(variant, &device);
        let mut store = SafetensorsStore::from_bytes(Some(weights.safetensors.to_vec()))
            .with_from_adapter(PyTorchToBurnAdapter);
        layers
            .load_from(&mut store)
            .map_err(|error| NetworkError::Weights {
                name: variant.name,
                reason: error.to_string(),
            })?;
        Ok(Self {
            layers,
            device,
            input_size: variant.input_size,
        })
    }

    /// Side of the inputs it takes, in pixels.
    #[must_use]
    pub fn input_size(&self) -> u32 {
        self.input_size
    }

    /// The logits of each input, in order.
    ///
    /// # Errors
    /// [`NetworkError::InputSize`], [`NetworkError::NotFinite`].
    pub fn forward(&self, inputs: &[Input]) -> Result<Vec<Logits>, NetworkError> {
        let size = self.input_size as usize;
        let mut values = Vec::with_capacity(inputs.len() * size * size * 3);
        for input in inputs {
            if input.size() != self.input_size {
                return Err(NetworkError::InputSize {
                    actual: input.size(),
                    expected: self.input_size,
                });
            }
            values.extend_from_slice(input.values());
        }
        let pictures = TensorData::new(values, [inputs.len(), size, size, 3]);
        let pictures = Tensor::<4>::from_data(pictures, &self.device).permute([0, 3, 1, 2]);
        let logits = self.layers.forward(pictures).into_data();
        let logits = logits
            .as_slice::<f32>()
            .expect("the network computes in f32");
        logits
            .chunks_exact(CLASSES)
            .map(|values| Logits::new(values).ok_or(NetworkError::NotFinite))
            .collect()
    }
}
