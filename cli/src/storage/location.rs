use object_store::path::Path;
use reqwest::Url;

/// What a URL names: an object, or if it ends with `/` all objects below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The URL.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) key: Path,
}

/// What a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    S3 {
        bucket: String,
    },
    Google {
        bucket: String,
    },
    Azure {
        container: String,
    },
    /// The URL of a web server, without a path. It may have a query, which is sent with every request.
    Web {
        origin: String,
    },
}

const SCHEMES: &str = "s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY or https://HOST/PATH";

impl Location {
    /// `None` if `text` has no scheme: it is the path of a local file or folder.
    ///
    /// # Errors
    /// If the URL is of another kind, or has no usable key.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = text.split_once("://")?;
        let (root, key) = rest.split_once('/').unwrap_or((rest, ""));
        let root_name = root.to_owned();
        let place = match scheme {
            "s3" => Place::S3 { bucket: root_name },
            "gs" => Place::Google { bucket: root_name },
            "az" => Place::Azure {
                container: root_name,
            },
            "http" | "https" => return Some(web(text)),
            _ => return Some(Err(format!("cannot use {text}: give {SCHEMES}"))),
        };
        if root.is_empty() {
            return Some(Err(format!("{text} names no bucket: give {SCHEMES}")));
        }
        // Keys are taken as they are: they may contain % and ?.
        let path = match Path::parse(key) {
            Ok(path) => path,
            Err(error) => return Some(Err(format!("cannot use {text}: {error}"))),
        };
        // A bucket without a key is its root folder.
        let end = if key.ends_with('/') { "/" } else { "" };
        Some(Ok(Self {
            name: format!("{scheme}://{root}/{path}{end}"),
            place,
            key: path,
        }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it names all objects below it, and not one.
    pub(crate) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    pub(crate) fn is_web(&self) -> bool {
        matches!(self.place, Place::Web { .. })
    }
}

fn web(text: &str) -> Result<Location, String> {
    let mut url = Url::parse(text).map_err(|error| format!("cannot use {text}: {error}"))?;
    url.set_fragment(None);
    let mut origin = url.clone();
    origin.set_path("");
    let key = Path::from_url_path(url.path());
    Ok(Location {
        key: key.map_err(|error| format!("cannot use {text}: {error}"))?,
        name: url.into(),
        place: Place::Web {
            origin: origin.into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Place, String, bool) {
        let location = Location::parse(text).unwrap().unwrap();
        let key = location.key.to_string();
        let is_folder = location.is_folder();
        (location.name, location.place, key, is_folder)
    }

    #[test]
    fn urls_name_objects_or_folders() {
        let s3 = Place::S3 {
            bucket: "album".to_owned(),
        };
        for (text, name, key, is_folder) in [
            ("s3://album/a/b.jpg", "s3://album/a/b.jpg", "a/b.jpg", false),
            ("s3://album/a/", "s3://album/a/", "a", true),
            ("s3://album//a/", "s3://album/a/", "a", true),
            ("s3://album/", "s3://album/", "", true),
            ("s3://album", "s3://album/", "", true),
            // As the key is, not percent-encoded.
            (
                "s3://album/50%?.jpg",
                "s3://album/50%?.jpg",
                "50%?.jpg",
                false,
            ),
        ] {
            let expected = (name.to_owned(), s3.clone(), key.to_owned(), is_folder);
            assert_eq!(parsed(text), expected);
        }
        assert!(matches!(parsed("gs://album/x").1, Place::Google { bucket } if bucket == "album"));
        assert!(
            matches!(parsed("az://album/x").1, Place::Azure { container } if container == "album")
        );
    }

    #[test]
    fn web_addresses_keep_their_port_and_query() {
        let (name, place, key, is_folder) = parsed("http://localhost:8000/a%20b.jpg?size=2#top");
        assert_eq!(name, "http://localhost:8000/a%20b.jpg?size=2");
        let origin = "http://localhost:8000/?size=2".to_owned();
        assert_eq!(place, Place::Web { origin });
        assert_eq!(key, "a b.jpg");
        assert!(!is_folder);
    }

    #[test]
    fn paths_are_no_urls_and_other_schemes_are_rejected() {
        for path in ["photos/a.jpg", "-", "C:\\photos", "a:b"] {
            assert_eq!(Location::parse(path), None);
        }
        for (wrong, why) in [
            ("ftp://host/x", "give s3://BUCKET/KEY"),
            ("s3:///x", "names no bucket"),
            ("s3://album/a//b", "cannot use s3://album/a//b"),
            ("https://", "cannot use https://"),
        ] {
            let error = Location::parse(wrong).unwrap().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
