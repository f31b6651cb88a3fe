use imageclassifier_client::{Answer, Prediction, Timings};
use leptos::prelude::*;

use crate::{language, texts::Language};

/// Below this confidence of the best class the page says that it is not sure.
const UNSURE_BELOW: f32 = 0.2;

/// The most probable classes, each on the same scale from 0 to 100, and where the time went.
#[component]
pub(crate) fn AnswerCard(answer: Answer, took_ms: f64) -> impl IntoView {
    let unsure = is_unsure(&answer);
    let language = language::spoken();
    let eyebrow = move || {
        let language = language.get();
        if unsure {
            language.perhaps()
        } else {
            language.looks_like()
        }
    };
    let bars = answer
        .predictions
        .into_iter()
        .map(|prediction| view! { <Bar prediction /> });
    view! {
        <p class="eyebrow">{eyebrow}</p>
        <h2 data-testid="label" lang="en">{answer.label}</h2>
        {unsure.then(|| view! { <p class="unsure" data-testid="unsure">{move || unsure_note(language.get())}</p> })}
        <ol class="bars">{bars.collect_view()}</ol>
        <p class="small" data-testid="timings">
            {move || time_note(took_ms, answer.timings, language.get())}
        </p>
        <p class="small" data-testid="model">
            {move || language.get().model_and_revision(&answer.model, &answer.model_revision)}
        </p>
    }
}

/// The boxes of an answer to come.
#[component]
pub(crate) fn AnswerOutline() -> impl IntoView {
    let language = language::spoken();
    let bars = (0..5).map(|_| view! { <li></li> });
    view! {
        <p class="eyebrow">{move || language.get().looking()}</p>
        <ol class="outline" aria-hidden="true">{bars.collect_view()}</ol>
    }
}

#[component]
fn Bar(prediction: Prediction) -> impl IntoView {
    let id = format!("class-{}", prediction.index);
    let language = language::spoken();
    let confidence = prediction.confidence;
    let percent = move || language.get().percent(confidence);
    // As the text says it, with one decimal.
    let value = Language::English.decimal(f64::from(confidence) * 100.0, 1);
    view! {
        <li>
            <span class="class" lang="en" id=id.clone()>{prediction.label}</span>
            <span class="percent" aria-hidden="true">{percent}</span>
            <meter aria-labelledby=id min="0" max="100" value=value>{percent}</meter>
        </li>
    }
}

pub(crate) fn is_unsure(answer: &Answer) -> bool {
    answer.confidence < UNSURE_BELOW
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

fn time_note(took_ms: f64, timings: Option<Timings>, language: Language) -> String {
    let took = language.decimal(took_ms, 0);
    match timings {
        Some(timings) => {
            let [decode, wait, inference] =
                [timings.decode_ms, timings.queue_ms, timings.inference_ms]
                    .map(|stage_ms| language.decimal(f64::from(stage_ms), 0));
            language.took_with_stages(&took, &decode, &wait, &inference)
        }
        None => language.took(&took),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_unsure_below_a_fifth() {
        for (confidence, unsure) in [(0.161, true), (0.2, false), (0.242, false)] {
            let answer = Answer {
                confidence,
                ..Answer::default()
            };
            assert_eq!(is_unsure(&answer), unsure, "{confidence}");
        }
        assert_eq!(
            unsure_note(Language::English),
            "Not sure: no class reaches 20%. Take these as guesses."
        );
    }

    #[test]
    fn the_time_note_names_the_stages_that_the_server_tells() {
        let timings = Timings {
            decode_ms: 3.6,
            queue_ms: 0.2,
            inference_ms: 11.5,
        };
        assert_eq!(
            time_note(31.4, Some(timings), Language::English),
            "31 ms in all: decoding 4, waiting 0, inference 12"
        );
        assert_eq!(time_note(31.4, None, Language::English), "31 ms in all");
    }
}
