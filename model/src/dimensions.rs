use crate::PictureError;

/// Accepts an image of `width` x `height` pixels.
///
/// # Errors
/// [`PictureError::Dimensions`] if it has no pixels, or more than `pixels_max`.
pub(crate) fn check_dimensions(
    width: u32,
    height: u32,
    pixels_max: u64,
) -> Result<(), PictureError> {
    if (1..=pixels_max).contains(&(u64::from(width) * u64::from(height))) {
        return Ok(());
    }
    Err(PictureError::Dimensions {
        width,
        height,
        pixels_max,
    })
}
