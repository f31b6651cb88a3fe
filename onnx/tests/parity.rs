//! Every operator and a network of each family, against onnxruntime's results in the files' metadata.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use imageclassifier_kernels::{Graph, Isa, Program, ThreadTeam};
use imageclassifier_onnx::Model;

/// A file of `fixtures.py`.
struct Fixture {
    name: String,
    bytes: Vec<u8>,
    expected: Vec<f32>,
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = fs::read_dir(folder).unwrap();
    let mut fixtures: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let model = Model::parse(&bytes).unwrap();
            let expected = model
                .metadata()
                .iter()
                .find(|(key, _)| *key == "expected")
                .unwrap()
                .1;
            let expected = expected.split(' ').map(|x| x.parse().unwrap()).collect();
            Fixture {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                bytes,
                expected,
            }
        })
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(fixtures.len() > 60, "{} files", fixtures.len());
    fixtures
}

impl Fixture {
    fn graph(&self) -> Graph {
        let model = Model::parse(&self.bytes).unwrap();
        model
            .graph(None)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn check(&self, found: &[f32], how: &str) {
        assert_eq!(found.len(), self.expected.len(), "{} {how}", self.name);
        let largest = self
            .expected
            .iter()
            .fold(1.0_f32, |largest, x| largest.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(&self.expected).enumerate() {
            assert!(
                (found - expected).abs() <= 2e-5 * largest,
                "{} {how}: element {i} is {found} instead of {expected}",
                self.name
            );
        }
    }
}

/// As `fixtures.py` makes it.
fn input(graph: &Graph) -> Vec<f32> {
    let elements: usize = graph.input_shape().iter().product();
    let element = |i: usize| f32::from(u16::try_from(i * 7919 % 1000).unwrap()) / 500.0 - 1.0;
    (0..elements).map(element).collect()
}

#[test]
fn plain_loops_agree_with_onnxruntime() {
    for fixture in fixtures() {
        let graph = fixture.graph();
        fixture.check(&graph.run(&input(&graph)), "as imported");
    }
}

#[test]
fn fusing_changes_no_result() {
    for fixture in fixtures() {
        let graph = fixture.graph().fused();
        fixture.check(&graph.run(&input(&graph)), "fused");
    }
}

#[test]
fn fusing_leaves_only_products_of_the_families() {
    for (name, operations) in [
        (
            "residual",
            vec![
                "conv 3x3 s2 + relu",
                "conv 3x3 s1 + relu",
                "conv 3x3 s1 + residual + relu",
            ],
        ),
        ("silu", vec!["conv 3x3 s1 + silu", "reshape"]),
        ("gelu_written_out", vec!["conv 3x3 s1 + gelu", "reshape"]),
        (
            "hard_swish_written_out",
            vec!["conv 3x3 s1 + hard-swish", "reshape"],
        ),
        (
            "layer_norm_written_out",
            vec!["conv 3x3 s1", "transpose", "layer norm", "reshape"],
        ),
    ] {
        let fixture = fixtures().into_iter().find(|it| it.name == name).unwrap();
        let graph = fixture.graph().fused();
        let found: Vec<_> = graph.layers().map(|layer| layer.operation).collect();
        assert!(
            found.starts_with(
                &operations
                    .iter()
                    .map(|it| (*it).to_owned())
                    .collect::<Vec<_>>()
            ),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn programs_of_every_instruction_set_agree_with_onnxruntime() {
    for fixture in fixtures() {
        let graph = fixture.graph();
        let input = input(&graph);
        for isa in Isa::available() {
            let program = Program::new(isa, graph.clone()).unwrap();
            let mut buffers = program.buffers();
            for threads in [1, 3] {
                let mut team = ThreadTeam::new(threads);
                // The second run finds what the first left in the buffers.
                for run in 0..2 {
                    let output = program.run(&mut team, &mut buffers, &input);
                    fixture.check(output, &format!("on {isa}, {threads} threads, run {run}"));
                }
            }
        }
    }
}
