//! Files and shapes that no exporter writes: errors name the layer, and nothing panics or allocates much.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use imageclassifier_kernels::{Binary, Conv, GraphBuilder, Op, SliceAxis, Unary, Window};
use imageclassifier_onnx::{Model, OnnxError, inline_external_data};

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(folder.join(name).with_extension("onnx")).unwrap()
}

/// The file with the first `from` replaced by `to`, which is as long. Operators come before constants.
fn replaced(name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = fixture(name);
    let at = bytes
        .windows(from.len())
        .position(|it| it == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{name} has no {from}"));
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

fn error(bytes: &[u8]) -> String {
    let error = Model::parse(bytes).and_then(|model| model.graph(None));
    error.unwrap_err().to_string()
}

#[test]
fn errors_name_the_layer() {
    for (bytes, expected) in [
        (
            replaced("residual", "Relu", "Rely"),
            "the operator Rely is not supported",
        ),
        (
            replaced("gemm", "c2", "c9"),
            "it reads \"c9\", which nothing before it writes",
        ),
        (
            replaced("residual", "Flatten", "Flutter"),
            "the operator Flutter is not supported",
        ),
    ] {
        let error = error(&bytes);
        assert!(
            error.starts_with("layer \"/") && error.contains(expected),
            "{error}"
        );
    }
}

/// The file with another opset: a field may be repeated, and the last one counts.
fn with_opset(opset: u8) -> Vec<u8> {
    const OPSET_IMPORT: u8 = 8 << 3 | 2;
    const VERSION: u8 = 2 << 3;
    [fixture("residual"), vec![OPSET_IMPORT, 2, VERSION, opset]].concat()
}

#[test]
fn rejects_opsets_that_are_too_old_or_too_new() {
    for (opset, expected) in [
        (
            0,
            "the file has opset 0, but at least 7 is needed: convert it with onnx.version_converter.convert_version(model, 17)",
        ),
        (
            6,
            "the file has opset 6, but at least 7 is needed: convert it with onnx.version_converter.convert_version(model, 17)",
        ),
        (
            25,
            "the file has opset 25, but at most 24 is supported: export the model with opset_version=24 or lower",
        ),
    ] {
        assert_eq!(error(&with_opset(opset)), expected);
    }
    for opset in [7, 24] {
        let bytes = with_opset(opset);
        assert!(Model::parse(&bytes).unwrap().graph(None).is_ok(), "{opset}");
    }
}

#[test]
fn rejects_files_that_name_no_opset() {
    let mut bytes = fixture("residual");
    // `opset_import`: the domain, which is empty, and version 17.
    let standard = [8 << 3 | 2, 4, 1 << 3 | 2, 0, 2 << 3, 17];
    let other = [8 << 3 | 2, 5, 1 << 3 | 2, 1, b'x', 2 << 3, 17];
    let found = bytes.windows(standard.len()).position(|it| it == standard);
    let at = found.unwrap();
    bytes.splice(at..at + standard.len(), other);
    assert_eq!(
        error(&bytes),
        "the file does not name its opset, which must be 7 to 24: export the model again"
    );
}

/// The files of `tests/rejected`, whose metadata says why.
#[test]
fn rejects_graphs_that_are_not_supported_or_too_large() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejected");
    let mut files = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let model = Model::parse(&bytes).unwrap();
        let metadata = model.metadata();
        let (_, expected) = metadata.iter().find(|(key, _)| *key == "rejected").unwrap();
        let found = model.graph(None).unwrap_err().to_string();
        assert_eq!(found, *expected, "{}", path.display());
        files += 1;
    }
    assert!(files > 15, "{files} files");
}

#[test]
fn files_that_are_cut_off_or_not_onnx_are_errors() {
    let whole = fixture("inverted_residual");
    for len in 0..whole.len().min(3000) {
        assert!(Model::parse(&whole[..len]).is_err(), "{len} bytes");
    }
    for bytes in [
        b"".as_slice(),
        b"\x80",
        b"\x89PNG\r\n\x1a\n",
        &[0xFF; 100],
        &[0x3A, 0x00],
    ] {
        assert!(matches!(Model::parse(bytes), Err(OnnxError::Malformed(_))));
    }
}

#[test]
fn inlining_external_data_changes_nothing_where_there_is_none() {
    let bytes = fixture("residual");
    let inlined = inline_external_data(&bytes, |_, _, _| Err("no".to_owned())).unwrap();
    let shapes = |bytes: &[u8]| {
        let graph = Model::parse(bytes).unwrap().graph(None).unwrap();
        graph.layers().collect::<Vec<_>>()
    };
    assert_eq!(shapes(&inlined), shapes(&bytes));
}

