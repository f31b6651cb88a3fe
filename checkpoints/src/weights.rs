use imageclassifier_kernels::GraphError;

/// Where the tensors of a network come from.
pub trait Weights {
    /// Whether there is a tensor of this name.
    fn contains(&self, name: &str) -> bool;

    /// Length of a tensor's first axis.
    fn rows(&self, name: &str) -> Option<usize>;

    /// The tensor's elements, row-major.
    ///
    /// # Errors
    /// If the name is missing, or its tensor has another shape.
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, GraphError>;
}
