use imageclassifier_client::{Answer, Timings};
use leptos::prelude::*;

use crate::{
    session::server::Model,
    settings::language::{self, said},
    texts::{Language, Text},
};

/// What identifies the model and the request in the server's log, and where the time went.
#[component]
pub(super) fn Details(answer: Answer, took_ms: f64, model: ReadSignal<Model>) -> impl IntoView {
    let language = language::spoken();
    let revision = answer.model_revision.clone();
    // What the server says of its model holds for this answer only if it was the same one.
    let described =
        Memo::new(move |_| Some(model.get()).filter(|model| model.revision == revision));
    let of_model = move |part: fn(Model) -> String| {
        let described = described.get().map(part);
        described.unwrap_or_else(|| language.get().not_reported().to_owned())
    };
    let similarity = answer.known_score.map(|score| {
        let score = move || language.get().decimal(f64::from(score), 2);
        view! {
            <dt>{said(Language::known_score)}</dt>
            <dd>{score}</dd>
        }
    });
    view! {
        <details class="details" data-testid="details">
            <summary>{said(Language::details)}</summary>
            <dl class="small">
                <dt>{said(Language::model)}</dt>
                <dd>{answer.model}</dd>
                {similarity}
                <dt>{said(Language::revision)}</dt>
                <dd>{answer.model_revision}</dd>
                <dt>{said(Language::weights)}</dt>
                <dd>{move || of_model(|model| model.weights_digest)}</dd>
                <dt>{said(Language::preprocessing)}</dt>
                <dd>{move || of_model(|model| model.preprocessing)}</dd>
                <dt>{said(Language::request_id)}</dt>
                <dd>{answer.request_id}</dd>
            </dl>
            <p class="small" data-testid="timings">{move || time(took_ms, answer.timings, language.get())}</p>
        </details>
    }
}

/// How the time between picking the image and its answer was spent: "40 ms in total: upload 24 ms, …".
fn time(took_ms: f64, timings: Option<Timings>, language: Language) -> String {
    let mut text = language.took(&language.milliseconds(took_ms));
    let mut separator = ": ";
    for (name, stage_ms) in timings.iter().flat_map(|timings| stages(took_ms, timings)) {
        text += separator;
        text += name(language);
        text += " ";
        text += &language.milliseconds(stage_ms);
        separator = ", ";
    }
    text
}

/// In order. The time that the server does not account for is the transfer.
fn stages(took_ms: f64, timings: &Timings) -> [(Text, f64); 4] {
    let [queue, decode, inference] =
        [timings.queue_ms, timings.decode_ms, timings.inference_ms].map(f64::from);
    let upload = (took_ms - queue - decode - inference).max(0.0);
    [
        (Language::upload, upload),
        (Language::queue, queue),
        (Language::decode, decode),
        (Language::inference, inference),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMINGS: Timings = Timings {
        decode_ms: 4.0,
        queue_ms: 1.0,
        inference_ms: 11.0,
    };

    #[test]
    fn upload_is_the_time_that_the_server_does_not_account_for() {
        let taken = stages(40.0, &TIMINGS).map(|(_, stage_ms)| stage_ms);
        assert_eq!(taken, [24.0, 1.0, 4.0, 11.0]);
    }

    #[test]
    fn clocks_that_disagree_make_no_negative_upload() {
        assert_eq!(stages(10.0, &TIMINGS)[0].1, 0.0);
    }

    #[test]
    fn the_time_is_said_stage_by_stage() {
        assert_eq!(
            time(40.0, Some(TIMINGS), Language::English),
            "40 ms in total: upload 24 ms, queue 1.0 ms, decoding 4.0 ms, inference 11 ms"
        );
        assert_eq!(time(40.0, None, Language::Russian), "Всего 40\u{a0}мс");
    }
}
