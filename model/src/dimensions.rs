use crate::InvalidImage;

/// Accepts an image of `width` x `height` pixels.
///
/// # Errors
/// [`InvalidImage::Dimensions`] if it has no pixels, or more than `pixels_max`.
pub(crate) fn check_dimensions(
    width: u32,
    height: u32,
    pixels_max: u64,
) -> Result<(), InvalidImage> {
    if (1..=pixels_max).contains(&(u64::from(width) * u64::from(height))) {
        return Ok(());
    }
    Err(InvalidImage::Dimensions {
        width,
        height,
        pixels_max,
    })
}
