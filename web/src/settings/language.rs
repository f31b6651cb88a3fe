use leptos::prelude::*;

use crate::{settings::storage, texts::Language};

/// Where the browser keeps the language that was chosen with the switch.
const KEY: &str = "imageclassifier.language";

/// Provides the visitor's language to all components, and keeps `<html lang>` and the title in step with it.
pub(crate) fn provide() {
    let language = RwSignal::new(remembered().unwrap_or_else(preferred));
    provide_context(language);
    Effect::new(move || {
        let language = language.get();
        if let Some(html) = document().document_element() {
            // It fails only for an invalid name.
            let _ = html.set_attribute("lang", language.tag());
        }
        document().set_title(language.title());
    });
}

/// The page's language. Only for components: event handlers have no context.
pub(crate) fn spoken() -> ReadSignal<Language> {
    expect_context::<RwSignal<Language>>().read_only()
}

/// Changes to the other language, whose name is written in that language.
#[component]
pub(crate) fn LanguageSwitch() -> impl IntoView {
    let language = expect_context::<RwSignal<Language>>();
    let other = move || other_than(language.get());
    let change = move |_| {
        let chosen = other_than(language.get_untracked());
        remember(chosen);
        language.set(chosen);
    };
    view! {
        <button type="button" class="language quiet" lang=move || other().tag() on:click=change>
            {move || other().own_name()}
        </button>
    }
}

fn other_than(language: Language) -> Language {
    match language {
        Language::English => Language::Russian,
        Language::Russian => Language::English,
    }
}

/// The first of the browser's languages that the page speaks.
fn preferred() -> Language {
    let tags = window().navigator().languages();
    tags.iter()
        .filter_map(|tag| tag.as_string())
        .find_map(|tag| Language::of_tag(&tag))
        .unwrap_or(Language::English)
}

fn remembered() -> Option<Language> {
    Language::of_tag(&storage::local()?.get_item(KEY).ok()??)
}

fn remember(language: Language) {
    if let Some(storage) = storage::local() {
        let _ = storage.set_item(KEY, language.tag());
    }
}
