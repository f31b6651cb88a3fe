use std::{collections::BTreeMap, fs, process};

use safetensors::{Dtype, serialize, tensor::TensorView};

use super::{identify::tensors, *};

const WHERE_TO_GET_THEM: &str = "use a file that `cargo xtask weights`";

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    /// The first value; the others are 0.
    value: f32,
}

type File = BTreeMap<String, Tensor>;

fn tensor(shape: &[usize]) -> Tensor {
    Tensor {
        dtype: Dtype::F32,
        shape: shape.to_vec(),
        value: 1.0,
    }
}

/// All layers, with meaningless weights.
fn made_up(variant: Variant) -> File {
    let tensors = tensors(variant).into_iter();
    tensors
        .map(|(name, shape)| (name, tensor(&shape)))
        .collect()
}

fn encode(file: &File) -> Vec<u8> {
    let data = file.values().map(|tensor| {
        let values: usize = tensor.shape.iter().product();
        let mut bytes = vec![0; values * tensor.dtype.bitsize() / 8];
        if tensor.dtype == Dtype::F32 {
            bytes[..4].copy_from_slice(&tensor.value.to_le_bytes());
        }
        bytes
    });
    let data: Vec<_> = data.collect();
    let views = file.iter().zip(&data).map(|((name, tensor), data)| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), data);
        (name, view.unwrap())
    });
    serialize(views, None).unwrap()
}

fn complaint(bytes: Vec<u8>) -> String {
    Weights::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn the_embedded_weights_have_the_stated_variant_and_digest() {
    let embedded = Weights::lite0();
    let read = Weights::from_bytes(LITE0).unwrap();
    assert_eq!(read.variant(), Variant::Lite0);
    assert_eq!(read.digest(), embedded.digest());
    let revision = |weights: &Weights| weights.revision(Precision::F32);
    assert_eq!(revision(&read), revision(&embedded));
}

#[test]
fn identifies_every_variant_by_its_layers() {
    for variant in Variant::ALL {
        let bytes = encode(&made_up(variant));
        let weights = Weights::from_bytes(bytes.clone()).unwrap();
        assert_eq!(weights.variant(), variant);
        assert_eq!(weights.digest().len(), 64);

        // One bit of one weight is changed: the network is the same, but its answers differ.
        let mut other = bytes;
        *other.last_mut().unwrap() ^= 1;
        let other = Weights::from_bytes(other).unwrap();
        assert_eq!(other.variant(), variant);
        let revision = |weights: &Weights| weights.revision(Precision::F32);
        assert_ne!(revision(&weights), revision(&other));
    }
}

#[test]
fn rejects_files_that_are_not_safetensors() {
    let whole = encode(&made_up(Variant::Lite0));
    for (bytes, why) in [
        (vec![], "header too small"),
        (b"\x89PNG\r\n\x1a\n and so on".to_vec(), "header too large"),
        (
            whole[..whole.len() - 1].to_vec(),
            "not a complete safetensors file",
        ),
        (whole[..1000].to_vec(), "not a complete safetensors file"),
    ] {
        let complaint = complaint(bytes);
        assert!(
            complaint.contains("not a complete safetensors file"),
            "{complaint}"
        );
        assert!(complaint.contains(why), "{complaint}");
        assert!(complaint.contains(WHERE_TO_GET_THEM), "{complaint}");
    }
}

#[test]
fn rejects_other_networks() {
    let blocks = |count: usize| -> File {
        let names = (0..count).map(|index| format!("blocks.{index}.project_conv.weight"));
        names.map(|name| (name, tensor(&[16, 32, 1, 1]))).collect()
    };
    for (file, why) in [
        (File::new(), "not an EfficientNet-Lite"),
        (
            [("layer1.0.conv1.weight".to_owned(), tensor(&[64, 64, 1, 1]))].into(),
            "not an EfficientNet-Lite",
        ),
        (blocks(24), "24 blocks"), // Lite3
        (blocks(30), "30 blocks"), // Lite4
        (
            blocks(16),
            "\"blocks.0.depthwise_conv.bias\" of efficientnet-lite0 is missing",
        ),
    ] {
        let complaint = complaint(encode(&file));
        assert!(complaint.contains(why), "{complaint}");
        assert!(complaint.contains(WHERE_TO_GET_THEM), "{complaint}");
    }
}

#[test]
fn names_layers_that_are_missing_or_different() {
    let get = |file: &mut File, name: &str, change: fn(&mut Tensor)| {
        change(file.get_mut(name).unwrap());
    };
    type Change<'a> = &'a dyn Fn(&mut File);
    let cases: [(Variant, Change<'_>, &str); 9] = [
        (
            Variant::Lite1,
            &|file| drop(file.remove("blocks.20.expand_conv.weight")),
            "\"blocks.20.expand_conv.weight\" of efficientnet-lite1 is missing",
        ),
        (
            Variant::Lite2,
            &|file| drop(file.remove("conv_stem.bias")),
            "\"conv_stem.bias\" of efficientnet-lite2 is missing",
        ),
        (
            Variant::Lite1,
            &|file| get(file, "conv_head.weight", |t| t.shape[1] = 352),
            "\"conv_head.weight\" has the shape [1280, 352, 1, 1], efficientnet-lite1 needs [1280, 320, 1, 1]",
        ),
        (
            Variant::Lite0,
            &|file| get(file, "fc.weight", |t| t.shape.reverse()),
            "\"fc.weight\" has the shape [1280, 1000]",
        ),
        (
            Variant::Lite0,
            &|file| {
                get(file, "fc.bias", |t| t.shape[0] = 10);
                get(file, "fc.weight", |t| t.shape[0] = 10);
            },
            "has 10 classes",
        ),
        (
            Variant::Lite0,
            &|file| drop(file.insert("bn0.weight".to_owned(), tensor(&[32]))),
            "\"bn0.weight\" is not a layer of efficientnet-lite0",
        ),
        (
            Variant::Lite2,
            &|file| get(file, "fc.weight", |t| t.dtype = Dtype::F16),
            "\"fc.weight\" is stored as F16",
        ),
        (
            Variant::Lite0,
            &|file| get(file, "blocks.3.project_conv.bias", |t| t.value = f32::NAN),
            "\"blocks.3.project_conv.bias\" has a value that is not finite",
        ),
        (
            Variant::Lite0,
            &|file| get(file, "conv_stem.weight", |t| t.value = f32::INFINITY),
            "\"conv_stem.weight\" has a value that is not finite",
        ),
    ];
    for (variant, change, why) in cases {
        let mut file = made_up(variant);
        change(&mut file);
        let complaint = complaint(encode(&file));
        assert!(complaint.contains(why), "{complaint}");
    }
}

#[test]
fn reads_a_file_and_names_it_in_errors() {
    let path = std::env::temp_dir().join(format!("imageclassifier-weights-{}", process::id()));
    fs::write(&path, LITE0).unwrap();
    assert_eq!(Weights::read(&path).unwrap().variant(), Variant::Lite0);
    fs::remove_file(&path).unwrap();

    let error = Weights::read(&path).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()));
    assert!(matches!(error.source, WeightsError::Unreadable(_)));
}

#[test]
fn reads_an_endless_file_only_up_to_the_limit() {
    let path = Path::new("/dev/zero");
    if path.exists() {
        let error = Weights::read(path).unwrap_err().source;
        assert!(matches!(error, WeightsError::TooLarge { .. }), "{error}");
    }
}
