use std::path::{Path, PathBuf};

use crate::{
    inputs::Input,
    storage::{Folder, Location, Stores},
};

/// What the arguments name, in the order of names. Sources do not overlap, so no image is listed twice.
pub(super) struct Sources(Vec<(String, Source)>);

/// Where images are.
pub(super) enum Source {
    Image(Input),
    LocalFolder(PathBuf),
    Folder(Folder),
}

impl Sources {
    /// # Errors
    /// If an argument cannot be used, or names images that another names too.
    pub(super) fn new(arguments: &[PathBuf], stores: &mut Stores) -> Result<Self, String> {
        let sources: Result<Vec<_>, _> = arguments
            .iter()
            .map(|argument| source(argument, stores))
            .collect();
        let mut sources = sources?;
        sources.sort_by(|(one, _), (other, _)| one.cmp(other));
        reject_overlap(&sources)?;
        Ok(Self(sources))
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Source> {
        self.0.into_iter().map(|(_, source)| source)
    }
}

/// # Errors
/// If a source is in another.
fn reject_overlap(sources: &[(String, Source)]) -> Result<(), String> {
    let mut places: Vec<_> = sources
        .iter()
        .map(|(name, source)| (source.place(name), name))
        .collect();
    places.sort();
    for pair in places.windows(2) {
        let [(outer, outer_name), (inner, inner_name)] = pair else {
            continue;
        };
        if outer == inner || (outer.ends_with(b"/") && inner.starts_with(outer)) {
            return Err(format!(
                "{inner_name} is in {outer_name}: name only one of them"
            ));
        }
    }
    Ok(())
}

impl Source {
    /// The URL, or the absolute path without links. That of a folder ends with `/`.
    fn place(&self, name: &str) -> Vec<u8> {
        let path = match self {
            Self::Image(image) => image.path().ok(),
            Self::LocalFolder(folder) => Some(folder.as_path()),
            Self::Folder(_) => None,
        };
        let Some(path) = path else {
            return name.as_bytes().to_owned();
        };
        let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
        let mut place = absolute
            .unwrap_or_else(|_| path.to_owned())
            .into_os_string()
            .into_encoded_bytes();
        if matches!(self, Self::LocalFolder(_)) && !place.ends_with(b"/") {
            place.push(b'/');
        }
        place
    }
}

/// The name that sorts like the names of its images, and the source.
fn source(argument: &Path, stores: &mut Stores) -> Result<(String, Source), String> {
    if let Some(location) = argument.to_str().and_then(Location::parse).transpose()? {
        let name = location.name().to_owned();
        if !location.is_folder() {
            return Ok((name, Source::Image(Input::object(stores.object(location)?))));
        }
        if location.is_web() {
            return Err(format!("cannot list {name}: give the URL of each image"));
        }
        return Ok((name, Source::Folder(stores.folder(location)?)));
    }
    let Some(name) = argument.to_str().map(str::to_owned) else {
        return Err(format!(
            "the name of {} is not UTF-8: rename it",
            argument.display()
        ));
    };
    if name == "-" {
        return Err(
            "standard input is not supported with --output: give files, folders or URLs".to_owned(),
        );
    }
    if argument.is_dir() {
        let name = format!("{}/", name.trim_end_matches('/'));
        return Ok((name, Source::LocalFolder(argument.to_owned())));
    }
    if name.contains(['*', '?', '[']) && !argument.exists() {
        return Err(format!(
            "patterns are not supported with --output: give a folder instead of {name}"
        ));
    }
    Ok((name, Source::Image(Input::file(argument.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Result<Vec<String>, String> {
        let arguments: Vec<_> = arguments.iter().map(PathBuf::from).collect();
        let sources = Sources::new(&arguments, &mut Stores::default())?;
        Ok(sources.0.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn sources_are_in_the_order_of_names() {
        let sorted = names(&[
            "s3://b/y/",
            "s3://b/x.jpg",
            "s3://a",
            "src",
            "https://h/1.png",
        ]);
        let expected = [
            "https://h/1.png",
            "s3://a/",
            "s3://b/x.jpg",
            "s3://b/y/",
            "src/",
        ];
        assert_eq!(sorted.unwrap(), expected);
    }

    #[test]
    fn no_image_is_named_twice() {
        for (arguments, why) in [
            (["s3://b/x/", "s3://b/x/y/"], "s3://b/x/y/ is in s3://b/x/"),
            (
                ["s3://b/x/z.jpg", "s3://b/x/"],
                "s3://b/x/z.jpg is in s3://b/x/",
            ),
            (["a.jpg", "a.jpg"], "a.jpg is in a.jpg"),
            (["src", "src/"], "src/ is in src/"),
            (["src", "./src"], "is in"),
            (["src/main.rs", "../cli/src"], "is in"),
            (["a.jpg", "./a.jpg"], "is in"),
        ] {
            let error = names(&arguments).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(names(&["s3://b/x/", "s3://b/x.jpg"]).is_ok());
    }

    #[test]
    fn rejects_what_has_no_order() {
        for (argument, hint) in [
            ("-", "standard input"),
            ("photos/*.jpg", "give a folder"),
            ("https://h/album/", "give the URL of each image"),
        ] {
            let error = names(&[argument]).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
    }
}
