use leptos::{ev::Event, html, prelude::*};

use crate::{
    inputs::input_file::{self, InputFile},
    settings::language,
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
/// screen, and the folder where there is none: phones have no folders to pick.
#[component]
pub(crate) fn PickButtons(on_files: Callback<Vec<InputFile>>) -> impl IntoView {
    view! {
        <PickButton source=Source::Files on_files />
        <PickButton source=Source::Folder on_files />
        <PickButton source=Source::Camera on_files />
    }
}

#[component]
fn PickButton(source: Source, on_files: Callback<Vec<InputFile>>) -> impl IntoView {
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
            {move || source.text(language.get())}
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

    fn text(self, language: Language) -> &'static str {
        match self {
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
