//! The one rule for files that end too early, whatever their format: what is there is used, and the rest has the value
//! that the format's reference decoder leaves there, as long as enough rows are present.

/// Share of an image's rows that a truncated file must hold, 0 to 1.
///
/// Browsers show a JPEG that was cut after a fifth of its bytes; it still holds about a sixth of its rows. The network
/// sees the centred square, which leaves out another sixteenth of the shorter side at either end: below an eighth, it
/// would see hardly anything but the filling, and answer with a class that the image does not show.
pub(crate) const ROWS_PRESENT_MIN_SHARE: f64 = 0.125;

/// Whether `rows_present` of `height` rows are enough to classify a truncated image.
pub(crate) fn has_enough_rows(rows_present: u32, height: u32) -> bool {
    f64::from(rows_present) >= ROWS_PRESENT_MIN_SHARE * f64::from(height)
}

#[cfg(test)]
mod tests {
    use super::has_enough_rows;

    #[test]
    fn an_eighth_of_the_rows_is_enough() {
        assert!(has_enough_rows(1, 8));
        assert!(has_enough_rows(38, 300));
        assert!(!has_enough_rows(37, 300));
        assert!(!has_enough_rows(0, 1));
    }
}
