use imageclassifier_client::{Answer, Prediction};
use leptos::prelude::{location, window};
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

use crate::confidence::Certainty;

/// The first part of a link, so that a later page can tell how to read it.
const VERSION: &str = "answer=1";
/// A part of links to results that are unknown. It has no '=', so that older pages take the link for damaged and not this for a
/// label.
const UNKNOWN: &str = "unknown";
const PREDICTIONS_MAX: usize = 5;
/// No label, name or revision is nearly as long.
const TEXT_BYTES_MAX: usize = 200;
const LINK_BYTES_MAX: usize = 4096;
/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A result in a link: labels, confidences and the model, in the fragment, which browsers do not send to servers. It holds
/// neither the image nor its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shared {
    model: String,
    model_revision: String,
    is_unknown: bool,
    /// At least one, most probable first.
    predictions: Vec<(String, f32)>,
}

/// The link was damaged in transit, or made by hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

impl Shared {
    pub(crate) fn of(answer: &Answer) -> Self {
        let predictions = answer.predictions.iter().take(PREDICTIONS_MAX);
        Self {
            model: answer.model.clone(),
            model_revision: answer.model_revision.clone(),
            is_unknown: answer.unknown,
            predictions: predictions
                .map(|prediction| (prediction.label.clone(), prediction.confidence))
                .collect(),
        }
    }

    /// Reads a fragment, without its `#`.
    pub(crate) fn read(fragment: &str) -> Result<Self, Damaged> {
        if fragment.len() > LINK_BYTES_MAX {
            return Err(Damaged);
        }
        let mut parts = fragment.split('&').peekable();
        if parts.next() != Some(VERSION) {
            return Err(Damaged);
        }
        let model = named(parts.next(), "model=")?;
        let model_revision = named(parts.next(), "revision=")?;
        let is_unknown = parts.next_if_eq(&UNKNOWN).is_some();
        let predictions = parts.map(prediction).collect::<Result<Vec<_>, _>>()?;
        let counted = (1..=PREDICTIONS_MAX).contains(&predictions.len());
        let sorted = predictions.is_sorted_by(|one, next| one.1 >= next.1);
        (counted && sorted)
            .then_some(Self {
                model,
                model_revision,
                is_unknown,
                predictions,
            })
            .ok_or(Damaged)
    }

    fn fragment(&self) -> String {
        let mut fragment = format!(
            "{VERSION}&model={}&revision={}",
            encoded(&self.model),
            encoded(&self.model_revision)
        );
        if self.is_unknown {
            fragment.push('&');
            fragment.push_str(UNKNOWN);
        }
        for (label, confidence) in &self.predictions {
            let label = encoded(label);
            fragment.push_str(&format!("&{label}={confidence:.4}"));
        }
        fragment
    }

    /// To this page, on the server that it came from.
    pub(crate) fn link(&self) -> String {
        let origin = location().origin().unwrap_or_default();
        format!("{origin}/#{}", self.fragment())
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    pub(crate) fn model_revision(&self) -> &str {
        &self.model_revision
    }

    pub(crate) fn label(&self) -> &str {
        &self.predictions[0].0
    }

    pub(crate) fn confidence(&self) -> f32 {
        self.predictions[0].1
    }

    pub(crate) fn certainty(&self) -> Certainty {
        Certainty::new(self.confidence(), self.is_unknown)
    }

    /// Their indices are positions in the list, since a link holds no class indices.
    pub(crate) fn predictions(&self) -> Vec<Prediction> {
        let numbered = (0..).zip(&self.predictions);
        numbered
            .map(|(index, (label, confidence))| Prediction {
                label: label.clone(),
                confidence: *confidence,
                index,
                heatmap: None,
            })
            .collect()
    }
}

/// The result in the page's address, if there is one.
pub(crate) fn in_address() -> Option<Result<Shared, Damaged>> {
    let fragment = location().hash().ok()?;
    let fragment = fragment.strip_prefix('#').filter(|rest| !rest.is_empty())?;
    Some(Shared::read(fragment))
}

/// Removes the shared result from the address. Nothing is reloaded, and the page is notified of the change.
pub(crate) fn leave() {
    // It can fail only where scripts may not navigate at all, and then nothing is lost.
    let _ = location().set_hash("");
}

/// As [`leave`], without a notification: something else is shown now.
pub(crate) fn forget() {
    if in_address().is_some()
        && let Ok(history) = window().history()
        && let Ok(path) = location().pathname()
    {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path));
    }
}

fn named(part: Option<&str>, name: &str) -> Result<String, Damaged> {
    text(
        part.and_then(|part| part.strip_prefix(name))
            .ok_or(Damaged)?,
    )
}

fn prediction(part: &str) -> Result<(String, f32), Damaged> {
    let (label, confidence) = part.split_once('=').ok_or(Damaged)?;
    Ok((text(label)?, fraction(confidence).ok_or(Damaged)?))
}

/// A number from 0 to 1 with one to six decimals; links have four. The standard library's parser for floating-point numbers
/// would add more than 10 kB to the compressed page, mostly tables.
fn fraction(text: &str) -> Option<f32> {
    let (whole, decimals) = text.split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=6).contains(&decimals.len()) || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let scale = 10_u32.pow(u32::try_from(decimals.len()).ok()?);
    let parts = whole.parse::<u32>().ok()?.checked_mul(scale)?;
    let parts = parts.checked_add(decimals.parse().ok()?)?;
    // Both are below 2^24, so the quotient is the nearest f32.
    (parts <= scale).then(|| parts as f32 / scale as f32)
}

