//! The rule for truncated and damaged files, the same for every format: the rows that can be decoded are used, and the rest
//! is white (grey in JPEGs, as libjpeg leaves it). With too small a share of the rows the image is rejected.

use crate::InvalidImage;

/// The smallest share of an image's rows that must be decodable: an eighth. Browsers show less, but the network sees
/// nothing of the top sixteenth, and it may take a white square for almost any class.
///
/// In interlaced and progressive images a row counts as soon as a coarse version of it is present.
pub(crate) const ROWS_PRESENT_MIN_SHARE: f64 = 0.125;

/// Accepts an image of whose `rows` rows `rows_present` can be decoded.
///
/// # Errors
/// [`InvalidImage::Truncated`] if these are too few.
pub(crate) fn check_rows(rows_present: u32, rows: u32) -> Result<(), InvalidImage> {
    if f64::from(rows_present) >= f64::from(rows) * ROWS_PRESENT_MIN_SHARE {
        return Ok(());
    }
    Err(InvalidImage::Truncated { rows_present, rows })
}

/// The error for an image of whose `rows` rows none can be decoded.
pub(crate) fn no_rows(rows: u32) -> InvalidImage {
    InvalidImage::Truncated {
        rows_present: 0,
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_of_the_rows_is_enough() {
        assert!(check_rows(1, 1).is_ok());
        assert!(check_rows(1, 8).is_ok());
        assert!(check_rows(50, 400).is_ok());
        for (rows_present, rows) in [(0, 1), (1, 9), (49, 400)] {
            let error = check_rows(rows_present, rows).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "the image file is truncated or damaged: only {rows_present} of its {rows} rows can be decoded; send the whole file"
                )
            );
        }
    }
}
