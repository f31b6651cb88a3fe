//! Malformed files and files of other networks: errors name the layer, and nothing panics or allocates much.

use std::time::{Duration, Instant};

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

/// A pickle of `plain.pth` in which the first `from` is replaced by `to`.
fn replaced(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = fixture("plain_legacy.pth");
    let at = bytes.windows(from.len()).position(|it| it == from);
    let at = at.unwrap_or_else(|| panic!("there is no {from:?}"));
    bytes.splice(at..at + from.len(), to.iter().copied());
    bytes
}

#[test]
fn pickles_make_nothing_but_tensors() {
    for (bytes, expected) in [
        // What would run a command is an unknown function, whose result is no tensor.
        (
            replaced(b"ctorch._utils\n_rebuild_tensor_v2\n", b"cos\nsystem\n"),
            "it has no dictionary of tensors",
        ),
        // Shape (3, 4), strides (4, 1): others reach beyond the storage.
        (
            replaced(b"K\x03K\x04\x86", b"K\x03K\x05\x86"),
            "reaches beyond its storage",
        ),
        (
            replaced(b"K\x04K\x01\x86", b"K\x05K\x01\x86"),
            "reaches beyond its storage",
        ),
        (
            replaced(b"K\x04K\x01\x86", b"M\xFF\xFFK\x00\x86"),
            "reaches beyond its storage",
        ),
        // A billion elements that are all the same one.
        (
            replaced(b"K\x03K\x04\x86", b"J\x00\x00\x00\x40K\x01\x86"),
            "reaches beyond its storage",
        ),
        (
            replaced(b"K\x03K\x04\x86", b"J\xFF\xFF\xFF\xFFK\x04\x86"),
            "no dictionary",
        ),
        (replaced(b"}", b"\x8f"), "the instruction 0x8f"),
    ] {
        let error = Checkpoint::parse(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The instruction that pushes a string.
fn string(text: &str) -> Vec<u8> {
    let len = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"X", &len[..], text.as_bytes()].concat()
}

/// Instructions that push a tensor of `count` elements. `part` ends the description of its storage.
fn tensor(element_type: &str, key: &str, count: u16, part: &[u8]) -> Vec<u8> {
    let count = [b"M", &count.to_le_bytes()[..]].concat();
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        string("storage").as_slice(),
        format!("ctorch\n{element_type}\n").as_bytes(),
        &string(key),
        &string("cpu"),
        &count,
        part,
        b"tQK\x00",
        &count,
        b"\x85K\x01\x85tR",
    ]
    .concat()
}

/// A file as old versions of PyTorch write it. Storages have a key, a number of elements, and those.
fn legacy(pickle: &[u8], storages: &[(&str, u64, &[u8])]) -> Vec<u8> {
    let mut file = fixture("plain_legacy.pth")[..15].to_vec();
    file.extend(b"\x80\x02K\x01.\x80\x02}.\x80\x02");
    file.extend(pickle);
    file.extend(b".\x80\x02]");
    for (key, ..) in storages {
        file.extend(string(key));
        file.push(b'a');
    }
    file.push(b'.');
    for (_, count, elements) in storages {
        file.extend(count.to_le_bytes());
        file.extend(*elements);
    }
    file
}

/// Instructions that push a dictionary with the same tensor under each name.
fn shared(names: &[String], key: &str, count: u16) -> Vec<u8> {
    let mut pickle = b"}".to_vec();
    for (i, name) in names.iter().enumerate() {
        pickle.extend(string(name));
        if i == 0 {
            pickle.extend(tensor("FloatStorage", key, count, b""));
            pickle.extend(b"q\x01");
        } else {
            pickle.extend(b"h\x01");
        }
        pickle.push(b's');
    }
    pickle
}

#[test]
fn tensors_that_share_elements_do_not_fill_the_memory() {
    // 1000 times the same tensor, which is most of the file.
    let names: Vec<_> = (0..1000).map(|i| format!("{i:04}")).collect();
    let file = legacy(&shared(&names, "0", 1024), &[("0", 1024, &[0; 4 << 10])]);
    let error = Checkpoint::parse(&file).unwrap_err().to_string();
    assert!(
        error.contains("its tensors are larger than the file"),
        "{error}"
    );
}

#[test]
fn names_that_repeat_or_are_long_do_not_fill_the_memory() {
    let repeated = vec!["a".to_owned(); 1000];
    let file = legacy(&shared(&repeated, "0", 16), &[("0", 16, &[0; 64])]);
    assert!(Checkpoint::parse(&file).is_ok());
    let long = "a".repeat(257);
    for (name, key) in [("a", long.as_str()), (&long, "0")] {
        let pickle = shared(&[name.to_owned()], key, 16);
        let file = legacy(&pickle, &[(key, 16, &[0; 64])]);
        let error = Checkpoint::parse(&file).unwrap_err().to_string();
        assert!(error.contains("no dictionary of tensors"), "{error}");
    }
}

#[test]
fn names_that_could_not_be_read_again_are_not_written() {
    let names: Vec<_> = (0..20_000).map(|i| format!("{i:0250}")).collect();
    let file = legacy(&shared(&names, "0", 1), &[("0", 1, &[0; 4])]);
    let checkpoint = Checkpoint::parse(&file).unwrap();
    let error = checkpoint.to_safetensors().unwrap_err().to_string();
    assert!(error.contains("longer than 4 MiB"), "{error}");

    let counters = ["bn1.num_batches_tracked".to_owned()];
    let file = legacy(&shared(&counters, "0", 1), &[("0", 1, &[0; 4])]);
    let checkpoint = Checkpoint::parse(&file).unwrap();
    let error = checkpoint.to_safetensors().unwrap_err().to_string();
    assert!(error.contains("it has no weights"), "{error}");
}

#[test]
fn long_shapes_that_repeat_take_no_time() {
    let mut pickle = b"(".to_vec();
    pickle.extend(b"K\x01".repeat(100_000));
    pickle.extend(b"tq\x02");
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\nq\x03");
    pickle.extend(b"(");
    pickle.extend(string("storage"));
    pickle.extend(b"ctorch\nFloatStorage\n");
    pickle.extend(string("0"));
    pickle.extend(b"NK\x01tQq\x04");
    pickle.extend(b"h\x03(h\x04K\x00h\x02h\x02tR0".repeat(15_000));
    let begin = Instant::now();
    assert!(Checkpoint::parse(&legacy(&pickle, &[])).is_err());
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn storages_that_are_parts_of_others_are_rejected() {
    for (part, is_read) in [
        (&b""[..], true),
        (b"N", true),
        (b"X\x01\x00\x00\x001K\x04K\x10\x87", false),
    ] {
        let pickle = [
            b"}",
            string("a").as_slice(),
            &tensor("FloatStorage", "0", 16, part),
            b"s",
        ]
        .concat();
        let file = legacy(&pickle, &[("0", 16, &[0; 64])]);
        assert_eq!(Checkpoint::parse(&file).is_ok(), is_read, "{part:?}");
    }
}

#[test]
fn averaged_weights_are_found_beside_their_counter() {
    let inner = [
        b"}",
        string("n_averaged").as_slice(),
        &tensor("LongStorage", "0", 1, b"N"),
        b"s",
        &string("module.a"),
        &tensor("FloatStorage", "1", 16, b"N"),
        b"s",
    ]
    .concat();
    let pickle = [b"}", string("model_ema").as_slice(), &inner, b"s"].concat();
    let file = legacy(&pickle, &[("0", 1, &[1; 8]), ("1", 16, &[0; 64])]);
    let checkpoint = Checkpoint::parse(&file).unwrap();
    let converted = checkpoint.to_safetensors().unwrap();
    let tensors = SafeTensors::deserialize(&converted).unwrap();
    assert_eq!(tensors.names(), ["a"]);
}

#[test]
fn pickles_of_endless_instructions_are_rejected() {
    let mut file = fixture("plain_legacy.pth")[..15].to_vec();
    file.extend(b"\x80\x02");
    file.extend(vec![b'('; 1 << 20]);
    let error = Checkpoint::parse(&file).unwrap_err().to_string();
    assert!(error.contains("a pickle in it is too long"), "{error}");
}
