//! The settings of the engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

use auth_runtime_core::EntityLoader;
use cedar_policy::{Authorizer, EntityTypeName};

use crate::engine::{Cedar, Engine};
use crate::error::CedarError;
use crate::policies::{self, Source};
use crate::schema::{Declared, Names};

impl Cedar {
    /// Starts without policies, schema and loader, and with callers of the type `User`. Policies are
    /// required.
    pub fn builder() -> CedarBuilder {
        CedarBuilder {
            sources: Vec::new(),
            schema: None,
            loader: None,
            subject_type: "User".to_owned(),
        }
    }
}

/// Builds a [`Cedar`].
#[must_use]
pub struct CedarBuilder {
    sources: Vec<Source>,
    schema: Option<String>,
    loader: Option<Box<dyn EntityLoader>>,
    subject_type: String,
}

impl CedarBuilder {
    /// Adds policies. Can be called several times. Templates are not supported.
    ///
    /// Records name a policy by its annotation `@id("…")`, or else by its number among the policies of
    /// all sources: `policy0` is the first.
    pub fn policies(mut self, text: impl Into<String>) -> Self {
        self.sources.push(Source::Text(text.into()));
        self
    }

    /// Adds a file of policies, which [`build`](Self::build) and [`Cedar::reload`] read. Can be called
    /// several times.
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(Source::File(path.into()));
        self
    }

    /// Sets the schema, in the syntax of Cedar. Default: none.
    ///
    /// The policies are validated against it in strict mode, and so are the entities and the request of
    /// each question.
    pub fn schema(mut self, text: impl Into<String>) -> Self {
        self.schema = Some(text.into());
        self
    }

    /// Sets the loader of entities. Default: none, so that the only entities are the caller, and the
    /// objects with the properties that the questions have.
    pub fn entities(mut self, loader: impl EntityLoader) -> Self {
        self.loader = Some(Box::new(loader));
        self
    }

    /// Sets the entity type of callers. Default: `User`.
    ///
    /// Its namespace is also the one of actions, roles and the service: with `App::User`, they are
    /// `App::Action::"…"`, `App::Role::"…"` and `App::Service::"…"`.
    pub fn subject_type(mut self, name: impl Into<String>) -> Self {
        self.subject_type = name.into();
        self
    }

    /// Builds the engine. Reads the files, and logs the warnings of the validation.
    ///
    /// # Errors
    ///
    /// [`CedarError`] has all mistakes of the first invalid text.
    pub fn build(self) -> Result<Cedar, CedarError> {
        if self.subject_type.parse::<EntityTypeName>().is_err() {
            return Err(CedarError::SubjectType(self.subject_type));
        }
        let names = Names::new(self.subject_type);
        let has_loader = self.loader.is_some();
        let declared = self
            .schema
            .map(|schema| Declared::read(&schema, &names, has_loader))
            .transpose()?;
        let schema = declared.as_ref().map(|declared| &declared.schema);
        let policies = policies::read(&self.sources, schema)?;
        Ok(Cedar(Arc::new(Engine {
            sources: self.sources,
            names,
            declared,
            loader: self.loader,
            policies: RwLock::new(Arc::new(policies)),
            reloading: Mutex::new(()),
            authorizer: Authorizer::new(),
        })))
    }
}

impl fmt::Debug for CedarBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CedarBuilder")
            .field("subject_type", &self.subject_type)
            .field("has_schema", &self.schema.is_some())
            .finish_non_exhaustive()
    }
}
