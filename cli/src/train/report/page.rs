//! `report.html`: one file that loads nothing.

mod classes;
mod confusion;
mod curves;
mod labels;
mod training;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{content::Content, pictures::Pictures, plots, verdict::Verdict};

const STYLE: &str = include_str!("report.css");
/// A browser loads nothing for this page, whatever a label or file name has in it.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

pub(super) fn render(content: &Content, pictures: &Pictures) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "How good is " (content.model) "?" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (verdict(&content.model, &content.verdict))
                    (classes::accuracy(content))
                    (classes::table(content))
                    (confusion::section(content, pictures))
                    (curves::reliability(content))
                    (curves::learning(content))
                    (curves::coverage(content))
                    (labels::section(content, pictures))
                    (training::section(content))
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn verdict(model: &str, verdict: &Verdict) -> Markup {
    html! {
        header {
            h1 { "How good is " span.name { (model) } "?" }
            p.verdict { (verdict.headline) }
            p.basis { (verdict.basis) }
        }
        section.next aria-labelledby="next" {
            h2 id="next" { "What to do next" }
            @if verdict.advice.is_empty() {
                p { "Nothing stands out. Try the model on photographs that are not in the training folder:" }
            } @else {
                ol {
                    @for advice in &verdict.advice {
                        li {
                            strong { (advice.title) "." } " " (advice.reason)
                            @if let Some(section) = advice.section { " " a href={ "#" (section) } { "Show" } }
                        }
                    }
                }
                p { "Then train again. To try the model on other photographs:" }
            }
            pre { code { "imageclassifier classify --local --model " (model) " photo.jpg" } }
        }
    }
}

/// A diagram with its caption.
fn figure(svg: &str, description: &str, caption: &Markup) -> Markup {
    html! {
        figure.plot {
            div role="img" aria-label=(description) { (PreEscaped(svg)) }
            figcaption { (caption) }
        }
    }
}

/// A photograph, or that it is missing.
fn picture(url: Option<&String>, alt: &str) -> Markup {
    html! {
        @match url {
            Some(url) => img src=(url) alt=(alt) width="176" height="176" loading="lazy";,
            None => span.missing { "The file can no longer be read." },
        }
    }
}

/// With a space that does not break.
fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}
