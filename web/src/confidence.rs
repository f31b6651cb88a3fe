use imageclassifier_client::Answer;

use crate::texts::Language;

/// A result is unsure below this confidence of its best class.
const UNSURE_BELOW: f32 = 0.2;

/// How far the best class of a result can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    Sure,
    /// No class reaches a fifth.
    Unsure,
    /// The image resembles none of the model's classes.
    Unknown,
}

impl Certainty {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self::new(answer.confidence, answer.unknown)
    }

    pub(crate) fn new(confidence: f32, is_unknown: bool) -> Self {
        if is_unknown {
            Self::Unknown
        } else if confidence < UNSURE_BELOW {
            Self::Unsure
        } else {
            Self::Sure
        }
    }

    /// The doubt in a sentence, about a result whose best class is `label`.
    pub(crate) fn note(self, label: &str, confidence: f32, language: Language) -> Option<String> {
        match self {
            Self::Sure => None,
            Self::Unsure => Some(unsure_note(language)),
            Self::Unknown => Some(language.unknown_note(label, &language.percent(confidence))),
        }
    }
}

fn unsure_note(language: Language) -> String {
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
        for (confidence, certainty) in [
            (0.161, Certainty::Unsure),
            (0.2, Certainty::Sure),
            (0.242, Certainty::Sure),
        ] {
            assert_eq!(Certainty::new(confidence, false), certainty, "{confidence}");
        }
        assert_eq!(
            Certainty::Unsure
                .note("cup", 0.1, Language::English)
                .unwrap(),
            "Low confidence: no class reaches 20%. Take these as guesses."
        );
    }

    #[test]
    fn an_unknown_image_gets_its_sentence_however_confident_the_model_is() {
        for confidence in [0.1, 0.99] {
            assert_eq!(Certainty::new(confidence, true), Certainty::Unknown);
        }
        let note = |language| Certainty::Unknown.note("birch", 0.43, language).unwrap();
        assert_eq!(
            note(Language::English),
            "This resembles none of the model's classes. Closest: birch, 43.0%."
        );
        assert_eq!(
            note(Language::Russian),
            "Это не похоже ни на один класс модели. Ближе всего: birch, 43,0\u{a0}%."
        );
    }
}
