use crate::texts::Language;

/// A result is unsure below this confidence of its best class.
const UNSURE_BELOW: f32 = 0.2;

pub(crate) fn is_unsure(confidence: f32) -> bool {
    confidence < UNSURE_BELOW
}

pub(crate) fn unsure_note(language: Language) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a percentage"
    )]
    let percent = (UNSURE_BELOW * 100.0) as u32;
    language.unsure(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_unsure_below_a_fifth() {
        for (confidence, unsure) in [(0.161, true), (0.2, false), (0.242, false)] {
            assert_eq!(is_unsure(confidence), unsure, "{confidence}");
        }
        assert_eq!(
            unsure_note(Language::English),
            "Low confidence: no class reaches 20%. Take these as guesses."
        );
    }
}
