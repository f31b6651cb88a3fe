use leptos::{ev::Event, html, prelude::*};

use crate::{
    inputs::input_file::{self, InputFile},
    settings::language::{self, said},
    texts::Language,
};

/// What the file dialog offers: what the server decodes, and what some browsers display. Named one by one and without HEIC, so
/// that phones convert their own formats into one of these.
const ACCEPT: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,image/x-icon,image/avif,image/jxl,\
    image/svg+xml,.qoi,.pbm,.pgm,.ppm,.pam,.pnm,.tga,.dib";

/// Where images are picked from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Files,
    Folder,
    Camera,
}

/// Real buttons, each with the browser's own file input behind it. The style sheet shows the camera where there is a touch
/// screen, and the folder where there is none: phones have no folders to pick. What reads the clipboard or an address needs
/// nothing of the program: `extras.js` hands its result over as a paste.
#[component]
pub(crate) fn PickButtons(
    on_files: Callback<Vec<InputFile>>,
    /// Whether there is an image already.
    is_pictured: Signal<bool>,
) -> impl IntoView {
    view! {
        <PickButton source=Source::Files on_files is_pictured />
        <PickButton source=Source::Camera on_files is_pictured />
        <PickButton source=Source::Folder on_files is_pictured />
        <details class="address">
            <summary class="quiet">{said(Language::web_address)}</summary>
            <form>
                <input
                    type="url"
                    required
                    placeholder="https://"
                    aria-label=said(Language::address_of_image)
                />
                <button type="submit" class="quiet">{said(Language::fetch_it)}</button>
            </form>
        </details>
        <button type="button" class="paste quiet">{said(Language::paste)}</button>
    }
}

#[component]
fn PickButton(
    source: Source,
    on_files: Callback<Vec<InputFile>>,
    is_pictured: Signal<bool>,
) -> impl IntoView {
    let language = language::spoken();
    let input = NodeRef::<html::Input>::new();
    input.on_load(move |input| {
        if source == Source::Folder {
            // Leptos lacks this attribute. Setting it fails only for an invalid name.
            let _ = input.set_attribute("webkitdirectory", "");
        }
    });
    let open = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let take = move |event: Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let files = input_file::listed(input.files());
        let was_cancelled = input.files().is_none_or(|files| files.length() == 0);
        input.set_value(""); // so that the same file can be picked again
        if !was_cancelled {
            on_files.run(files);
        }
    };
    view! {
        <button type="button" class=source.class() on:click=open>
            {move || source.text(is_pictured.get(), language.get())}
        </button>
        <input
            node_ref=input
            type="file"
            accept=ACCEPT
            multiple=source == Source::Files
            capture=(source == Source::Camera).then_some("environment")
            hidden
            data-testid=source.test_id()
            on:change=take
        />
    }
}

impl Source {
    fn class(self) -> &'static str {
        match self {
            Self::Files => "pick",
            Self::Folder => "pick-folder quiet",
            Self::Camera => "pick-camera quiet",
        }
    }

    fn text(self, is_pictured: bool, language: Language) -> &'static str {
        match self {
            Self::Files if is_pictured => language.another_image(),
            Self::Files => language.choose_an_image(),
            Self::Folder => language.choose_a_folder(),
            Self::Camera => language.take_a_photo(),
        }
    }

    fn test_id(self) -> &'static str {
        match self {
            Self::Files => "file",
            Self::Folder => "folder",
            Self::Camera => "camera",
        }
    }
}
