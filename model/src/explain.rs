use burn::Tensor;
use bytes::Bytes;
use safetensors::SafeTensors;

use crate::{CLASSES, Weights};

/// The last feature map of one image, after ReLU6: what global average pooling and the classifier make the logits of.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMap {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// `[height, width, channels]`.
    pub(crate) values: Vec<f32>,
}

/// The class-activation map of one class (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization"):
/// where in the square that the network saw something speaks for the class, and where against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[height, width]`, unbounded. The mean of the values plus the class's bias is its logit.
    pub values: Vec<f32>,
}

/// Computes heatmaps from the rows of the classifier's weights. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Explainer {
    /// `fc.weight`, `[classes, channels]`, little-endian f32. A slice of the weights as loaded: the network has only a
    /// packed copy.
    rows: Bytes,
}

impl Explainer {
    /// Creates an explainer for the network of `weights`.
    ///
    /// # Panics
    /// If the weights are not those of a classifier; a [`Network`](crate::Network) could not be loaded from them either.
    #[must_use]
    pub fn new(weights: &Weights) -> Self {
        let tensors = SafeTensors::deserialize(&weights.safetensors).expect("weights load");
        let fc = tensors.tensor("fc.weight").expect("there is a classifier");
        assert_eq!(fc.shape()[0], CLASSES);
        Self {
            rows: weights.safetensors.slice_ref(fc.data()),
        }
    }

    /// The sum over all channels of the class's weight times the feature, without the bias.
    ///
    /// # Panics
    /// If there is no class of that index, or the features are those of another network.
    #[must_use]
    pub fn heatmap(&self, features: &FeatureMap, class: usize) -> Heatmap {
        let row_bytes = self.rows.len() / CLASSES;
        let row: Vec<f32> = self.rows[class * row_bytes..][..row_bytes]
            .chunks_exact(size_of::<f32>())
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
            .collect();
        features.weighted(&row)
    }
}

impl FeatureMap {
    /// The class-activation map of the class with these weights, `[channels]`.
    ///
    /// # Panics
    /// If the weights are those of another network.
    pub(crate) fn weighted(&self, row: &[f32]) -> Heatmap {
        let &Self {
            height,
            width,
            ref values,
        } = self;
        assert_eq!(values.len(), height * width * row.len());
        Heatmap {
            height,
            width,
            values: values
                .chunks_exact(row.len())
                .map(|pixel| dot(pixel, row))
                .collect(),
        }
    }
}

/// Keeps one sum per lane of a vector: with a single sum, each addition would wait for the previous one.
pub(crate) fn dot(pixel: &[f32], row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (pixels, pixels_rest) = pixel.as_chunks::<LANES>();
    let (rows, rows_rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, w) in pixels.iter().zip(rows) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * w[lane];
        }
    }
    let rest = pixels_rest.iter().zip(rows_rest).map(|(x, w)| x * w);
    sums.into_iter().chain(rest).sum()
}

impl FeatureMap {
    /// From `[1, channels, height, width]`.
    pub(crate) fn of_tensor(features: Tensor<4>) -> Self {
        let [_, _, height, width] = features.dims();
        let values = features.permute([0, 2, 3, 1]).into_data();
        Self {
            height,
            width,
            values: values.try_to_vec().expect("the network computes in f32"),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    /// More than the lanes of a vector.
    const CHANNELS: usize = 19;

    #[test]
    fn a_heatmap_has_a_value_for_each_place() {
        let number = |index: usize| (index % 13) as f32 - 5.0;
        let weights: Vec<f32> = (0..CLASSES * CHANNELS).map(number).collect();
        let rows = weights.iter().flat_map(|weight| weight.to_le_bytes());
        let explainer = Explainer {
            rows: rows.collect::<Vec<_>>().into(),
        };
        let features = FeatureMap {
            height: 3,
            width: 2,
            values: (7..7 + 6 * CHANNELS).map(number).collect(),
        };
        let heatmap = explainer.heatmap(&features, 321);
        assert_eq!((heatmap.height, heatmap.width), (3, 2));
        let row = &weights[321 * CHANNELS..322 * CHANNELS];
        let expected = features.values.chunks(CHANNELS).map(|pixel| {
            let products = pixel.iter().zip(row).map(|(x, w)| x * w);
            products.sum::<f32>()
        });
        // Sums of small integers are exact in any order.
        assert_eq!(heatmap.values, expected.collect::<Vec<_>>());
    }

    #[test]
    fn channels_of_a_place_are_neighbours() {
        let values: Vec<f32> = (0..12).map(|value: u8| value.into()).collect();
        let tensor = Tensor::from_data(TensorData::new(values, [1, 2, 3, 2]), &Device::flex());
        let features = FeatureMap::of_tensor(tensor);
        assert_eq!((features.height, features.width), (3, 2));
        assert_eq!(
            features.values,
            [0., 6., 1., 7., 2., 8., 3., 9., 4., 10., 5., 11.]
        );
    }
}
