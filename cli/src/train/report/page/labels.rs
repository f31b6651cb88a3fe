use maud::{Markup, html};

use super::{Content, Pictures, picture};

/// Nothing if no label is suspicious, or an image can have several classes.
pub(super) fn section(content: &Content, pictures: &Pictures) -> Markup {
    if content.suspicious.is_empty() {
        return html! {};
    }
    let shown = pictures.suspects.len();
    html! {
        section aria-labelledby="labels" {
            h2 id="labels" { "Labels that may be wrong" }
            p {
                "A model that had not seen these photographs was confident that they show another class. Each is shown with its \
                 heatmap: bright is where the model sees the likely class. Move a photograph to its right folder, or leave it if \
                 its label is right: some are only unusual."
            }
            ul.suspects {
                @for (suspect, shown) in content.suspicious.iter().zip(&pictures.suspects) {
                    li {
                        figure {
                            div.beside {
                                (picture(shown.photograph.as_ref(), &format!("Photograph labelled {}", suspect.label)))
                                @if let Some(url) = &shown.heatmap {
                                    (picture(Some(url), &format!("Where the model sees {}", suspect.likely)))
                                }
                            }
                            figcaption {
                                span { span.name { (suspect.label) } " → " span.name { (suspect.likely) } "?" }
                                span.file { (suspect.file) }
                            }
                        }
                    }
                }
            }
            @if content.suspicious.len() > shown {
                p.note { "And " (content.suspicious.len() - shown) " more: see " code { "suspicious" } " in report.json." }
            }
        }
    }
}
