//! The weights of `fixtures.py`.

use imageclassifier_checkpoints::{Naming, Weights};
use imageclassifier_kernels::GraphError;

pub(crate) const CLASSES: usize = 7;

/// Numbers from 0 to 1.
pub(crate) fn uniform(name: &str, count: usize) -> impl Iterator<Item = f32> {
    let seed = crc32(name.as_bytes());
    (0..u32::try_from(count).unwrap()).map(move |i| {
        let mut x = i.wrapping_mul(2_654_435_761).wrapping_add(seed);
        x = (x ^ x >> 15).wrapping_mul(0x2C1B_3C6D);
        x = (x ^ x >> 12).wrapping_mul(0x297A_2D39);
        x ^= x >> 15;
        #[allow(clippy::cast_precision_loss, reason = "24 bits")]
        let numerator = (x >> 8) as f32;
        numerator / 16_777_216.0
    })
}

/// The elements of a tensor.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "as numpy does"
)]
pub(crate) fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let u = uniform(name, shape.iter().product());
    if shape.len() >= 2 {
        let fan_in: usize = shape[1..].iter().product();
        let narrowed = if shape.len() == 4 { 0.1 } else { 1.0 };
        let scale = ((3.0 / fan_in as f64).sqrt() * narrowed) as f32;
        u.map(|u| (u * 2.0 - 1.0) * scale).collect()
    } else if name.ends_with("running_var") {
        u.map(|u| (u + 0.5) * 0.01).collect()
    } else if name.ends_with("weight") {
        u.map(|u| u + 0.5).collect()
    } else if name.ends_with("running_mean") {
        u.map(|u| (u - 0.5) * 0.1).collect()
    } else {
        u.map(|u| u - 0.5).collect()
    }
}

/// Has whatever tensor a network asks for.
pub(crate) struct Formula {
    naming: Naming,
    pub(crate) taken: Vec<(String, Vec<usize>)>,
}

impl Formula {
    pub(crate) fn new(naming: Naming) -> Self {
        Self {
            naming,
            taken: Vec::new(),
        }
    }

    /// Elements of all tensors that were taken.
    pub(crate) fn elements(&self) -> usize {
        let shapes = self.taken.iter().map(|(_, shape)| shape);
        shapes.map(|shape| shape.iter().product::<usize>()).sum()
    }
}

impl Weights for Formula {
    fn contains(&self, name: &str) -> bool {
        match self.naming {
            Naming::Timm => ["conv_stem.weight", "conv1.weight"].contains(&name),
            Naming::Torchvision => name == "features.0.0.weight",
            Naming::Transformers => name.starts_with("resnet.embedder"),
        }
    }

    fn rows(&self, _name: &str) -> Option<usize> {
        Some(CLASSES)
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, GraphError> {
        self.taken.push((name.to_owned(), shape.to_vec()));
        Ok(values(name, shape))
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}
