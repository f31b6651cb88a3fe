use std::borrow::Cow;

use half::{bf16, f16};

/// A tensor as it is in the file. Every constructor site must check [`Tensor::is_inside`] first.
#[derive(Clone, Debug)]
pub(crate) struct Tensor<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) element_type: ElementType,
    /// Where its first element is in `storage`, and how far apart the next ones along each axis, in elements.
    pub(crate) offset: usize,
    pub(crate) strides: Vec<usize>,
    pub(crate) storage: &'a [u8],
}

/// Types of elements that weights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementType {
    F16,
    BF16,
    F32,
    F64,
    /// Counters, which are not read.
    Other {
        bytes: usize,
    },
}

/// Axes of a tensor, at most.
pub(crate) const AXES_MAX: usize = 8;

impl ElementType {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other { bytes } => bytes,
        }
    }
}

impl<'a> Tensor<'a> {
    /// A tensor whose elements are all of `storage`, row-major.
    pub(crate) fn contiguous(
        shape: Vec<usize>,
        element_type: ElementType,
        storage: &'a [u8],
    ) -> Self {
        Self {
            strides: row_major(&shape),
            shape,
            element_type,
            offset: 0,
            storage,
        }
    }

    /// Whether there are elements, and every one is in the storage. If not, nothing else may be asked.
    pub(crate) fn is_inside(&self) -> bool {
        let has_bytes = |elements: usize| {
            let bytes = elements.checked_mul(self.element_type.bytes());
            bytes.is_some_and(|bytes| bytes <= self.storage.len())
        };
        let has_axes = self.shape.len() == self.strides.len() && self.shape.len() <= AXES_MAX;
        if !has_axes || self.shape.contains(&0) {
            return false;
        }
        let elements = (self.shape.iter()).try_fold(1_usize, |all, axis| all.checked_mul(*axis));
        let mut axes = self.shape.iter().zip(&self.strides);
        let last = axes.try_fold(self.offset, |last, (axis, stride)| {
            last.checked_add((axis - 1).checked_mul(*stride)?)
        });
        elements.is_some_and(has_bytes)
            && last
                .and_then(|last| last.checked_add(1))
                .is_some_and(has_bytes)
    }

    /// How many elements it has.
    fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of all elements.
    pub(crate) fn bytes(&self) -> usize {
        self.count() * self.element_type.bytes()
    }

    /// The elements, row-major; `None` if they are of a type that weights do not have.
    pub(crate) fn elements(&self) -> Option<Vec<f32>> {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "weights are computed with in f32"
        )]
        match self.element_type {
            ElementType::F32 => Some(self.map(f32::from_le_bytes)),
            ElementType::F64 => Some(self.map(|bytes| f64::from_le_bytes(bytes) as f32)),
            ElementType::F16 => Some(self.map(|bytes| f16::from_le_bytes(bytes).to_f32())),
            ElementType::BF16 => Some(self.map(|bytes| bf16::from_le_bytes(bytes).to_f32())),
            ElementType::Other { .. } => None,
        }
    }

    fn map<const N: usize>(&self, element: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        let raw = self.raw();
        let (stored, _) = raw.as_chunks::<N>();
        stored.iter().map(|bytes| element(*bytes)).collect()
    }

    /// The elements as they are in the file, row-major.
    pub(crate) fn raw(&self) -> Cow<'a, [u8]> {
        let size = self.element_type.bytes();
        if self.strides == row_major(&self.shape) {
            return Cow::Borrowed(&self.storage[self.offset * size..][..self.bytes()]);
        }
        let mut raw = Vec::with_capacity(self.bytes());
        self.visit(|at| raw.extend_from_slice(&self.storage[at * size..][..size]));
        Cow::Owned(raw)
    }

    /// Calls `element` with the place of each element, row-major.
    fn visit(&self, mut element: impl FnMut(usize)) {
        let mut indices = vec![0; self.shape.len()];
        let mut at = self.offset;
        for _ in 0..self.count() {
            element(at);
            for axis in (0..indices.len()).rev() {
                indices[axis] += 1;
                // The stride of an axis of length 1 may be anything.
                at = at.wrapping_add(self.strides[axis]);
                if indices[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_sub(indices[axis].wrapping_mul(self.strides[axis]));
                indices[axis] = 0;
            }
        }
    }
}

/// Strides of elements without gaps. Those of an axis of length 1 do not matter, and are as PyTorch sets them.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        let half = |bits: u16| {
            let stored = bits.to_le_bytes();
            Tensor::contiguous(vec![1], ElementType::F16, &stored)
                .elements()
                .unwrap()[0]
        };
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 2.0_f32.powi(-24)),
            (0x03FF, 1023.0 * 2.0_f32.powi(-24)),
            (0x0400, 2.0_f32.powi(-14)),
            (0x3C00, 1.0),
            (0xC100, -2.5),
            (0x7BFF, 65504.0),
            (0x7C00, f32::INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), value.to_bits(), "{bits:x}");
        }
        assert!(half(0x7E00).is_nan());
    }

    fn transposed(offset: usize, strides: [usize; 2], storage: &[u8]) -> Tensor<'_> {
        Tensor {
            shape: vec![2, 3],
            element_type: ElementType::F32,
            offset,
            strides: strides.to_vec(),
            storage,
        }
    }

    #[test]
    fn strides_and_offsets_select_elements() {
        let stored = [9.0_f32, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let bytes: Vec<u8> = stored.into_iter().flat_map(f32::to_le_bytes).collect();
        let elements = |tensor: Tensor<'_>| {
            assert!(tensor.is_inside());
            let raw: Vec<_> = tensor.elements().unwrap();
            let copied = Tensor::contiguous(vec![2, 3], ElementType::F32, &tensor.raw()).elements();
            assert_eq!(copied.unwrap(), raw);
            raw
        };
        assert_eq!(
            elements(transposed(1, [3, 1], &bytes)),
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        );
        assert_eq!(
            elements(transposed(1, [1, 2], &bytes)),
            [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]
        );
        for outside in [
            transposed(2, [3, 1], &bytes),
            transposed(1, [1, 3], &bytes),
            transposed(usize::MAX, [3, 1], &bytes),
            transposed(1, [usize::MAX, 1], &bytes),
        ] {
            assert!(!outside.is_inside());
        }
    }
}
