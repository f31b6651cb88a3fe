use std::{collections::HashMap, fs, sync::Arc};

use object_store::{
    ClientOptions, Error, ObjectStore, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, http::HttpBuilder, local::LocalFileSystem, path::Path,
};

use super::{
    location::{Location, Place},
    object::{Folder, Object},
};

/// Connections to object storage, one for each bucket. Credentials are those of the environment. What is rejected temporarily is
/// sent again, as often as `object_store` does by default: ten times within three minutes.
#[derive(Default)]
pub(crate) struct Stores {
    connected: HashMap<Place, Arc<dyn ObjectStore>>,
}

impl Stores {
    /// # Errors
    /// If the environment lacks what the connection needs.
    pub(crate) fn object(&mut self, location: Location) -> Result<Object, String> {
        let store = self.connect(&location)?;
        Ok(Object::new(location.name, store, location.key))
    }

    /// The folder that `location` names.
    ///
    /// # Errors
    /// As for [`Stores::object`].
    pub(crate) fn folder(&mut self, location: Location) -> Result<Folder, String> {
        let store = self.connect(&location)?;
        Ok(Folder::new(location.name, store, location.key))
    }

    /// The folder at `path`, which is created if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(crate) fn local_folder(path: &str) -> Result<Folder, String> {
        fs::create_dir_all(path)
            .map_err(|error| format!("cannot create the folder {path}: {error}"))?;
        let store = LocalFileSystem::new_with_prefix(path)
            .map_err(|error| format!("cannot use the folder {path}: {error}"))?;
        let name = format!("{}/", path.trim_end_matches('/'));
        Ok(Folder::new(name, Arc::new(store), Path::ROOT))
    }

    fn connect(&mut self, location: &Location) -> Result<Arc<dyn ObjectStore>, String> {
        if let Some(store) = self.connected.get(&location.place) {
            return Ok(Arc::clone(store));
        }
        let name = location.name();
        let (store, hint) = connect(&location.place);
        let store = store.map_err(|error| format!("cannot use {name}: {error}. {hint}"))?;
        let place = location.place.clone();
        self.connected.insert(place, Arc::clone(&store));
        Ok(store)
    }
}

/// A store, and the settings to check if it cannot be reached.
fn connect(place: &Place) -> (Result<Arc<dyn ObjectStore>, Error>, &'static str) {
    // Fails if there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match place {
        Place::S3 { bucket } => (
            shared(AmazonS3Builder::from_env().with_bucket_name(bucket).build()),
            "Check the environment variables AWS_*",
        ),
        Place::Google { bucket } => (
            shared(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(bucket)
                    .build(),
            ),
            "Check the environment variables GOOGLE_*",
        ),
        Place::Azure { container } => (
            shared(
                MicrosoftAzureBuilder::from_env()
                    .with_container_name(container)
                    .build(),
            ),
            "Set the account's name in AZURE_STORAGE_ACCOUNT_NAME, and check the other environment variables AZURE_*",
        ),
        Place::Web { origin } => (
            shared(
                HttpBuilder::new()
                    .with_url(origin)
                    .with_client_options(
                        ClientOptions::new().with_allow_http(origin.starts_with("http://")),
                    )
                    .build(),
            ),
            "Check the URL",
        ),
    }
}

fn shared<S: ObjectStore>(store: Result<S, Error>) -> Result<Arc<dyn ObjectStore>, Error> {
    store.map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
}
