//! Files that nobody's program writes, or of another network: errors name the layer, and nothing panics or allocates much.

use imageclassifier_checkpoints::{Architecture, Checkpoint, CheckpointError};
use safetensors::Dtype;

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

#[test]
fn negative_variances_are_rejected() {
    let mut tensors = tensors(small());
    tensors.retain(|(name, _)| name != "bn1.running_var");
    let mut bytes = file(&tensors, Dtype::F32, f32_bytes);
    let header = usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap();
    let end = bytes.len() - 8 - header;
    let entry = format!(
        ",\"bn1.running_var\":{{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[{end},{}]}}}}",
        end + 64
    );
    let text = String::from_utf8(bytes[8..8 + header].to_vec()).unwrap();
    let text = text.trim_end().strip_suffix('}').unwrap().to_owned() + &entry;
    let mut changed = (text.len() as u64).to_le_bytes().to_vec();
    changed.extend(text.as_bytes());
    changed.extend(bytes.drain(8 + header..));
    changed.extend([-1.0_f32; 16].into_iter().flat_map(f32::to_le_bytes));
    let error = error(&changed, small());
    assert!(
        error.contains("\"bn1\": the variance of channel 0 is negative"),
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
    for length in [0, 1 << 22, u64::MAX] {
        let mut bytes = with_header("{}");
        bytes[..8].copy_from_slice(&u64::to_le_bytes(length));
        assert!(Checkpoint::parse(&bytes).is_err());
    }
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

#[test]
fn tensors_that_share_elements_do_not_fill_the_memory() {
    // 1000 times the same tensor, which is most of the file.
    let storage = vec![0_u8; 4 << 10];
    let mut pickle = b"\x80\x02}q\x00".to_vec();
    let tensor = [
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuM\x00\x04tQK\x00M\x00\x04\x85K\x01\x85tR"
            .as_slice(),
        b"q\x01",
    ]
    .concat();
    for i in 0..1000 {
        pickle.extend(b"X\x04\x00\x00\x00");
        pickle.extend(format!("{i:04}").as_bytes());
        pickle.extend(if i == 0 { tensor.as_slice() } else { b"h\x01" });
        pickle.extend(b"s");
    }
    pickle.push(b'.');
    let mut file = fixture("plain_legacy.pth")[..15].to_vec();
    file.extend(b"\x80\x02K\x01.\x80\x02}.");
    file.extend(&pickle);
    file.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
    file.extend(1024_u64.to_le_bytes());
    file.extend(&storage);
    let error = Checkpoint::parse(&file).unwrap_err().to_string();
    assert!(
        error.contains("its tensors are larger than the file"),
        "{error}"
    );
}

#[test]
fn pickles_of_endless_instructions_are_rejected() {
    let mut file = fixture("plain_legacy.pth")[..15].to_vec();
    file.extend(b"\x80\x02");
    file.extend(vec![b'('; 1 << 20]);
    let error = Checkpoint::parse(&file).unwrap_err().to_string();
    assert!(error.contains("a pickle in it is too long"), "{error}");
}
