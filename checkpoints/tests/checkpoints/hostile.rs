//! Malformed files and files of other networks: errors name the layer, and nothing panics or allocates much.

use imageclassifier_checkpoints::{Architecture, Checkpoint, CheckpointError};
use safetensors::{Dtype, SafeTensors};

use crate::fixture;
use crate::safetensors::{f32_bytes, file, tensors};

fn small() -> Architecture {
    Architecture::named("mobilenetv3_small_100").unwrap()
}

fn error(bytes: &[u8], architecture: Architecture) -> String {
    let checkpoint = Checkpoint::parse(bytes);
    let graph = checkpoint.and_then(|it| it.graph(architecture, 32));
    graph.unwrap_err().to_string()
}

/// The network's tensors after a change.
fn changed(change: impl FnOnce(&mut Vec<(String, Vec<usize>)>)) -> Vec<u8> {
    let mut tensors = tensors(small());
    change(&mut tensors);
    file(&tensors, Dtype::F32, f32_bytes)
}

#[test]
fn errors_name_the_layer_and_what_was_expected() {
    let shape = |name: &'static str, shape: &'static [usize]| {
        changed(move |tensors| {
            let tensor = tensors.iter_mut().find(|(it, _)| it == name);
            tensor.unwrap().1 = shape.to_vec();
        })
    };
    for (bytes, expected) in [
        (
            shape("blocks.1.0.conv_pw.weight", &[72, 24, 1, 1]),
            "layer \"blocks.1.0.conv_pw.weight\": it has the shape [72, 24, 1, 1] instead of [72, 16, 1, 1]",
        ),
        (
            shape("bn1.running_var", &[1, 16]),
            "layer \"bn1.running_var\": it has the shape [1, 16] instead of [16]",
        ),
        (
            shape("classifier.weight", &[1, 1024]),
            "layer \"classifier\": it has 1 outputs",
        ),
        (
            shape("classifier.bias", &[9]),
            "layer \"classifier.bias\": it has the shape [9] instead of [7]",
        ),
        (
            changed(|tensors| tensors.retain(|(name, _)| name != "blocks.2.1.se.conv_expand.bias")),
            "layer \"blocks.2.1.se.conv_expand.bias\": it is missing; its shape would be [240]",
        ),
        (
            changed(|tensors| tensors.push(("blocks.6.0.conv_pw.weight".to_owned(), vec![3]))),
            "layer \"blocks.6.0.conv_pw.weight\": mobilenetv3_small_100 has no such layer",
        ),
    ] {
        assert!(
            error(&bytes, small()).starts_with(expected),
            "{}",
            error(&bytes, small())
        );
    }
}

#[test]
fn files_of_another_architecture_are_rejected() {
    let bytes = changed(|_| {});
    for architecture in Architecture::all() {
        let compatible = ["mobilenetv3_small_100", "tf_mobilenetv3_small_100"];
        let graph = Checkpoint::parse(&bytes).unwrap().graph(architecture, 32);
        assert_eq!(graph.is_ok(), compatible.contains(&architecture.name()));
    }
}

/// The network's file, in which the first element of a tensor is `value`.
fn with_value(name: &str, value: f32) -> Vec<u8> {
    let mut bytes = changed(|_| {});
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let data = file.tensor(name).unwrap().data().as_ptr();
    let at = data.addr() - bytes.as_ptr().addr();
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    bytes
}

#[test]
fn weights_that_are_not_finite_are_rejected() {
    let not_finite = "an element is not finite in float32";
    for (name, value, expected) in [
        ("conv_stem.weight", f32::NAN, not_finite),
        ("bn1.running_mean", f32::INFINITY, not_finite),
        ("bn1.running_var", f32::NAN, not_finite),
        ("blocks.0.0.se.conv_reduce.bias", f32::NAN, not_finite),
        ("classifier.weight", f32::NEG_INFINITY, not_finite),
        (
            "bn1.running_var",
            -1e-6,
            "the variance of channel 0 is negative",
        ),
        (
            "bn1.weight",
            3e38,
            "batch normalisation of channel 0 is not finite: weight 3",
        ),
    ] {
        let error = error(&with_value(name, value), small());
        assert!(error.contains(expected), "{name} {value}: {error}");
        let layer = name.rsplit_once('.').unwrap().0;
        assert!(error.contains(layer), "{name} {value}: {error}");
    }
}

#[test]
fn types_other_than_floating_point_are_rejected() {
    let bytes = file(&tensors(small()), Dtype::F8_E4M3, |_| vec![0]);
    let error = error(&bytes, small());
    assert!(
        error.contains("save the weights as float32, float16, bfloat16 or float64"),
        "{error}"
    );
}

#[test]
fn files_that_are_cut_off_are_malformed() {
    let whole = changed(|_| {});
    let ends = (0..2000).chain([whole.len() - 1]);
    for bytes in ends.map(|len| &whole[..len]) {
        assert!(matches!(
            Checkpoint::parse(bytes),
            Err(CheckpointError::Malformed(_))
        ));
    }
    for name in [
        "plain.pth",
        "plain_legacy.pth",
        "training.pth",
        "strided_legacy.pth",
    ] {
        let whole = fixture(name);
        for len in 0..whole.len() {
            assert!(
                Checkpoint::parse(&whole[..len]).is_err(),
                "{name}: {len} bytes"
            );
        }
    }
}

/// A file of safetensors with this header and 64 bytes of data.
fn with_header(header: &str) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &[0; 64]].concat()
}

#[test]
fn headers_that_contradict_the_data_are_malformed() {
    let tensor = |shape: &str, offsets: &str| {
        format!("{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}")
    };
    let one = |shape: &str, offsets: &str| format!("{{\"a\":{}}}", tensor(shape, offsets));
    assert!(Checkpoint::parse(&with_header(&one("[16]", "[0,64]"))).is_ok());
    for header in [
        one("[4294967296,4294967296]", "[0,64]"),
        one("[18446744073709551615]", "[0,64]"),
        one("[1,1,1,1,1,1,1,1,16]", "[0,64]"),
        one("[17]", "[0,68]"),
        one("[0]", "[0,0]"),
        one("[16]", "[64,0]"),
        one("[16]", "[0,18446744073709551615]"),
        // Two tensors in the same place.
        format!("{{\"a\":{0},\"b\":{0}}}", tensor("[16]", "[0,64]")),
        format!(
            "{{\"a\":{},\"b\":{}}}",
            tensor("[8]", "[0,32]"),
            tensor("[9]", "[28,64]")
        ),
        "{}".to_owned(),
        "[]".to_owned(),
    ] {
        let bytes = with_header(&header);
        let parsed = Checkpoint::parse(&bytes);
        assert!(
            matches!(parsed, Err(CheckpointError::Malformed(_))),
            "{header}"
        );
    }
    for (length, expected) in [
        (0, ""),
        (1 << 22, ""),
        (
            (1 << 22) + 1,
            "the header of safetensors is longer than 4 MiB",
        ),
        (u64::MAX, "the header of safetensors is longer than 4 MiB"),
    ] {
        let mut bytes = with_header("{}");
        bytes[..8].copy_from_slice(&u64::to_le_bytes(length));
        let error = Checkpoint::parse(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(
        Checkpoint::parse(b"<!DOCTYPE html>")
            .unwrap_err()
            .to_string(),
        "the checkpoint is damaged or unsupported: the file is neither safetensors nor written by torch.save"
    );
}
