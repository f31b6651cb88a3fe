use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use imageclassifier_kernels::{Graph, GraphError};
use safetensors::{Dtype, View};

use crate::tensor::{ElementType, Tensor};
use crate::{Architecture, CheckpointError, Weights, formats};

/// The tensors of a file, by name.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: BTreeMap<String, Tensor<'a>>,
    /// The file, if it is safetensors.
    safetensors: Option<&'a [u8]>,
}

/// What wraps a network while it is trained writes its own name before every other.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];
/// Wrappers around each other, at most.
const WRAPPERS_MAX: usize = 4;
/// Batch normalisation counts its steps; nothing reads that.
const COUNTER: &str = ".num_batches_tracked";
/// What safetensors use for something else.
const METADATA: &str = "__metadata__";

impl<'a> Checkpoint<'a> {
    /// Reads safetensors or what `torch.save` wrote, whichever it is.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let tensors = formats::parse(bytes)?;
        // Tensors can share their elements. Elements that only few bytes stand for must not fill the memory.
        let all: Option<usize> = tensors
            .iter()
            .try_fold(0_usize, |all, (_, tensor)| all.checked_add(tensor.bytes()));
        if all.is_none_or(|all| all > bytes.len()) {
            let problem = "its tensors are larger than the file";
            return Err(CheckpointError::malformed(problem));
        }
        let before = wrapper_len(&tensors);
        if tensors.iter().any(|(name, _)| &name[before..] == METADATA) {
            let problem = format!("a tensor has the name {METADATA}");
            return Err(CheckpointError::malformed(problem));
        }
        let tensors = tensors.into_iter();
        let tensors = tensors.map(|(name, tensor)| (name[before..].to_owned(), tensor));
        Ok(Self {
            tensors: tensors.collect(),
            safetensors: formats::is_safetensors(bytes).then_some(bytes),
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
    /// If the elements of a tensor are not floating-point numbers.
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
                    ElementType::Other { .. } => return Err(not_float(name).into()),
                };
                Ok((name, Stored { tensor, dtype }))
            })
            .collect();
        Ok(safetensors::serialize(views?, None).expect("plain data"))
    }
}

/// How much of every name wrappers wrote.
fn wrapper_len(tensors: &[(String, Tensor<'_>)]) -> usize {
    let mut len = 0;
    for _ in 0..WRAPPERS_MAX {
        let wraps_all = |wrapper: &&str| {
            let mut names = tensors.iter().map(|(name, _)| &name[len..]);
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
    tensors: &'a BTreeMap<String, Tensor<'a>>,
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
        tensor.elements().ok_or_else(|| not_float(name))
    }
}

fn not_float(name: &str) -> GraphError {
    let problem = "its elements are no floating-point numbers: save the weights in float32";
    error(name, problem.to_owned())
}

fn error(name: &str, problem: String) -> GraphError {
    GraphError::new(name, problem)
}
