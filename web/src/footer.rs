use leptos::prelude::*;

use crate::{
    settings::{
        language::{self, LanguageMenu, said},
        theme::ThemeMenu,
    },
    texts::Language,
};

/// What becomes of images, where to read more, and the page's own settings.
#[component]
pub(crate) fn Footer(accepts_feedback: ReadSignal<bool>) -> impl IntoView {
    let language = language::spoken();
    let privacy = move || {
        let language = language.get();
        if accepts_feedback.get() {
            language.privacy_with_feedback()
        } else {
            language.privacy()
        }
    };
    view! {
        <footer>
            <p data-testid="privacy">{privacy}</p>
            <nav>
                <a href="about.html#use">{said(Language::documentation)}</a>
                <a href="about.html#source">{said(Language::source)}</a>
                <a href="about.html#licence">{said(Language::licence)}</a>
            </nav>
            <div class="menus"><ThemeMenu /><LanguageMenu /></div>
        </footer>
    }
}
