//! The report of a training: `report.html` for people and `report.json` for programs, with the same numbers. The same training
//! gives the same bytes.

mod confused;
mod content;
mod licence;
mod page;
mod pictures;
mod plots;
mod verdict;

use std::{fs, path::Path};

use imageclassifier_model::Head;
use imageclassifier_train::{Task, Trained};

use crate::train::{base::Base, dataset::LabelledImage};
use content::Content;
use pictures::Pictures;

/// A finished training.
pub(crate) struct Subject<'a> {
    /// The model's name.
    pub(crate) name: &'a str,
    pub(crate) base: &'a Base,
    pub(crate) head: &'a Head,
    pub(crate) task: Task,
    pub(crate) trained: &'a Trained,
    /// The images of the training's examples.
    pub(crate) learned_from: Images<'a>,
    /// The images of the held-out predictions.
    pub(crate) measured_on: Images<'a>,
    /// How those were chosen.
    pub(crate) evaluated_on: &'static str,
    /// Files that could not be used.
    pub(crate) unreadable: usize,
}

/// Images, and the folder that their names in the report are relative to.
#[derive(Clone)]
pub(crate) struct Images<'a> {
    pub(crate) root: &'a Path,
    pub(crate) images: Vec<&'a LabelledImage>,
}

/// Writes the report and the licence of the base network into the model folder at `output`.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(subject: &Subject, output: &Path) -> Result<(), String> {
    let content = Content::of(subject);
    let pictures = Pictures::draw(subject);
    let page = page::render(&content, &pictures);
    let json = serde_json::to_string(&content).expect("plain data");
    for (name, text) in [
        ("LICENSE", licence::text(subject.base)),
        ("report.json", json + "\n"),
        ("report.html", page),
    ] {
        // Never half a file under its name.
        let (file, temporary) = (output.join(name), output.join(format!(".{name}.new")));
        fs::write(&temporary, text)
            .and_then(|()| fs::rename(&temporary, &file))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
