use leptos::{ev::SubmitEvent, html, prelude::*};

use crate::{
    session::{correction::CorrectionState, server::Model},
    settings::language::{self, said},
    texts::Language,
};

/// Length of the longest label, in UTF-16 units, of which each takes at most three bytes: the contract's limit is 200 bytes.
const LABEL_UNITS_MAX: &str = "66";

/// Where corrections go. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Correction {
    /// Whether the server keeps them.
    pub(crate) is_accepted: ReadSignal<bool>,
    pub(crate) state: ReadSignal<CorrectionState>,
    pub(crate) on_label: Callback<String>,
}

/// "Wrong?": the field for the correct class, and that the server keeps the image. Nothing where the server does not.
#[component]
pub(super) fn CorrectionForm(correction: Correction, model: ReadSignal<Model>) -> impl IntoView {
    let language = language::spoken();
    let field = NodeRef::<html::Input>::new();
    let is_open = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            correction.on_label.run(field.value().trim().to_owned());
        }
    };
    // A thousand classes are listed only on request.
    let classes = move || {
        is_open.get().then(|| {
            let labels = model.with(|model| model.labels.clone());
            let classes = labels
                .iter()
                .map(|label| view! { <option value=label.clone()></option> });
            classes.collect_view()
        })
    };
    let state = move || text(&correction.state.get(), language.get());
    view! {
        <Show when=move || correction.is_accepted.get()>
            <details class="correction" on:toggle=move |_| is_open.set(true)>
                <summary class="plain">{said(Language::wrong)}</summary>
                <form on:submit=submit>
                    <label for="correct-class">{said(Language::correct_class)}</label>
                    <input
                        node_ref=field
                        id="correct-class"
                        list="classes"
                        required
                        maxlength=LABEL_UNITS_MAX
                        autocomplete="off"
                        aria-describedby="correction-note"
                    />
                    <datalist id="classes">{classes}</datalist>
                    <button type="submit" class="quiet">{said(Language::send)}</button>
                    <p id="correction-note" class="hint">{said(Language::correction_note)}</p>
                    <p role="status" data-testid="correction">{state}</p>
                </form>
            </details>
        </Show>
    }
}

fn text(state: &CorrectionState, language: Language) -> String {
    match state {
        CorrectionState::None => String::new(),
        CorrectionState::Sending => language.sending_correction().to_owned(),
        CorrectionState::Kept(label) => language.correction_kept(label),
        CorrectionState::Failed(failure) => failure.sentence(language),
    }
}