fn window(kernel: usize, stride: usize, padding: usize) -> Window {
    Window {
        kernel: [kernel; 2],
        stride: [stride; 2],
        dilation: [1; 2],
        pad_begin: [padding; 2],
        pad_end: [padding; 2],
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let huge = usize::MAX / 2;
    let conv = |window, groups| {
        Op::Conv(Conv {
            window,
            groups,
            bias: false,
            residual: false,
            activation: None,
        })
    };
    let slice = |start, step, len| Op::Slice(vec![SliceAxis { start, step, len }; 4]);
    for op in [
        conv(window(3, 0, 1), 1),
        conv(window(3, 1, huge), 1),
        conv(window(9, 1, 0), 1),
        conv(window(3, 1, 1), 0),
        conv(window(3, 1, 1), 2),
        conv(window(huge, huge, 0), 1),
    ] {
        let mut builder = GraphBuilder::new(&[1, 3, 4, 4]).unwrap();
        let weight = builder
            .add_constant("weight", &[4, 3, 3, 3], vec![0.0; 108])
            .unwrap();
        let input = builder.input();
        let error = builder
            .add("the layer", op.clone(), &[input, weight])
            .unwrap_err();
        assert_eq!(error.layer, "the layer", "{op:?}");
    }
    for op in [
        Op::Reshape(vec![huge, 4]),
        Op::Reshape(vec![0, huge, huge]),
        Op::Transpose(vec![0, 0, 1, 2]),
        Op::Transpose(vec![0, 1, 2, 9]),
        Op::Softmax { axis: 4 },
        Op::Expand(vec![1 << 23, 3, 4, 4]),
        Op::Expand(vec![2, 2]),
        Op::Gather {
            axis: 1,
            indices: vec![3],
        },
        Op::Pad {
            before: vec![huge; 4],
            after: vec![huge; 4],
            value: 0.0,
        },
        Op::Pad {
            before: vec![1 << 13; 4],
            after: vec![0; 4],
            value: 0.0,
        },
        Op::LayerNorm {
            axis: 7,
            epsilon: 0.0,
        },
        Op::MatMul,
        Op::Concat { axis: 5 },
        slice(1, 1, 1),
        slice(0, isize::MIN, 3),
        slice(0, 1, huge),
        slice(huge, 1, 0),
    ] {
        let mut builder = GraphBuilder::new(&[1, 3, 4, 4]).unwrap();
        let input = builder.input();
        let added = builder.add("layer", op.clone(), &[input]);
        assert!(
            added.is_err(),
            "{op:?} writes {:?}",
            added.map(|id| builder.shape(id).to_vec())
        );
    }
    assert!(GraphBuilder::new(&[1, 3, huge, huge]).is_err());
    assert!(GraphBuilder::new(&[1, 3, 0, 4]).is_err());
}

#[test]
fn small_files_cannot_ask_for_much_memory_or_time() {
    // Constants that grow.
    let mut builder = GraphBuilder::new(&[1, 3, 4, 4]).unwrap();
    let one = builder.add_constant("one", &[1], vec![1.0]).unwrap();
    let grown = (0..100).try_fold(one, |value, _| {
        let ones = builder.add("grow", Op::Expand(vec![1 << 21]), &[one])?;
        builder.add("add", Op::Binary(Binary::Add), &[ones, value])
    });
    assert!(grown.unwrap_err().problem.contains("too large together"));
    let mut builder = GraphBuilder::new(&[1, 3, 4, 4]).unwrap();
    let zeros = || vec![0.0; 1 << 21];
    let grown = (0..100)
        .try_for_each(|_| (builder.add_computed_constant("zeros", &[1 << 21], zeros())).map(drop));
    assert!(grown.unwrap_err().problem.contains("too large together"));
    // Products that take hours.
    let mut builder = GraphBuilder::new(&[1, 64, 1024, 1024]).unwrap();
    let weight = builder
        .add_constant("weight", &[64, 64, 31, 31], vec![0.0; 64 * 64 * 961])
        .unwrap();
    let conv = Op::Conv(Conv {
        window: window(31, 1, 15),
        groups: 1,
        bias: false,
        residual: false,
        activation: Some(Unary::RELU),
    });
    let input = builder.input();
    let grown = (0..1000).try_fold(input, |value, _| {
        builder.add("conv", conv.clone(), &[value, weight])
    });
    assert!(grown.unwrap_err().problem.contains("computes too much"));
}
