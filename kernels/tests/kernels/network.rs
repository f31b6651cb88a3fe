//! Whole networks.

use imageclassifier_kernels::{
    Architecture, BuildError, Isa, Network, Precision, ThreadTeam, Workspace,
};

use crate::max_abs_difference;
use crate::networks::{large, small, tiny};
use crate::random::{Random, RandomNetwork};
use crate::reference::{self, Map};

const TOLERANCE: f32 = 1e-4;

/// Small enough for Miri: `cargo +nightly miri test tiny`.
#[test]
fn a_tiny_network_on_a_team_equals_the_reference() {
    let architecture = tiny();
    let mut random = Random::new(9);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let image = image(&mut random, &architecture);
    let (_, expected) = reference::network(&image, &architecture, &weights, Precision::F32);
    for isa in Isa::available() {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let mut workspace = network.workspace();
        network.stem().pad_hwc(&image.values, workspace.image_mut());
        let difference = max_abs_difference(
            network.run_on(&mut ThreadTeam::new(2), &mut workspace),
            &expected,
        );
        assert!(difference <= TOLERANCE, "{isa}: {difference}");
    }
}

pub(crate) fn image(random: &mut Random, architecture: &Architecture) -> Map {
    let shape = architecture.input();
    Map {
        shape,
        values: random.values(shape.pixels() * 3, 1.0),
    }
}

pub(crate) fn run<'a>(network: &Network, workspace: &'a mut Workspace, image: &Map) -> &'a [f32] {
    network.stem().pad_hwc(&image.values, workspace.image_mut());
    network.run(workspace)
}

#[test]
fn a_small_network_equals_the_reference() {
    let architecture = small();
    let mut random = Random::new(7);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let image = image(&mut random, &architecture);
    let (expected_map, expected) =
        reference::network(&image, &architecture, &weights, Precision::F32);
    for isa in Isa::available() {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let mut workspace = network.workspace();
        let difference = max_abs_difference(run(&network, &mut workspace, &image), &expected);
        assert!(difference <= TOLERANCE, "{isa}: logits {difference}");
        let mut map = vec![f32::NAN; expected_map.values.len()];
        network
            .head()
            .copy_features(workspace.head_buffers(), &mut map);
        let difference = max_abs_difference(&map, &expected_map.values);
        assert!(difference <= TOLERANCE, "{isa}: features {difference}");
    }
}

#[test]
fn instruction_sets_agree_on_large_networks() {
    for architecture in large() {
        let mut random = Random::new(11);
        let weights = RandomNetwork::new(&mut random, &architecture);
        let image = image(&mut random, &architecture);
        let logits = |isa| {
            let network =
                Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
            run(&network, &mut network.workspace(), &image).to_vec()
        };
        let expected = logits(Isa::Scalar);
        assert_eq!(expected.len(), 1000);
        for isa in Isa::available() {
            let difference = max_abs_difference(&logits(isa), &expected);
            assert!(
                difference <= TOLERANCE,
                "{isa}, {} pixels: {difference}",
                architecture.input().height()
            );
        }
    }
}

#[test]
fn a_reused_workspace_gives_identical_results() {
    let architecture = small();
    let mut random = Random::new(3);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let (first, second) = (
        image(&mut random, &architecture),
        image(&mut random, &architecture),
    );
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let mut reused = network.workspace();
        let before = run(&network, &mut reused, &first).to_vec();
        run(&network, &mut reused, &second);
        assert_eq!(run(&network, &mut reused, &first), before, "{isa}");
        assert_eq!(
            run(&network, &mut network.workspace(), &first),
            before,
            "{isa}"
        );
    }
}

#[test]
fn a_team_gives_identical_results() {
    let architecture = small();
    let mut random = Random::new(5);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let image = image(&mut random, &architecture);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let expected = run(&network, &mut network.workspace(), &image).to_vec();
        for threads in [1, 2, 3, 7] {
            let mut team = ThreadTeam::new(threads);
            let mut workspace = network.workspace();
            for _ in 0..3 {
                network.stem().pad_hwc(&image.values, workspace.image_mut());
                assert_eq!(
                    network.run_on(&mut team, &mut workspace),
                    expected,
                    "{isa}, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn instruction_sets_have_names() {
    for isa in Isa::ALL {
        assert_eq!(isa.to_string().parse(), Ok(isa));
    }
    assert!("sse9".parse::<Isa>().is_err());
    assert_eq!(Isa::available().last(), Some(Isa::Scalar));
    assert_eq!(Isa::available().next(), Some(Isa::detect()));
    assert_eq!(Isa::detect().precision(), Precision::F32);
    assert!(Isa::available().all(|isa| isa.precision() == Precision::F32));
}

#[test]
fn rejects_instruction_sets_of_other_machines() {
    let architecture = small();
    let weights = RandomNetwork::new(&mut Random::new(1), &architecture);
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
        let error = Network::new(isa, &architecture, &weights.weights())
            .expect_err("no such instructions here");
        assert_eq!(error, BuildError::IsaUnavailable(isa));
    }
}
