//! Files that `torch.save` wrote.

use imageclassifier_checkpoints::Checkpoint;
use safetensors::{Dtype, SafeTensors};

use crate::fixture;
use crate::formula::values;

const SHAPES: [(&str, &[usize]); 2] = [("a", &[3, 4]), ("b", &[2, 3, 2, 2])];

#[test]
fn every_way_to_save_gives_the_same_tensors() {
    for name in [
        "plain",
        "counted",
        "half",
        "bfloat16",
        "double",
        "parameters",
        "views",
        "strided",
        "wrapped",
        "training",
    ] {
        for suffix in ["", "_legacy"] {
            let file = format!("{name}{suffix}.pth");
            let bytes = fixture(&file);
            let checkpoint = Checkpoint::parse(&bytes);
            let checkpoint = checkpoint.unwrap_or_else(|error| panic!("{file}: {error}"));
            let converted = checkpoint.to_safetensors().unwrap();
            check(&file, &converted);
            // What was converted is read again, and stays as it is.
            let again = Checkpoint::parse(&converted).unwrap();
            assert_eq!(again.to_safetensors().unwrap(), converted, "{file}");
        }
    }
}

#[test]
fn safetensors_stay_as_they_are() {
    for name in ["plain", "counted", "half", "bfloat16", "double", "wrapped"] {
        let file = format!("{name}.safetensors");
        let bytes = fixture(&file);
        let checkpoint = Checkpoint::parse(&bytes).unwrap();
        assert_eq!(checkpoint.to_safetensors().unwrap(), bytes, "{file}");
    }
}

#[test]
fn pickles_are_not_read_as_safetensors() {
    for file in ["plain.pth", "plain_legacy.pth"] {
        assert!(Checkpoint::parse_safetensors(&fixture(file)).is_err());
    }
    assert!(Checkpoint::parse_safetensors(&fixture("plain.safetensors")).is_ok());
}

fn check(file: &str, converted: &[u8]) {
    let tensors = SafeTensors::deserialize(converted).unwrap();
    assert_eq!(tensors.len(), SHAPES.len(), "{file}");
    for (name, shape) in SHAPES {
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.shape(), shape, "{file}");
        let expected = values(name, shape);
        let (size, tolerance) = match tensor.dtype() {
            Dtype::F32 => (4, 0.0),
            Dtype::F64 => (8, 0.0),
            Dtype::F16 => (2, 1e-3),
            Dtype::BF16 => (2, 8e-3),
            other => panic!("{file}: {other:?}"),
        };
        let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        for (bytes, expected) in tensor.data().chunks(size).zip(expected) {
            let found = match tensor.dtype() {
                Dtype::F32 => f32::from_le_bytes(bytes.try_into().unwrap()),
                #[allow(clippy::cast_possible_truncation, reason = "it was f32")]
                Dtype::F64 => f64::from_le_bytes(bytes.try_into().unwrap()) as f32,
                Dtype::BF16 => f32::from_le_bytes([0, 0, bytes[0], bytes[1]]),
                _ => continue,
            };
            assert!(
                (found - expected).abs() <= tolerance * largest,
                "{file} {name}"
            );
        }
    }
}

#[test]
fn files_without_a_state_dict_say_what_to_save() {
    for file in ["no_state_dict.pth", "no_dictionary.pth"] {
        let error = Checkpoint::parse(&fixture(file)).unwrap_err().to_string();
        assert!(
            error.contains("write it with torch.save(model.state_dict(), \"model.pth\")"),
            "{error}"
        );
    }
}
