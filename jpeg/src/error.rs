/// Why a picture was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A valid JPEG may look like this, but this decoder does not know the feature: ask a complete one.
    #[error("the JPEG uses {0}, which this decoder does not know")]
    Unsupported(&'static str),
    /// The bytes break the standard, or end too early. Other decoders may guess what was meant; this one does not.
    #[error("the JPEG is damaged: {0}")]
    Damaged(&'static str),
    /// The caller asked for pixels that the picture does not have, or for none.
    #[error("the region does not lie within the {width} x {height} pixels of the scaled picture")]
    OutsidePicture {
        /// Columns of the scaled picture.
        width: u32,
        /// Rows of the scaled picture.
        height: u32,
    },
}
