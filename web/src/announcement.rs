use leptos::prelude::*;

use crate::{
    answer::{is_unsure, percent, unsure_note},
    session::Phase,
};

/// The page's one polite live region: the outcome in a sentence, for those who hear the page. Failures speak for
/// themselves, as alerts.
#[component]
pub(crate) fn Announcement(phase: ReadSignal<Phase, LocalStorage>) -> impl IntoView {
    view! {
        <p class="heard-only" role="status" aria-live="polite">{move || phase.with(sentence)}</p>
    }
}

fn sentence(phase: &Phase) -> String {
    match phase {
        Phase::Empty | Phase::Failed(..) => String::new(),
        Phase::Asking(picked) => format!("Looking at {}.", picked.name()),
        Phase::Answered(picked, answer, _) => {
            let doubt = if is_unsure(answer) {
                format!(" {}", unsure_note())
            } else {
                String::new()
            };
            format!(
                "{}: {}, {}.{doubt}",
                picked.name(),
                answer.label,
                percent(answer.confidence)
            )
        }
    }
}
