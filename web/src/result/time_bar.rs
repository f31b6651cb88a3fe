use imageclassifier_client::Timings;
use leptos::prelude::*;

use crate::{
    settings::language,
    texts::{Language, Text},
};

/// How the time between picking the image and its answer was spent.
#[component]
pub(super) fn TimeBar(took_ms: f64, timings: Option<Timings>) -> impl IntoView {
    let language = language::spoken();
    let stages = timings.map(|timings| stages(took_ms, &timings));
    let legend = stages.map(|stages| {
        stages.map(|(kind, name, stage_ms)| {
            view! {
                <li>
                    <span class=format!("swatch {kind}") aria-hidden="true"></span>
                    {move || name(language.get())} " " {move || language.get().milliseconds(stage_ms)}
                </li>
            }
        })
    });
    view! {
        <div class="time" data-testid="timings">
            <p class="small">{move || language.get().took(&language.get().milliseconds(took_ms))}</p>
            {stages.map(|stages| view! {
                <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                    {strips(&stages).map(|(kind, from, width)| {
                        view! { <rect class=kind x=from y="0" width=width height="4" /> }
                    })}
                </svg>
            })}
            {legend.map(|legend| view! { <ul class="small">{legend}</ul> })}
        </div>
    }
}

type Stage = (&'static str, Text, f64);

/// In order. The time that the server does not account for is the transfer.
fn stages(took_ms: f64, timings: &Timings) -> [Stage; 4] {
    let [queue, decode, inference] =
        [timings.queue_ms, timings.decode_ms, timings.inference_ms].map(f64::from);
    let upload = (took_ms - queue - decode - inference).max(0.0);
    [
        ("upload", Language::upload, upload),
        ("queue", Language::queue, queue),
        ("decode", Language::decode, decode),
        ("inference", Language::inference, inference),
    ]
}

/// Where each stage begins and how long it is, in hundredths of all.
fn strips(stages: &[Stage; 4]) -> [(&'static str, f64, f64); 4] {
    let all: f64 = stages.iter().map(|(_, _, stage_ms)| stage_ms).sum();
    let scale = if all > 0.0 { 100.0 / all } else { 0.0 };
    let mut from = 0.0;
    stages.map(|(kind, _, stage_ms)| {
        let width = stage_ms * scale;
        from += width;
        (kind, from - width, width)
    })
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
        let taken = stages(40.0, &TIMINGS).map(|(_, _, stage_ms)| stage_ms);
        assert_eq!(taken, [24.0, 1.0, 4.0, 11.0]);
    }

    #[test]
    fn clocks_that_disagree_make_no_negative_upload() {
        assert_eq!(stages(10.0, &TIMINGS)[0].2, 0.0);
    }

    #[test]
    fn the_strips_fill_the_bar() {
        let strips = strips(&stages(32.0, &TIMINGS)).map(|(_, from, width)| (from, width));
        assert_eq!(
            strips,
            [(0.0, 50.0), (50.0, 3.125), (53.125, 12.5), (65.625, 34.375)]
        );
    }
}
