use burn::Tensor;

/// What the network says about an image before its last layer: the features after global average pooling, `[channels]`, each 0 to
/// 6. Images that look alike have similar directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Takes features, `[channels]`, that were computed elsewhere.
    #[must_use]
    pub fn new(values: Vec<f32>) -> Self {
        Self(values)
    }

    /// From `[1, channels]`.
    pub(crate) fn of_tensor(pooled: Tensor<2>) -> Self {
        let values = pooled.into_data().try_to_vec();
        Self(values.expect("the network computes in f32"))
    }

    /// The features, `[channels]`.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The Euclidean length of the features. 0 only if the network has found nothing at all.
    pub(crate) fn length(&self) -> f32 {
        let squares = self.0.iter().map(|&value| f64::from(value).powi(2));
        #[allow(clippy::cast_possible_truncation, reason = "features are f32")]
        let length = squares.sum::<f64>().sqrt() as f32;
        length
    }
}
