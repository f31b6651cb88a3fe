//! The operations. Inputs and outputs are row-major in the order of axes that ONNX has: images are `[1, channels, height,
//! width]`.

/// An operation; what it reads is listed by its node.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Map `[1, in, height, width]`, weight `[out, in / groups, kernel height, kernel width]`, then bias `[out]` and residual
    /// (as the output) where [`Conv`] says so.
    Conv(Conv),
    /// Map `[1, channels, height, width]`.
    Pool(Pool),
    /// Any shape; the axes that are reduced keep the length 1.
    Reduce {
        /// How.
        reduction: Reduction,
        /// Which, in ascending order.
        axes: Vec<usize>,
    },
    /// `[…, m, k]` and `[…, k, n]`; the axes before broadcast.
    MatMul,
    /// Rows `[…, k]`, weight `[n, k]`, or `[k, n]` if it is transposed, then bias `[n]` and residual where it says so.
    Linear {
        /// Whether the weight is `[k, n]`.
        transposed: bool,
        /// Whether there is a bias.
        bias: bool,
        /// Whether something of the output's shape is added, before the activation.
        residual: bool,
        /// Applied last.
        activation: Option<Unary>,
    },
    /// Two values whose axes broadcast.
    Binary(Binary),
    /// Each element by itself.
    Unary(Unary),
    /// Exponentials along an axis, scaled so that they add up to 1.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// Normalised to mean 0 and variance 1 over all axes from `axis` on, then scale and bias of those axes' shape where
    /// there are any.
    LayerNorm {
        /// The first axis.
        axis: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// The same elements in the same order.
    Reshape(Vec<usize>),
    /// Output axis `i` is input axis `permutation[i]`.
    Transpose(Vec<usize>),
    /// One value after the other along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// A part of each axis.
    Slice(Vec<SliceAxis>),
    /// Elements around a value.
    Pad {
        /// Before each axis.
        before: Vec<usize>,
        /// After each axis.
        after: Vec<usize>,
        /// What they are.
        value: f32,
    },
    /// Some entries of an axis, in any order.
    Gather {
        /// The axis.
        axis: usize,
        /// Which entries.
        indices: Vec<usize>,
    },
    /// Repeats axes of length 1.
    Expand(Vec<usize>),
}

/// A convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Where it reads.
    pub window: Window,
    /// Groups of channels that do not mix.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
    /// Whether something of the output's shape is added, before the activation.
    pub residual: bool,
    /// Applied last.
    pub activation: Option<Unary>,
}

/// A pooling.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Where it reads.
    pub window: Window,
    /// How.
    pub pooling: Pooling,
}

/// How a pooling makes one number of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest.
    Max,
    /// The mean, with or without the padding.
    Average {
        /// Whether the padding's zeros count.
        count_padding: bool,
    },
}

/// How axes are reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// Their maximum.
    Max,
}

/// Kernel and steps along height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Sides of the kernel.
    pub kernel: [usize; 2],
    /// From one output pixel to the next.
    pub stride: [usize; 2],
    /// From one tap to the next.
    pub dilation: [usize; 2],
    /// Padding above and to the left.
    pub pad_begin: [usize; 2],
    /// Padding below and to the right.
    pub pad_end: [usize; 2],
}

impl Window {
    /// Whether every output pixel reads the input pixel at its place, and no other.
    pub(crate) fn is_pointwise(&self) -> bool {
        [self.kernel, self.stride] == [[1, 1]; 2] && [self.pad_begin, self.pad_end] == [[0, 0]; 2]
    }
}

/// A part of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceAxis {
    /// The first entry.
    pub start: usize,
    /// From one to the next, which may be negative.
    pub step: isize,
    /// How many.
    pub len: usize,
}

/// An operation on two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a * b
    Mul,
    /// a / b
    Div,
    /// a to the power of b
    Pow,
    /// The smaller.
    Min,
    /// The larger.
    Max,
    /// 1 where they are equal, or 0.
    Equal,
}

