use std::borrow::Cow;
use std::collections::HashSet;

use imageclassifier_kernels::{Graph, GraphError};
use safetensors::{Dtype, View};

use crate::formats::{self, Tensors};
use crate::tensor::{ElementType, Tensor};
use crate::{Architecture, CheckpointError, Weights};

/// The tensors of a file, by name.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: Tensors<'a>,
    /// The file, if it is safetensors.
    safetensors: Option<&'a [u8]>,
}

/// What wraps a network while it is trained writes its own name before every other.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];
/// Wrappers around each other, at most.
const WRAPPERS_MAX: usize = 4;
/// Batch normalisation counts its steps; nothing reads that.
const COUNTER: &str = ".num_batches_tracked";
/// PyTorch's `AveragedModel` counts its updates, beside the network that it wraps.
const AVERAGE_COUNTER: &str = "n_averaged";
/// What safetensors use for something else.
const METADATA: &str = "__metadata__";

impl<'a> Checkpoint<'a> {
    /// Reads safetensors or what `torch.save` wrote, whichever it is.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        if formats::is_safetensors(bytes) {
            return Self::parse_safetensors(bytes);
        }
        Ok(Self {
            tensors: unwrapped(formats::parse_pytorch(bytes)?, bytes.len())?,
            safetensors: None,
        })
    }

    /// Reads safetensors, and nothing else.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse_safetensors(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        Ok(Self {
            tensors: unwrapped(formats::parse_safetensors(bytes)?, bytes.len())?,
            safetensors: Some(bytes),
        })
    }

    /// The network of this architecture for one image `[1, 3, input_size, input_size]`, with logits `[1, classes]`.
    ///
    /// # Errors
    /// [`CheckpointError::Layer`] if a tensor is missing, left over, or of another shape or type than the architecture's.
    pub fn graph(
        &self,
        architecture: Architecture,
        input_size: usize,
    ) -> Result<Graph, CheckpointError> {
        let mut weights = Taken {
            tensors: &self.tensors,
            taken: HashSet::new(),
        };
        let graph = architecture.graph(&mut weights, input_size)?;
        let taken = weights.taken;
        let mut names = self.tensors.keys();
        match names.find(|name| !taken.contains(name.as_str()) && !name.ends_with(COUNTER)) {
            None => Ok(graph),
            Some(name) => {
                let problem = format!("{} has no such layer", architecture.name());
                Err(error(name, problem).into())
            }
        }
    }

    /// The file itself if it is safetensors; otherwise the same tensors as such, each of the type that it has.
    ///
    /// # Errors
    /// If a tensor's element type is not supported, or names are too long for a file that can be read again.
    pub fn to_safetensors(&self) -> Result<Cow<'a, [u8]>, CheckpointError> {
        match self.safetensors {
            Some(file) => Ok(Cow::Borrowed(file)),
            None => self.serialize().map(Cow::Owned),
        }
    }

    fn serialize(&self) -> Result<Vec<u8>, CheckpointError> {
        let weights = (self.tensors.iter()).filter(|(name, _)| !name.ends_with(COUNTER));
        let views: Result<Vec<_>, CheckpointError> = weights
            .map(|(name, tensor)| {
                let dtype = match tensor.element_type {
                    ElementType::F16 => Dtype::F16,
                    ElementType::BF16 => Dtype::BF16,
                    ElementType::F32 => Dtype::F32,
                    ElementType::F64 => Dtype::F64,
                    ElementType::Other { .. } => return Err(unsupported_type(name).into()),
                };
                Ok((name, Stored { tensor, dtype }))
            })
            .collect();
        let views = views?;
        if views.is_empty() {
            return Err(CheckpointError::malformed("it has no weights"));
        }
        let file = safetensors::serialize(views, None);
        let file = file.map_err(|error| CheckpointError::malformed(error.to_string()))?;
        let header = file.first_chunk().map(|len| u64::from_le_bytes(*len));
        if header.is_none_or(|len| len > formats::HEADER_BYTES_MAX) {
            let problem = "the names of its tensors are longer than 4 MiB";
            return Err(CheckpointError::malformed(problem));
        }
        Ok(file)
    }
}

/// The tensors of a file of `file_len` bytes, without the names of wrappers.
fn unwrapped(mut tensors: Tensors<'_>, file_len: usize) -> Result<Tensors<'_>, CheckpointError> {
    // Tensors can share their elements. Elements that only few bytes stand for must not fill the memory.
    let all: Option<usize> = tensors
        .values()
        .try_fold(0_usize, |all, tensor| all.checked_add(tensor.bytes()));
    if all.is_none_or(|all| all > file_len) {
        let problem = "its tensors are larger than the file";
        return Err(CheckpointError::malformed(problem));
    }
    tensors.remove(AVERAGE_COUNTER);
    let before = wrapper_len(&tensors);
    let tensors = tensors.into_iter();
    let tensors: Tensors<'_> = tensors
        .map(|(name, tensor)| (name[before..].to_owned(), tensor))
        .collect();
    if tensors.contains_key(METADATA) {
        let problem = format!("a tensor has the name {METADATA}");
        return Err(CheckpointError::malformed(problem));
    }
    Ok(tensors)
}

/// How much of every name wrappers wrote.
fn wrapper_len(tensors: &Tensors<'_>) -> usize {
    let mut len = 0;
    for _ in 0..WRAPPERS_MAX {
        let wraps_all = |wrapper: &&str| {
            let mut names = tensors.keys().map(|name| &name[len..]);
            names.all(|name| name.starts_with(wrapper))
        };
        let Some(wrapper) = WRAPPERS.into_iter().find(wraps_all) else {
            break;
        };
        len += wrapper.len();
    }
    len
}

/// A tensor that is copied only while it is written.
struct Stored<'a> {
    tensor: &'a Tensor<'a>,
    dtype: Dtype,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.tensor.raw()
    }

    fn data_len(&self) -> usize {
        self.tensor.bytes()
    }
}

/// The tensors, and which of them a network has.
struct Taken<'a> {
    tensors: &'a Tensors<'a>,
    taken: HashSet<String>,
}

impl Weights for Taken<'_> {
    fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn rows(&self, name: &str) -> Option<usize> {
        self.tensors.get(name)?.shape.first().copied()
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, GraphError> {
        let tensor = self.tensors.get(name);
        let tensor = tensor
            .ok_or_else(|| error(name, format!("it is missing; its shape would be {shape:?}")))?;
        if tensor.shape != shape {
            let found = &tensor.shape;
            let problem = format!("it has the shape {found:?} instead of {shape:?}");
            return Err(error(name, problem));
        }
        self.taken.insert(name.to_owned());
        let elements = tensor.elements().ok_or_else(|| unsupported_type(name))?;
        if !elements.iter().all(|element| element.is_finite()) {
            let problem = "an element is not finite in float32";
            return Err(error(name, problem.to_owned()));
        }
        Ok(elements)
    }
}

fn unsupported_type(name: &str) -> GraphError {
    let problem = "its element type is not supported: save the weights as float32, float16, bfloat16 or float64";
    error(name, problem.to_owned())
}

fn error(name: &str, problem: String) -> GraphError {
    GraphError::new(name, problem)
}
