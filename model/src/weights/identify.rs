//! Identifies a file's network by the names and shapes of its tensors, so that no file can state it wrongly.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::WeightsError;
use crate::{CLASSES, Variant};

/// The network whose tensors are exactly those of `file`.
pub(super) fn variant(file: &SafeTensors<'_>) -> Result<Variant, WeightsError> {
    let variant = nearest(file)?;
    let network = variant.name();
    let expected = tensors(variant);
    for (tensor, shape) in &expected {
        let found = file.tensor(tensor).map_err(|_| WeightsError::Missing {
            network,
            tensor: tensor.clone(),
        })?;
        check(network, tensor, shape, &found)?;
    }
    let mut names = file.names();
    names.sort_unstable();
    match names.into_iter().find(|&name| !expected.contains_key(name)) {
        None => Ok(variant),
        Some(name) => Err(WeightsError::Unexpected {
            network,
            tensor: name.to_owned(),
        }),
    }
}

/// Of the variants with as many blocks as `file`, the one that has the most tensors in common with it.
fn nearest(file: &SafeTensors<'_>) -> Result<Variant, WeightsError> {
    let found = blocks(file).ok_or(WeightsError::NoBlocks)?;
    let as_deep = |variant: &Variant| variant.architecture().blocks().len() == found;
    let in_common = |&variant: &Variant| {
        let tensors = tensors(variant).into_iter();
        tensors
            .filter(|(name, shape)| file.tensor(name).is_ok_and(|it| it.shape() == shape))
            .count()
    };
    let candidates = Variant::ALL.into_iter().filter(as_deep);
    candidates
        .max_by_key(in_common)
        .ok_or(WeightsError::Blocks { found })
}

/// The number of blocks: one more than the highest index.
fn blocks(file: &SafeTensors<'_>) -> Option<usize> {
    let names = file.names().into_iter();
    let last = names
        .filter_map(|name| {
            let (index, _) = name.strip_prefix("blocks.")?.split_once('.')?;
            index.parse::<usize>().ok()
        })
        .max()?;
    last.checked_add(1)
}

/// Name and shape of every tensor of a network, in PyTorch's layout.
pub(super) fn tensors(variant: Variant) -> BTreeMap<String, Vec<usize>> {
    let architecture = variant.architecture();
    let mut tensors = BTreeMap::new();
    let mut layer = |name: &str, weight: &[usize]| {
        tensors.insert(format!("{name}.weight"), weight.to_vec());
        tensors.insert(format!("{name}.bias"), vec![weight[0]]);
    };
    layer(
        "conv_stem",
        &[architecture.stem_output().channels(), 3, 3, 3],
    );
    for (index, block) in architecture.blocks().iter().enumerate() {
        let name = |conv| format!("blocks.{index}.{conv}");
        let input = block.input().channels();
        let inner = block.depthwise_channels();
        if block.expanded_channels().is_some() {
            layer(&name("expand_conv"), &[inner, input, 1, 1]);
        }
        let side = block.kernel_size();
        layer(&name("depthwise_conv"), &[inner, 1, side, side]);
        layer(
            &name("project_conv"),
            &[block.output().channels(), inner, 1, 1],
        );
    }
    let features = architecture.head_channels();
    let last = architecture.last_map().channels();
    layer("conv_head", &[features, last, 1, 1]);
    layer("fc", &[CLASSES, features]);
    tensors
}

fn check(
    network: &'static str,
    name: &str,
    expected: &[usize],
    found: &TensorView<'_>,
) -> Result<(), WeightsError> {
    let tensor = name.to_owned();
    match found.shape() {
        shape if shape == expected => {}
        &[classes, ref rest @ ..] if name.starts_with("fc.") && *rest == expected[1..] => {
            return Err(WeightsError::Classes {
                expected: CLASSES,
                found: classes,
            });
        }
        shape => {
            return Err(WeightsError::Shape {
                network,
                tensor,
                expected: expected.to_vec(),
                found: shape.to_vec(),
            });
        }
    }
    if found.dtype() != Dtype::F32 {
        return Err(WeightsError::Type {
            tensor,
            found: format!("{:?}", found.dtype()),
        });
    }
    let (values, _) = found.data().as_chunks();
    if !values
        .iter()
        .all(|&value| f32::from_le_bytes(value).is_finite())
    {
        return Err(WeightsError::NotFinite { tensor });
    }
    Ok(())
}
