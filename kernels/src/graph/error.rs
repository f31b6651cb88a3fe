use std::fmt;

/// A graph cannot be made from what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// The layer, as the file calls it; empty if it is about the graph as a whole.
    pub layer: String,
    /// What is wrong, in words.
    pub problem: String,
}

impl GraphError {
    /// About one layer.
    #[must_use]
    pub fn new(layer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            layer: layer.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.layer.is_empty() {
            return f.write_str(&self.problem);
        }
        let name: String = self.layer.chars().take(100).collect();
        write!(f, "layer {name:?}: {}", self.problem)
    }
}

impl std::error::Error for GraphError {}
