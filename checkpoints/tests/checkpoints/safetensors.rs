//! Files of safetensors.

use imageclassifier_checkpoints::{Architecture, Checkpoint, Naming};
use safetensors::{Dtype, tensor::TensorView};

use crate::formula::{Formula, values};

/// The names and shapes of a small network's tensors.
pub(crate) fn tensors(architecture: Architecture) -> Vec<(String, Vec<usize>)> {
    let mut weights = Formula::new(architecture.namings()[0]);
    architecture.graph(&mut weights, 32).unwrap();
    weights.taken
}

/// A file with these tensors, whose elements `encode` makes of f32.
pub(crate) fn file(
    tensors: &[(String, Vec<usize>)],
    dtype: Dtype,
    encode: impl Fn(f32) -> Vec<u8>,
) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(name, shape)| values(name, shape).into_iter().flat_map(&encode).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
        (name, TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

pub(crate) fn f32_bytes(value: f32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

fn logits(file: &[u8], architecture: Architecture) -> Vec<f32> {
    let checkpoint = Checkpoint::parse(file).unwrap();
    let graph = checkpoint.graph(architecture, 32).unwrap();
    graph.fused().run(&vec![0.5; 3 * 32 * 32])
}

#[test]
fn weights_of_every_type_give_the_logits() {
    let architecture = Architecture::named("mobilenetv3_small_100").unwrap();
    let tensors = tensors(architecture);
    let graph = architecture.graph(&mut Formula::new(Naming::Timm), 32);
    let expected = graph.unwrap().fused().run(&vec![0.5; 3 * 32 * 32]);
    let exact = logits(&file(&tensors, Dtype::F32, f32_bytes), architecture);
    assert_eq!(exact, expected);
    let double = file(&tensors, Dtype::F64, |x| {
        f64::from(x).to_le_bytes().to_vec()
    });
    assert_eq!(logits(&double, architecture), expected);
    // The upper half of an f32.
    let truncated = file(&tensors, Dtype::BF16, |x| x.to_le_bytes()[2..].to_vec());
    let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    for (found, expected) in logits(&truncated, architecture).iter().zip(&expected) {
        assert!((found - expected).abs() < 0.05 * largest);
    }
}

#[test]
fn counters_and_the_names_of_wrappers_do_not_matter() {
    let architecture = Architecture::named("mobilenetv3_small_100").unwrap();
    let plain = tensors(architecture);
    let expected = logits(&file(&plain, Dtype::F32, f32_bytes), architecture);
    let mut counted = plain.clone();
    counted.push(("bn1.num_batches_tracked".to_owned(), Vec::new()));
    assert_eq!(
        logits(&file(&counted, Dtype::F32, f32_bytes), architecture),
        expected
    );
    let bytes: Vec<Vec<u8>> = plain
        .iter()
        .map(|(name, shape)| {
            values(name, shape)
                .into_iter()
                .flat_map(f32_bytes)
                .collect()
        })
        .collect();
    let views = plain.iter().zip(&bytes).map(|((name, shape), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (format!("module.model.{name}"), view)
    });
    let wrapped = safetensors::serialize(views, None).unwrap();
    assert_eq!(logits(&wrapped, architecture), expected);
}

#[test]
fn names_have_the_suffixes_of_their_training() {
    let named = |name| Architecture::named(name).map(Architecture::name);
    assert_eq!(named("resnet50.a1_in1k"), Some("resnet50"));
    assert_eq!(named("resnet50d"), None);
    assert_eq!(named(""), None);
}
