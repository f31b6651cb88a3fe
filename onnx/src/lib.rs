//! From the bytes of an ONNX file to a [`Graph`]. Knows no files: what a model keeps in other files, the caller reads.
//!
//! ONNX is protobuf; [`Model::parse`] reads the part of it that classifiers use, without copying a weight. Files may be
//! hostile: lengths, counts and shapes are checked, and errors name the layer. [`Model::graph`] resolves names, attributes
//! and opsets; shapes that are computed inside the graph become constants on the way.
#![forbid(unsafe_code)]

mod context;
mod error;
mod external;
mod importer;
mod operators;
mod proto;
mod tensor;
mod wire;

pub use error::OnnxError;
pub use external::inline_external_data;
pub use importer::Network;
pub use proto::Model;

use imageclassifier_kernels::Graph;

impl Model<'_> {
    /// The network as a graph for one image `[1, 3, height, width]`. `input_size` is for files that leave the sides open.
    ///
    /// # Errors
    /// [`OnnxError::Layer`] for what is not supported or does not fit; [`OnnxError::Malformed`].
    pub fn network(&self, input_size: Option<usize>) -> Result<Network, OnnxError> {
        importer::import(self, input_size)
    }

    /// As [`network`](Self::network), only the graph.
    ///
    /// # Errors
    /// As [`network`](Self::network).
    pub fn graph(&self, input_size: Option<usize>) -> Result<Graph, OnnxError> {
        self.network(input_size).map(|network| network.graph)
    }
}
