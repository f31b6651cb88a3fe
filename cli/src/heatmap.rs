//! Heatmaps drawn over the image: where a class was seen.

pub(crate) mod overlay;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use imageclassifier_client::Answer;

use crate::heatmap::overlay::Canvas;

/// A folder for heatmaps, one file for each class of each image.
pub(crate) struct Heatmaps {
    folder: PathBuf,
    /// Images of different folders may have the same name.
    taken: HashSet<String>,
}

impl Heatmaps {
    /// Creates the folder if it does not exist.
    pub(crate) fn create(folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            taken: HashSet::new(),
        })
    }

    /// Writes a file for each prediction of `answer`, called `STEM.RANK-LABEL.png`, and returns their paths in that order.
    pub(crate) async fn draw(
        &mut self,
        stem: &str,
        image: Bytes,
        answer: &Answer,
    ) -> Result<Vec<String>, String> {
        let name = self.name(stem);
        let (folder, answer) = (self.folder.clone(), answer.clone());
        let work = move || draw(&folder, &name, &image, &answer);
        let drawn = tokio::task::spawn_blocking(work).await;
        drawn.expect("drawing does not panic")
    }

    /// `stem`, or if that is taken `stem~2`, and so on.
    fn name(&mut self, stem: &str) -> String {
        let numbered = (2..).map(|number| format!("{stem}~{number}"));
        let mut names = std::iter::once(stem.to_owned()).chain(numbered);
        let name = names.find(|name| self.taken.insert(name.clone()));
        name.expect("there is always another number")
    }
}

fn draw(folder: &Path, name: &str, image: &[u8], answer: &Answer) -> Result<Vec<String>, String> {
    let canvas = Canvas::new(image, answer.crop).map_err(|error| error.to_string())?;
    let maps: Option<Vec<_>> = answer
        .predictions
        .iter()
        .map(|prediction| prediction.heatmap.as_ref())
        .collect();
    let maps = maps.ok_or("the server returned none")?;
    let peak = overlay::peak(&maps);
    let digits = maps.len().to_string().len();
    let mut drawn = Vec::new();
    for ((rank, prediction), map) in (1..).zip(&answer.predictions).zip(maps) {
        let label = file_name_part(&prediction.label);
        let file = folder.join(format!("{name}.{rank:0digits$}-{label}.png"));
        let image = canvas.with(map, peak).ok_or("a map has no values")?;
        image
            .save(&file)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        drawn.push(file.display().to_string());
    }
    Ok(drawn)
}

fn file_name_part(label: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    label.to_lowercase().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_files_of_the_same_name() {
        let mut heatmaps = Heatmaps {
            folder: PathBuf::new(),
            taken: HashSet::new(),
        };
        let names = ["cat", "cat", "cat~2", "cat", "dog"].map(|stem| heatmaps.name(stem));
        assert_eq!(names, ["cat", "cat~2", "cat~2~2", "cat~3", "dog"]);
        assert_eq!(file_name_part("Egyptian cat's/ears"), "egyptian-cat-s-ears");
    }
}
