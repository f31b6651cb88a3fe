//! Our kernels as a WebAssembly module: memory to write the weights file and an image into, and a run.

use imageclassifier_kernels::{
    Architecture, BlockWeights, FoldedConv, Isa, Network, NetworkWeights, Stage, Workspace,
};
use safetensors::SafeTensors;

/// Side of the input image, in pixels.
const SIDE: usize = 224;
/// EfficientNet-Lite0's stages: repeats, kernel size, stride, expand ratio, channels. `model` has the table for the whole
/// family, but it also has burn, which this module must not contain.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];

/// A network, its buffers, and where its caller writes images and reads logits.
pub struct Engine {
    network: Network,
    workspace: Workspace,
    /// `[channel, height, width]`.
    image: Vec<f32>,
    logits: Vec<f32>,
}

/// The layers of a weights file, by name.
struct Layers(Vec<(String, Vec<f32>)>);

impl Layers {
    fn read(file: &[u8]) -> Self {
        let tensors = SafeTensors::deserialize(file).expect("a safetensors file");
        let numbers = |bytes: &[u8]| {
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect()
        };
        let tensors = tensors
            .iter()
            .map(|(name, tensor)| (name.to_owned(), numbers(tensor.data())));
        Self(tensors.collect())
    }

    fn find(&self, name: &str) -> Option<&[f32]> {
        let (_, values) = self.0.iter().find(|(found, _)| found == name)?;
        Some(values)
    }

    fn layer(&self, name: &str) -> Option<FoldedConv<'_>> {
        Some(FoldedConv {
            weight: self.find(&format!("{name}.weight"))?,
            bias: self.find(&format!("{name}.bias"))?,
        })
    }

    fn weights(&self, blocks: usize) -> Option<NetworkWeights<'_>> {
        let block = |index| {
            Some(BlockWeights {
                expand_conv: self.layer(&format!("blocks.{index}.expand_conv")),
                depthwise_conv: self.layer(&format!("blocks.{index}.depthwise_conv"))?,
                project_conv: self.layer(&format!("blocks.{index}.project_conv"))?,
            })
        };
        Some(NetworkWeights {
            conv_stem: self.layer("conv_stem")?,
            blocks: (0..blocks).map(block).collect::<Option<_>>()?,
            conv_head: self.layer("conv_head")?,
            fc: self.layer("fc")?,
        })
    }
}

fn lite0() -> Architecture {
    let stages = STAGES.map(
        |(repeats, kernel_size, stride, expand_ratio, channels)| Stage {
            repeats,
            kernel_size,
            stride,
            expand_ratio,
            channels,
        },
    );
    Architecture::new((SIDE, SIDE), 32, &stages, 1280, 1000).expect("a supported architecture")
}

/// Memory for `len` bytes, for as long as the module lives.
#[unsafe(no_mangle)]
pub extern "C" fn bytes_new(len: usize) -> *mut u8 {
    Box::leak(vec![0; len].into_boxed_slice()).as_mut_ptr()
}

/// The network of a weights file.
///
/// # Safety
/// `file` comes from [`bytes_new`] of the same `len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_new(file: *const u8, len: usize) -> *mut Engine {
    // SAFETY: the caller's promise.
    let layers = Layers::read(unsafe { std::slice::from_raw_parts(file, len) });
    let architecture = lite0();
    let weights = layers
        .weights(architecture.blocks().len())
        .expect("every layer");
    let network = Network::new(Isa::Simd128, &architecture, &weights).expect("built with simd128");
    Box::into_raw(Box::new(Engine {
        workspace: network.workspace(),
        network,
        image: vec![0.0; 3 * SIDE * SIDE],
        logits: vec![0.0; architecture.classes()],
    }))
}

/// Where to write the image.
///
/// # Safety
/// `engine` comes from [`engine_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_image(engine: *mut Engine) -> *mut f32 {
    // SAFETY: the caller's promise.
    unsafe { &mut *engine }.image.as_mut_ptr()
}

/// Runs the network on the image. Returns where the logits are.
///
/// # Safety
/// `engine` comes from [`engine_new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_run(engine: *mut Engine) -> *const f32 {
    // SAFETY: the caller's promise.
    let engine = unsafe { &mut *engine };
    let Engine {
        network,
        workspace,
        image,
        logits,
    } = engine;
    network.stem().pad_chw(image, workspace.image_mut());
    logits.copy_from_slice(network.run(workspace));
    logits.as_ptr()
}
