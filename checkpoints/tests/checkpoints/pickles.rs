//! Malformed pickles: nothing in them runs, allocates much or takes long.

use std::time::{Duration, Instant};

use imageclassifier_checkpoints::Checkpoint;
use safetensors::SafeTensors;

use crate::fixture;

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
