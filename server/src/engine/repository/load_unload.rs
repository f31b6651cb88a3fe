use super::{Repository, When};
use crate::request::error::RequestError;

impl Repository {
    /// Reads the folders at once and serves the model again if it was unloaded.
    ///
    /// # Errors
    /// [`RequestError::UnknownModel`]; [`RequestError::ModelUnusable`] if its highest version cannot be used.
    pub(crate) fn load(&self, name: &str) -> Result<(), RequestError> {
        self.known().unloaded.remove(name);
        self.serve_again(name)
            .map_err(|problem| unusable(name, problem))?;
        let table = self.models.table();
        let highest = table.all().find(|(found, _)| *found == name);
        match highest.and_then(|(_, version)| version.problem()) {
            Some(problem) => Err(unusable(name, problem.to_owned())),
            None => table.find(name).map(drop),
        }
    }

    /// Stops serving the model until it is loaded again.
    ///
    /// # Errors
    /// [`RequestError::UnknownModel`]; [`RequestError::ModelUnusable`] for the network's own classes.
    pub(crate) fn unload(&self, name: &str) -> Result<(), RequestError> {
        if name == self.built_in.name() {
            let problem = "the network itself cannot be unloaded: name another model";
            return Err(unusable(name, problem.to_owned()));
        }
        let known = self.known().folders.keys().any(|key| key.name == name);
        if !known {
            return self.models.find(name).map(drop);
        }
        self.known().unloaded.insert(name.to_owned());
        tracing::info!(model = name, "model unloaded");
        self.serve_again(name)
            .map_err(|problem| unusable(name, problem))
    }

    fn serve_again(&self, name: &str) -> Result<(), String> {
        self.update(When::NowNamed(name))
            .map_err(|error| error.to_string())?;
        self.serve(&self.known());
        Ok(())
    }
}

fn unusable(name: &str, problem: String) -> RequestError {
    RequestError::ModelUnusable {
        model: name.to_owned(),
        problem,
    }
}
