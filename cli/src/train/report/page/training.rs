use maud::{Markup, html};

use super::Content;
use crate::train::report::licence;

pub(super) fn section(content: &Content) -> Markup {
    let training = &content.training;
    let labels = if content.multi_label {
        "any number per photograph"
    } else {
        "one per photograph"
    };
    html! {
        section aria-labelledby="training" {
            h2 id="training" { "How it was trained" }
            dl {
                dt { "Photographs" } dd { (training.images) " in " (content.labels.len()) " classes, " (labels) }
                @if training.unreadable > 0 {
                    dt { "Unreadable files" } dd { (training.unreadable) }
                }
                dt { "Measured on" } dd { (training.evaluated_on) }
                dt { "Base network" } dd { (content.base.name) ", weights " code { (&content.base.digest[..12]) } }
                dt { "Method" }
                dd { "logistic regression on the network's features, temperature " (format!("{:.3}", training.temperature)) }
                dt { "“Unknown”" }
                dd {
                    @match &content.unknown {
                        Some(kept) => { "below a known score of " (format!("{:.3}", kept.threshold)) },
                        None => "off",
                    }
                }
            }
            h3 { "Licence" }
            p { (licence::summary(&content.base.digest)) }
        }
    }
}