/// An operation on one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// Limits to a range; ReLU is 0 to infinity.
    Clamp(f32, f32),
    /// `x` where positive, `alpha * x` elsewhere.
    LeakyRelu(f32),
    /// `x` where positive, `alpha * (exp(x) - 1)` elsewhere.
    Elu(f32),
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `clamp(alpha * x + beta, 0, 1)`
    HardSigmoid(f32, f32),
    /// `x * clamp(x / 6 + 1 / 2, 0, 1)`
    HardSwish,
    /// `x * sigmoid(x)`
    Silu,
    /// `x * (1 + erf(x / sqrt(2))) / 2`
    Gelu,
    /// GELU by a hyperbolic tangent.
    GeluTanh,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// The exponential.
    Exp,
    /// The natural logarithm.
    Log,
    /// The square root.
    Sqrt,
    /// `1 / x`
    Reciprocal,
    /// `-x`
    Negate,
    /// The magnitude.
    Abs,
    /// The next whole number below.
    Floor,
    /// Towards 0, to a whole number.
    Truncate,
}

impl Unary {
    /// ReLU.
    pub const RELU: Self = Self::Clamp(0.0, f32::INFINITY);

    /// Its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clamp(0.0, f32::INFINITY) => "relu",
            Self::Clamp(0.0, 6.0) => "relu6",
            Self::Clamp(..) => "clamp",
            Self::LeakyRelu(_) => "leaky-relu",
            Self::Elu(_) => "elu",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid(..) => "hard-sigmoid",
            Self::HardSwish => "hard-swish",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu-tanh",
            Self::Tanh => "tanh",
            Self::Erf => "erf",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Reciprocal => "reciprocal",
            Self::Negate => "negate",
            Self::Abs => "abs",
            Self::Floor => "floor",
            Self::Truncate => "truncate",
        }
    }
}

impl Op {
    /// The operation in words, with what is fused into it.
    #[must_use]
    pub fn describe(&self) -> String {
        let with = |name: String, residual: bool, activation: Option<Unary>| {
            let residual = if residual { " + residual" } else { "" };
            let activation = activation.map_or(String::new(), |it| format!(" + {}", it.name()));
            format!("{name}{residual}{activation}")
        };
        match self {
            Self::Conv(conv) => {
                let [height, width] = conv.window.kernel;
                let stride = conv.window.stride[0];
                let groups = match conv.groups {
                    1 => String::new(),
                    groups => format!(" / {groups} groups"),
                };
                let name = format!("conv {height}x{width} s{stride}{groups}");
                with(name, conv.residual, conv.activation)
            }
            Self::Linear {
                residual,
                activation,
                ..
            } => with("linear".to_owned(), *residual, *activation),
            Self::Pool(pool) => {
                let [height, width] = pool.window.kernel;
                match pool.pooling {
                    Pooling::Max => format!("max pool {height}x{width}"),
                    Pooling::Average { .. } => format!("average pool {height}x{width}"),
                }
            }
            Self::Reduce { reduction, axes } => {
                format!("{reduction:?} of axes {axes:?}").to_lowercase()
            }
            Self::MatMul => "matmul".to_owned(),
            Self::Binary(binary) => format!("{binary:?}").to_lowercase(),
            Self::Unary(unary) => unary.name().to_owned(),
            Self::Softmax { .. } => "softmax".to_owned(),
            Self::LayerNorm { .. } => "layer norm".to_owned(),
            Self::Reshape(_) => "reshape".to_owned(),
            Self::Transpose(_) => "transpose".to_owned(),
            Self::Concat { .. } => "concat".to_owned(),
            Self::Slice(_) => "slice".to_owned(),
            Self::Pad { .. } => "pad".to_owned(),
            Self::Gather { .. } => "gather".to_owned(),
            Self::Expand(_) => "expand".to_owned(),
        }
    }
}
