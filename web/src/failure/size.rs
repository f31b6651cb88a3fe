use crate::texts::Language;

/// What people and file managers call a megabyte when a limit says 10: 2^20 bytes.
const MEGABYTE: u64 = 1 << 20;

/// A size too large, rounded up: never shown equal to the limit that it exceeds.
pub(crate) fn rounded_up(bytes: u64, language: Language) -> String {
    megabytes(bytes.saturating_mul(10).div_ceil(MEGABYTE), language)
}

/// A limit, rounded down, so that a file of the size shown fits.
pub(crate) fn rounded_down(bytes: u64, language: Language) -> String {
    megabytes(bytes.saturating_mul(10) / MEGABYTE, language)
}

#[expect(clippy::cast_precision_loss, reason = "tenths of megabytes are small")]
fn megabytes(tenths: u64, language: Language) -> String {
    let decimals = usize::from(!tenths.is_multiple_of(10));
    let unit = language.megabytes();
    format!(
        "{} {unit}",
        language.decimal(tenths as f64 / 10.0, decimals)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        let cases = [
            (10 << 20, "10 MB", "10 MB"),
            ((10 << 20) + 1, "10.1 MB", "10 MB"),
            (13_000_000, "12.4 MB", "12.3 MB"),
            (1, "0.1 MB", "0 MB"),
            (0, "0 MB", "0 MB"),
        ];
        for (bytes, up, down) in cases {
            assert_eq!(rounded_up(bytes, Language::English), up, "{bytes}");
            assert_eq!(rounded_down(bytes, Language::English), down, "{bytes}");
        }
    }
}
