use leptos::prelude::*;

use crate::{
    answer::{is_unsure, unsure_note},
    language,
    many::Many,
    session::Phase,
    texts::Language,
};

/// The page's one polite live region: the outcome in a sentence, for those who hear the page. Failures speak for
/// themselves, as alerts.
#[component]
pub(crate) fn Announcement(phase: ReadSignal<Phase, LocalStorage>, many: Many) -> impl IntoView {
    let language = language::spoken();
    view! {
        <p class="heard-only" role="status" aria-live="polite">
            {move || match many.milestone().get() {
                Some(count) if count.is_unfinished() => count.sentence(language.get()),
                Some(count) => {
                    let list = count.sentence(language.get());
                    format!("{list}. {}", phase.with(|phase| sentence(phase, language.get())))
                }
                None => phase.with(|phase| sentence(phase, language.get())),
            }}
        </p>
    }
}

fn sentence(phase: &Phase, language: Language) -> String {
    match phase {
        Phase::Empty | Phase::Failed(..) => String::new(),
        Phase::Fetching { site } => language.fetching_from(site),
        Phase::Asking(picked) => language.looking_at(&picked.name()),
        Phase::Answered(picked, answer, _) => {
            let doubt = if is_unsure(answer) {
                format!(" {}", unsure_note(language))
            } else {
                String::new()
            };
            format!(
                "{}: {}, {}.{doubt}",
                picked.name(),
                answer.label,
                language.percent(answer.confidence)
            )
        }
    }
}
