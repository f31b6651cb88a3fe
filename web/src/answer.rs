use imageclassifier_client::{Answer, Prediction, Timings};
use leptos::prelude::*;

/// Below this confidence of the best class the page says that it is not sure.
const UNSURE_BELOW: f32 = 0.2;

/// The most probable classes, each on the same scale from 0 to 100, and where the time went.
#[component]
pub(crate) fn AnswerCard(answer: Answer, took_ms: f64) -> impl IntoView {
    let unsure = is_unsure(&answer);
    let eyebrow = if unsure { "Perhaps" } else { "Looks like" };
    let bars = answer
        .predictions
        .into_iter()
        .map(|prediction| view! { <Bar prediction /> });
    view! {
        <p class="eyebrow">{eyebrow}</p>
        <h2 data-testid="label">{answer.label}</h2>
        {unsure.then(|| view! { <p class="unsure" data-testid="unsure">{unsure_note()}</p> })}
        <ol class="bars">{bars.collect_view()}</ol>
        <p class="small" data-testid="timings">{time_note(took_ms, answer.timings)}</p>
        <p class="small" data-testid="model">
            {answer.model} ", revision " {answer.model_revision}
        </p>
    }
}

/// The boxes of an answer to come.
#[component]
pub(crate) fn AnswerOutline() -> impl IntoView {
    let bars = (0..5).map(|_| view! { <li></li> });
    view! {
        <p class="eyebrow">"Looking …"</p>
        <ol class="outline" aria-hidden="true">{bars.collect_view()}</ol>
    }
}

#[component]
fn Bar(prediction: Prediction) -> impl IntoView {
    let id = format!("class-{}", prediction.index);
    let percent = percent(prediction.confidence);
    let value = percent.trim_end_matches('%').to_owned();
    view! {
        <li>
            <span class="class" id=id.clone()>{prediction.label}</span>
            <span class="percent" aria-hidden="true">{percent.clone()}</span>
            <meter aria-labelledby=id min="0" max="100" value=value>{percent}</meter>
        </li>
    }
}

pub(crate) fn is_unsure(answer: &Answer) -> bool {
    answer.confidence < UNSURE_BELOW
}

pub(crate) fn percent(confidence: f32) -> String {
    format!("{:.1}%", confidence * 100.0)
}

pub(crate) fn unsure_note() -> String {
    format!(
        "Not sure: no class reaches {:.0}%. Take these as guesses.",
        UNSURE_BELOW * 100.0
    )
}

fn time_note(took_ms: f64, timings: Option<Timings>) -> String {
    let stages = timings.map(|timings| {
        format!(
            ": decoding {:.0}, waiting {:.0}, inference {:.0}",
            timings.decode_ms, timings.queue_ms, timings.inference_ms
        )
    });
    format!("{took_ms:.0} ms in all{}", stages.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_one_decimal_on_an_absolute_scale() {
        let cases = [
            (0.0, "0.0%"),
            (0.000_4, "0.0%"),
            (0.951_23, "95.1%"),
            (1.0, "100.0%"),
        ];
        for (confidence, text) in cases {
            assert_eq!(percent(confidence), text);
        }
    }

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
            unsure_note(),
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
            time_note(31.4, Some(timings)),
            "31 ms in all: decoding 4, waiting 0, inference 12"
        );
        assert_eq!(time_note(31.4, None), "31 ms in all");
    }
}
