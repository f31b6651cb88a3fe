use leptos::prelude::*;

use crate::{
    batch::list::Batch, confidence::Certainty, notice::Notice, session::phase::Phase,
    settings::language, texts::Language,
};

/// The page's one polite live region: the outcome in a sentence, for screen readers. Failures are alerts instead.
#[component]
pub(crate) fn Announcement(phase: ReadSignal<Phase, LocalStorage>, batch: Batch) -> impl IntoView {
    let language = language::spoken();
    let notice = Notice::current();
    Effect::new(move || {
        phase.track();
        notice.clear();
    });
    view! {
        <p class="heard-only" role="status" aria-live="polite">
            {move || match (notice.latest(), batch.milestone().get()) {
                (Some(text), _) => text(language.get()).to_owned(),
                (None, Some(counts)) if counts.is_unfinished() => counts.sentence(language.get()),
                (None, Some(counts)) => {
                    let list = counts.sentence(language.get());
                    format!("{list}. {}", phase.with(|phase| sentence(phase, language.get())))
                }
                (None, None) => phase.with(|phase| sentence(phase, language.get())),
            }}
        </p>
    }
}

fn sentence(phase: &Phase, language: Language) -> String {
    match phase {
        Phase::Empty | Phase::Failed(..) => String::new(),
        Phase::Cancelled(picked) => language.cancelled_image(&picked.name()),
        Phase::Fetching { site: Some(site) } => language.fetching_from(site),
        Phase::Fetching { site: None } => language.reading().to_owned(),
        Phase::Asking(picked) => language.classifying_image(&picked.name()),
        Phase::Answered(picked, answer, _) => {
            let certainty = Certainty::of(answer);
            outcome(
                &picked.name(),
                &answer.label,
                answer.confidence,
                certainty,
                language,
            )
        }
        Phase::Shared(shared) => outcome(
            language.shared_result(),
            shared.label(),
            shared.confidence(),
            shared.certainty(),
            language,
        ),
    }
}

fn outcome(
    name: &str,
    label: &str,
    confidence: f32,
    certainty: Certainty,
    language: Language,
) -> String {
    let result = match certainty {
        Certainty::Unknown => language.unknown().to_owned(),
        Certainty::Sure | Certainty::Unsure => {
            format!("{label}, {}", language.percent(confidence))
        }
    };
    let note = certainty.note(label, confidence, language);
    let doubt = note.map(|note| format!(" {note}")).unwrap_or_default();
    format!("{name}: {result}.{doubt}")
}
