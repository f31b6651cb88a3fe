/// Why an image was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The image may be valid, but it uses a feature that this decoder lacks.
    #[error("this JPEG uses {0}; save it again as a baseline or progressive JPEG")]
    Unsupported(&'static str),
    /// The bytes break the standard in a way that leaves nothing to show.
    #[error("this JPEG is damaged: {0}; send the original file or save it again")]
    Damaged(&'static str),
    /// The caller requested pixels that the image does not have, or none at all.
    #[error("the region does not lie within the {width} x {height} pixels of the scaled image")]
    OutsideImage {
        /// Columns of the scaled image.
        width: u32,
        /// Rows of the scaled image.
        height: u32,
    },
}
