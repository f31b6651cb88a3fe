use leptos::prelude::*;

use crate::{session::request::Step, settings::language, texts::Language};

/// How far the call is, and a way to give it up. The style sheet shows it only after a moment: most calls are over by then.
#[component]
pub(crate) fn Progress(step: Signal<Step>, on_cancel: Callback<()>) -> impl IntoView {
    let language = language::spoken();
    view! {
        <div class="progress" data-testid="progress">
            <label for="progress">{move || step.get().text(language.get())}</label>
            <progress id="progress" max="1" prop:value=move || step.get().fraction()></progress>
            <button type="button" class="quiet" on:click=move |_| on_cancel.run(())>
                {move || language.get().cancel()}
            </button>
        </div>
    }
}

impl Step {
    pub(crate) fn text(self, language: Language) -> String {
        match self {
            Self::Queued => language.queued().to_owned(),
            Self::Preparing => language.preparing().to_owned(),
            Self::Sending(sent) => language.sending(&language.decimal(sent * 100.0, 0)),
            Self::Awaiting => language.awaiting().to_owned(),
        }
    }

    /// Of the upload: the one part whose length is known.
    fn fraction(self) -> f64 {
        match self {
            Self::Queued | Self::Preparing => 0.0,
            Self::Sending(sent) => sent,
            Self::Awaiting => 1.0,
        }
    }
}
