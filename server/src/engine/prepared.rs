use std::sync::Arc;

use bytes::Bytes;
use imageclassifier_model::Input;

use crate::request::error::RequestError;

/// An image that its caller has decoded, cropped, resized and normalised: `[channel, height, width]`, row-major, RGB.
pub(crate) struct PreparedTensor {
    /// Side of the square image, in pixels.
    size: u32,
    values: Values,
    /// Which image among the values this is.
    index: usize,
}

/// The values of all images of a request.
#[derive(Clone)]
pub(crate) enum Values {
    /// Little-endian.
    Raw(Bytes),
    Typed(Arc<Vec<f32>>),
}

const CHANNELS: usize = 3;
const F32_BYTES: usize = 4;
/// Far beyond what normalised images have, and far from where sums of products overflow: what the network makes of it is
/// finite.
const MAGNITUDE_MAX: f32 = 1e6;

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Raw(bytes) => bytes.len() / F32_BYTES,
            Self::Typed(values) => values.len(),
        }
    }

    fn get(&self, index: usize) -> f32 {
        match self {
            Self::Raw(bytes) => {
                let (four, _) = bytes[index * F32_BYTES..]
                    .split_first_chunk()
                    .expect("`len` has counted it");
                f32::from_le_bytes(*four)
            }
            Self::Typed(values) => values[index],
        }
    }
}

impl PreparedTensor {
    /// How many values an image of `size` x `size` pixels has.
    pub(crate) fn values_each(size: u32) -> usize {
        CHANNELS * (size as usize).pow(2)
    }

    /// `count` images one after the other; `None` unless there are exactly as many values.
    pub(crate) fn all(size: u32, count: usize, values: &Values) -> Option<Vec<Self>> {
        let sound = match values {
            Values::Raw(bytes) => bytes.len() % F32_BYTES == 0,
            Values::Typed(_) => true,
        };
        let expected = Self::values_each(size).checked_mul(count)?;
        (sound && values.len() == expected).then(|| {
            (0..count)
                .map(|index| Self {
                    size,
                    values: values.clone(),
                    index,
                })
                .collect()
        })
    }

    /// Converts to the network's layout. This takes some CPU time, so call it on a compute thread.
    ///
    /// # Errors
    /// [`RequestError::TensorMalformed`] if a value is not finite, or so large that the answer might not be.
    pub(crate) fn into_input(self) -> Result<Input, RequestError> {
        let pixels = (self.size as usize).pow(2);
        let first = self.index * CHANNELS * pixels;
        let mut interleaved = Vec::with_capacity(CHANNELS * pixels);
        for pixel in 0..pixels {
            for channel in 0..CHANNELS {
                let value = self.values.get(first + channel * pixels + pixel);
                if value.is_nan() || value.abs() > MAGNITUDE_MAX {
                    return Err(RequestError::tensor(
                        "inputs",
                        format!(
                            "image {} has the value {value}: normalise each channel value as GetModel says: for the built-in model (x - 127) / 128 of x, 0 to 255",
                            self.index
                        ),
                    ));
                }
                interleaved.push(value);
            }
        }
        let input = Input::from_values(self.size, interleaved);
        Ok(input.expect("as many values as pixels and channels"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels_from_either_form() {
        let tensor: Vec<f32> = (0..24u8).map(f32::from).collect(); // two images of 2 x 2 pixels
        let raw: Vec<u8> = tensor
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        for values in [
            Values::Typed(Arc::new(tensor.clone())),
            Values::Raw(raw.clone().into()),
        ] {
            let images = PreparedTensor::all(2, 2, &values).unwrap();
            let pixels: Vec<_> = images
                .into_iter()
                .map(|tensor| tensor.into_input().unwrap().values().to_vec())
                .collect();
            let first = [0., 4., 8., 1., 5., 9., 2., 6., 10., 3., 7., 11.];
            assert_eq!(pixels[0], first);
            assert_eq!(pixels[1], first.map(|value| value + 12.));
            assert!(PreparedTensor::all(2, 1, &values).is_none());
        }
        let cut = Values::Raw(Bytes::from(raw).slice(..95));
        assert!(PreparedTensor::all(2, 2, &cut).is_none());
    }

    #[test]
    fn rejects_values_that_could_overflow() {
        for (value, taken) in [
            (1.0, true),
            (-1e6, true),
            (1.1e6, false),
            (f32::MAX, false),
            (f32::NAN, false),
            (f32::NEG_INFINITY, false),
        ] {
            let values = Values::Typed(Arc::new(vec![0., 0., value]));
            let [tensor]: [_; 1] = PreparedTensor::all(1, 1, &values)
                .unwrap()
                .try_into()
                .ok()
                .unwrap();
            assert_eq!(tensor.into_input().is_ok(), taken, "{value}");
        }
    }
}
