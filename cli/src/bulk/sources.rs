use std::path::{Path, PathBuf};

use crate::{
    inputs::Input,
    storage::{Folder, Location, Stores},
};

/// What the arguments name, in the order of names. None is in another, so that no image is there twice.
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
        for pair in sources.windows(2) {
            let (outer, inner) = (&pair[0].0, &pair[1].0);
            if outer == inner || (outer.ends_with('/') && inner.starts_with(outer)) {
                return Err(format!("{inner} is in {outer}: name only one of them"));
            }
        }
        Ok(Self(sources))
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Source> {
        self.0.into_iter().map(|(_, source)| source)
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
    let name = argument.display().to_string();
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