fn text(encoded: &str) -> Result<String, Damaged> {
    if !is_well_formed(encoded) {
        return Err(Damaged);
    }
    let text = percent_decode_str(encoded).decode_utf8();
    let text = text.map_err(|_| Damaged)?.into_owned();
    let sound = !text.trim().is_empty()
        && text.len() <= TEXT_BYTES_MAX
        && !text.chars().any(char::is_control);
    sound.then_some(text).ok_or(Damaged)
}

fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Whether two hexadecimal digits follow each `%`: decoders let others stand as they are.
fn is_well_formed(encoded: &str) -> bool {
    let mut codes = encoded.split('%').skip(1);
    codes.all(|code| {
        let digits = code.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared {
            model: "efficientnet-lite0".to_owned(),
            model_revision: "1a2b".to_owned(),
            is_unknown: false,
            predictions: vec![
                ("jack-o'-lantern".to_owned(), 0.5123),
                ("café & co=1, 2".to_owned(), 0.25),
            ],
        }
    }

    #[test]
    fn a_link_holds_what_was_shared() {
        let fragment = shared().fragment();
        assert_eq!(
            fragment,
            "answer=1&model=efficientnet-lite0&revision=1a2b&jack-o%27-lantern=0.5123&caf%C3%A9%20%26%20co%3D1%2C%202=0.2500"
        );
        assert_eq!(Shared::read(&fragment), Ok(shared()));
    }

    #[test]
    fn a_link_says_that_a_result_is_unknown() {
        let answer = Answer {
            model: "trees".to_owned(),
            model_revision: "r".to_owned(),
            predictions: vec![Prediction {
                label: "unknown".to_owned(),
                confidence: 0.9,
                ..Prediction::default()
            }],
            unknown: true,
            ..Answer::default()
        };
        let shared = Shared::of(&answer);
        assert_eq!(
            shared.fragment(),
            "answer=1&model=trees&revision=r&unknown&unknown=0.9000"
        );
        assert_eq!(Shared::read(&shared.fragment()), Ok(shared.clone()));
        assert_eq!(shared.certainty(), Certainty::Unknown);
        assert_eq!(shared.label(), "unknown");
    }

    #[test]
    fn a_link_holds_five_classes_and_no_more() {
        let prediction = Prediction {
            label: "cup".to_owned(),
            confidence: 0.1,
            ..Prediction::default()
        };
        let answer = Answer {
            model: "m".to_owned(),
            model_revision: "r".to_owned(),
            predictions: vec![prediction; 20],
            ..Answer::default()
        };
        let fragment = Shared::of(&answer).fragment();
        assert_eq!(Shared::read(&fragment).unwrap().predictions().len(), 5);
        assert_eq!(Shared::read(&format!("{fragment}&cup=0.1")), Err(Damaged));
    }

    #[test]
    fn reads_every_confidence_exactly() {
        for parts in 0..=10_000_u16 {
            let confidence = f32::from(parts) / 10_000.0;
            let written = format!("{confidence:.4}");
            assert_eq!(fraction(&written), written.parse().ok(), "{written}");
        }
        assert_eq!(fraction("0.5"), Some(0.5));
        assert_eq!(fraction("0.999999"), Some(0.999_999));
    }

    #[test]
    fn a_damaged_link_is_an_error() {
        let long = format!("answer=1&model=m&revision=r&{}=0.5", "a".repeat(201));
        for fragment in [
            "",
            "answer=1",
            "answer=2&model=m&revision=r&cup=0.5",
            "answer=1&model=m&revision=r",
            "answer=1&model=m&cup=0.5",
            "answer=1&model=&revision=r&cup=0.5",
            "answer=1&model=m&revision=r&cup",
            "answer=1&model=m&revision=r&unknown",
            "answer=1&model=m&revision=r&unknown&unknown&cup=0.5",
            "answer=1&model=m&revision=r&cup=0.5&unknown",
            "answer=1&model=m&revision=r&cup=",
            "answer=1&model=m&revision=r&cup=1.5",
            "answer=1&model=m&revision=r&cup=1",
            "answer=1&model=m&revision=r&cup=.5",
            "answer=1&model=m&revision=r&cup=+0.5",
            "answer=1&model=m&revision=r&cup=0.+5",
            "answer=1&model=m&revision=r&cup=0.1234567",
            "answer=1&model=m&revision=r&cup=4294967296.0",
            "answer=1&model=m&revision=r&cup=-0.5",
            "answer=1&model=m&revision=r&cup=NaN",
            "answer=1&model=m&revision=r&cup=0.5&",
            "answer=1&model=m&revision=r&=0.5",
            "answer=1&model=m&revision=r&%20=0.5",
            "answer=1&model=m&revision=r&cup%=0.5",
            "answer=1&model=m&revision=r&cup%4=0.5",
            "answer=1&model=m&revision=r&cup%+1=0.5",
            "answer=1&model=m&revision=r&cup%\u{e9}1=0.5",
            "answer=1&model=m&revision=r&cup%C3=0.5",
            "answer=1&model=m&revision=r&cup%0A=0.5",
            "answer=1&model=m&revision=r&%FF=0.5",
            "answer=1&model=m&revision=r&cup=0.1&mug=0.5",
            &long,
        ] {
            assert_eq!(Shared::read(fragment), Err(Damaged), "{fragment}");
        }
    }
}
