//! Whole networks.

use imageclassifier_kernels::{
    Architecture, BuildError, Kernel, Network, Precision, Stage, Team, Workspace,
};

use crate::max_abs_difference;
use crate::random::{Random, RandomNetwork};
use crate::reference::{self, Map};

const TOLERANCE: f32 = 1e-4;

/// A network with every kind of block, on a picture with odd sides.
pub(crate) fn small() -> Architecture {
    let stage = |repeats, kernel_size, stride, expand_ratio, channels| Stage {
        repeats,
        kernel_size,
        stride,
        expand_ratio,
        channels,
    };
    Architecture {
        height: 45,
        width: 38,
        stem_channels: 12,
        stages: vec![
            stage(1, 3, 1, 1, 8),
            stage(2, 3, 2, 6, 16),
            stage(2, 5, 2, 4, 20),
            stage(3, 5, 1, 6, 24),
        ],
        head_channels: 70,
        classes: 21,
    }
}

/// Small enough for Miri: `cargo +nightly miri test tiny`.
#[test]
fn a_tiny_network_on_a_team() {
    let stage = |stride, expand_ratio, channels| Stage {
        repeats: 1,
        kernel_size: 3,
        stride,
        expand_ratio,
        channels,
    };
    let architecture = Architecture {
        height: 9,
        width: 7,
        stem_channels: 3,
        stages: vec![stage(1, 1, 3), stage(2, 2, 4)],
        head_channels: 6,
        classes: 5,
    };
    let mut random = Random::new(9);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let picture = picture(&mut random, &architecture);
    let (_, expected) = reference::network(&picture, &architecture, &weights, Precision::F32);
    for kernel in Kernel::available() {
        let network =
            Network::new(kernel, &architecture, &weights.weights()).expect("a supported network");
        let mut workspace = Workspace::for_threads(&network, 2);
        network
            .stem()
            .pad_hwc(&picture.values, workspace.picture_mut());
        let difference =
            max_abs_difference(network.run_on(&mut Team::new(2), &mut workspace), &expected);
        assert!(difference <= TOLERANCE, "{kernel}: {difference}");
    }
}

pub(crate) fn picture(random: &mut Random, architecture: &Architecture) -> Map {
    let shape = architecture.input();
    Map {
        shape,
        values: random.numbers(shape.pixels() * 3, 1.0),
    }
}

pub(crate) fn run<'a>(network: &Network, workspace: &'a mut Workspace, picture: &Map) -> &'a [f32] {
    network
        .stem()
        .pad_hwc(&picture.values, workspace.picture_mut());
    network.run(workspace)
}

#[test]
fn a_small_network_equals_the_reference() {
    let architecture = small();
    let mut random = Random::new(7);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let picture = picture(&mut random, &architecture);
    let (expected_map, expected) =
        reference::network(&picture, &architecture, &weights, Precision::F32);
    for kernel in Kernel::available() {
        let network =
            Network::new(kernel, &architecture, &weights.weights()).expect("a supported network");
        let mut workspace = Workspace::new(&network);
        let difference = max_abs_difference(run(&network, &mut workspace, &picture), &expected);
        assert!(difference <= TOLERANCE, "{kernel}: logits {difference}");
        let mut map = vec![f32::NAN; expected_map.values.len()];
        network
            .head()
            .copy_features(workspace.head_buffers(), &mut map);
        let difference = max_abs_difference(&map, &expected_map.values);
        assert!(difference <= TOLERANCE, "{kernel}: features {difference}");
    }
}

#[test]
fn kernels_agree_on_the_whole_family() {
    for architecture in [
        Architecture::lite0(),
        Architecture::lite1(),
        Architecture::lite2(),
    ] {
        let mut random = Random::new(11);
        let weights = RandomNetwork::new(&mut random, &architecture);
        let picture = picture(&mut random, &architecture);
        let logits = |kernel| {
            let network = Network::new(kernel, &architecture, &weights.weights())
                .expect("a supported network");
            run(&network, &mut Workspace::new(&network), &picture).to_vec()
        };
        let expected = logits(Kernel::Scalar);
        assert_eq!(expected.len(), 1000);
        for kernel in Kernel::available() {
            let difference = max_abs_difference(&logits(kernel), &expected);
            assert!(
                difference <= TOLERANCE,
                "{kernel}, {} pixels: {difference}",
                architecture.height
            );
        }
    }
}

#[test]
fn a_reused_workspace_gives_identical_answers() {
    let architecture = small();
    let mut random = Random::new(3);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let (first, second) = (
        picture(&mut random, &architecture),
        picture(&mut random, &architecture),
    );
    for kernel in Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available())
    {
        let network =
            Network::new(kernel, &architecture, &weights.weights()).expect("a supported network");
        let mut reused = Workspace::new(&network);
        let before = run(&network, &mut reused, &first).to_vec();
        run(&network, &mut reused, &second);
        assert_eq!(run(&network, &mut reused, &first), before, "{kernel}");
        assert_eq!(
            run(&network, &mut Workspace::new(&network), &first),
            before,
            "{kernel}"
        );
    }
}

#[test]
fn a_team_gives_identical_answers() {
    let architecture = small();
    let mut random = Random::new(5);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let picture = picture(&mut random, &architecture);
    for kernel in Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available())
    {
        let network =
            Network::new(kernel, &architecture, &weights.weights()).expect("a supported network");
        let expected = run(&network, &mut Workspace::new(&network), &picture).to_vec();
        for threads in [1, 2, 3, 7] {
            let mut team = Team::new(threads);
            let mut workspace = Workspace::for_threads(&network, threads);
            for _ in 0..3 {
                network
                    .stem()
                    .pad_hwc(&picture.values, workspace.picture_mut());
                assert_eq!(
                    network.run_on(&mut team, &mut workspace),
                    expected,
                    "{kernel}, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn kernels_have_names() {
    for kernel in Kernel::ALL {
        assert_eq!(kernel.to_string().parse(), Ok(kernel));
    }
    assert!("sse9".parse::<Kernel>().is_err());
    assert_eq!(Kernel::available().last(), Some(Kernel::Scalar));
    assert_eq!(Kernel::available().next(), Some(Kernel::detect()));
    assert_eq!(Kernel::detect().precision(), Precision::F32);
    assert!(Kernel::available().all(|kernel| kernel.precision() == Precision::F32));
}

#[test]
fn a_kernel_of_another_machine_is_refused() {
    let architecture = small();
    let weights = RandomNetwork::new(&mut Random::new(1), &architecture);
    for kernel in Kernel::ALL
        .into_iter()
        .filter(|kernel| !kernel.is_available())
    {
        let error = Network::new(kernel, &architecture, &weights.weights())
            .expect_err("no such instructions here");
        assert_eq!(error, BuildError::KernelUnavailable(kernel));
    }
}
