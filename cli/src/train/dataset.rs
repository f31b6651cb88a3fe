use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::inputs::images_below;

/// Labelled images: files and their classes.
#[derive(Debug)]
pub(crate) struct Dataset {
    /// What the images' names are relative to: their folder, or that of their table.
    pub(crate) root: PathBuf,
    /// Names of the classes, by class index.
    pub(crate) labels: Vec<String>,
    pub(crate) images: Vec<LabelledImage>,
    /// Whether an image can have several classes.
    pub(crate) multi_label: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelledImage {
    pub(crate) path: PathBuf,
    /// Class indices, ascending.
    pub(crate) classes: Vec<usize>,
}

impl Dataset {
    /// One class per subfolder of `folder`, with all images in and below it.
    ///
    /// # Errors
    /// If the folder cannot be read, or has no subfolders with images.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut labels = subfolders(folder)?;
        labels.sort_unstable();
        if labels.is_empty() {
            return Err(format!(
                "{} has no subfolders: make one for each class, with its photographs",
                folder.display()
            ));
        }
        Self::read_classes(folder, labels.clone(), &labels)
    }

    /// As [`read`](Self::read), for the classes of a model. Some may be missing.
    ///
    /// # Errors
    /// Also if there is a subfolder for another class.
    pub(crate) fn read_as(folder: &Path, labels: &[String]) -> Result<Self, String> {
        let found = subfolders(folder)?;
        if let Some(unknown) = found.iter().find(|&it| !labels.contains(it)) {
            return Err(format!(
                "{} has a subfolder {unknown:?}, but the model's classes are {}: rename or remove it",
                folder.display(),
                labels.join(", ")
            ));
        }
        Self::read_classes(folder, labels.to_vec(), &found)
    }

    fn read_classes(folder: &Path, labels: Vec<String>, found: &[String]) -> Result<Self, String> {
        let mut images = Vec::new();
        for (class, label) in labels.iter().enumerate() {
            if !found.contains(label) {
                continue;
            }
            let paths = images_below(&folder.join(label))?;
            images.extend(paths.into_iter().map(|path| LabelledImage {
                path,
                classes: vec![class],
            }));
        }
        if images.is_empty() {
            return Err(format!("{} contains no images", folder.display()));
        }
        Ok(Self {
            root: folder.to_owned(),
            labels,
            images,
            multi_label: false,
        })
    }

    /// The images in and below `folder`, which show none of the classes `labels`.
    ///
    /// # Errors
    /// If there are none, or a folder cannot be read.
    pub(crate) fn read_unknown(folder: &Path, labels: &[String]) -> Result<Self, String> {
        let images = images_below(folder)?.into_iter().map(|path| LabelledImage {
            path,
            classes: Vec::new(),
        });
        Ok(Self {
            labels: labels.to_vec(),
            images: images.collect(),
            root: folder.to_owned(),
            multi_label: true,
        })
    }

    /// Rows of a file and its labels, in as many columns as there are labels. Files are relative to the table's folder. A first
    /// row whose first cell is `file` is a header.
    ///
    /// # Errors
    /// If the table cannot be read, or a row has no file.
    pub(crate) fn read_csv(table: &Path) -> Result<Self, String> {
        let cannot = |error: csv::Error| format!("cannot read {}: {error}", table.display());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_path(table)
            .map_err(cannot)?;
        let folder = table.parent().unwrap_or(Path::new(""));
        let mut rows = Vec::new();
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(cannot)?;
            let file = record.get(0).unwrap_or_default();
            if index == 0 && file.eq_ignore_ascii_case("file") {
                continue;
            }
            if file.is_empty() {
                return Err(format!(
                    "{}: row {} has no file",
                    table.display(),
                    index + 1
                ));
            }
            let labels = record.iter().skip(1).filter(|label| !label.is_empty());
            rows.push((folder.join(file), labels.map(str::to_owned).collect()));
        }
        Ok(Self::of_rows(folder, rows))
    }

    fn of_rows(root: &Path, rows: Vec<(PathBuf, Vec<String>)>) -> Self {
        let mut labels: Vec<_> = rows.iter().flat_map(|(_, labels)| labels.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        let images = rows.into_iter().map(|(path, of_image)| {
            let index = |label| labels.binary_search(label).expect("collected above");
            let mut classes: Vec<_> = of_image.iter().map(index).collect();
            classes.sort_unstable();
            classes.dedup();
            LabelledImage { path, classes }
        });
        Self {
            root: root.to_owned(),
            images: images.collect(),
            labels,
            multi_label: true,
        }
    }
}

/// Names of the folders in `folder`, hidden ones left out.
fn subfolders(folder: &Path) -> Result<Vec<String>, String> {
    let cannot = |error| format!("cannot read the folder {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().into_string().map_err(|name| {
            format!(
                "the folder {} is not named in UTF-8: rename it",
                name.display()
            )
        })?;
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_any_number_of_labels() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("table.csv");
        fs::write(&table, "File,label\na.jpg, sea,sky\nb.jpg\nc.jpg,sky,\n").unwrap();
        let dataset = Dataset::read_csv(&table).unwrap();
        assert_eq!(dataset.labels, ["sea", "sky"]);
        let classes: Vec<_> = dataset.images.iter().map(|it| &*it.classes).collect();
        assert_eq!(classes, [&[0, 1][..], &[], &[1]]);
        assert_eq!(dataset.images[0].path, folder.path().join("a.jpg"));
        fs::write(&table, "a.jpg,sea\n,sky\n").unwrap();
        assert!(Dataset::read_csv(&table).unwrap_err().contains("row 2"));
    }

    #[test]
    fn classes_are_the_subfolders_in_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let empty = Dataset::read(folder.path()).unwrap_err();
        assert!(empty.contains("no subfolders"), "{empty}");
        for file in ["b/2.jpg", "b/deep/3.PNG", "a/1.jpg", ".hidden/4.jpg"] {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        }
        let dataset = Dataset::read(folder.path()).unwrap();
        assert_eq!(dataset.labels, ["a", "b"]);
        let classes: Vec<_> = dataset.images.iter().map(|it| it.classes[0]).collect();
        assert_eq!(classes, [0, 1, 1]);
        let known = |labels: &[&str]| labels.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        let other = Dataset::read_as(folder.path(), &known(&["a", "c"])).unwrap_err();
        assert!(other.contains("\"b\""), "{other}");
        let more = Dataset::read_as(folder.path(), &known(&["c", "b", "a"])).unwrap();
        assert_eq!(more.images[0].classes, [1]);
    }
}
