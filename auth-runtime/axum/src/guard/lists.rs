//! Conditions for the lists of handlers.

use auth_runtime_core::adapter::EvaluationResult;
use auth_runtime_core::{Action, Condition, Permitted, ProtectionSpace, Resource};

use super::{Denied, Guard, HasPolicy, KnowsCaller};

/// The maximum number of candidates of a list.
const MAX_CANDIDATES: usize = 100_000;

impl<P: HasPolicy> Guard<P> {
    /// Returns a condition for the objects of `resource_type` on which the decision point allows the caller
    /// `action`. It belongs in the query of a list, so that its pages and totals agree with the decisions
    /// about single objects.
    ///
    /// `candidates` are the objects that the list could have. The future is awaited only if the engine decides
    /// about single objects, and then each candidate is decided, as by [`filter`](Self::filter), in batches of
    /// [`ProtectionSpace::MAX_EVALUATIONS`]. The condition is about the property `id` then, and so it is for an
    /// engine that names ids: give it a column. Another engine returns a condition on properties.
    ///
    /// ```
    /// use auth_runtime::objects::{Action, Resource, SqlColumns, UnknownColumn};
    /// # use auth_runtime::{Denied, Guard, requires};
    /// # use axum::response::{IntoResponse, Response};
    /// # #[derive(Debug)]
    /// # enum Failure { Denied(Denied), Column(UnknownColumn) }
    /// # impl From<Denied> for Failure { fn from(denied: Denied) -> Self { Self::Denied(denied) } }
    /// # impl From<UnknownColumn> for Failure { fn from(error: UnknownColumn) -> Self { Self::Column(error) } }
    /// # impl IntoResponse for Failure {
    /// #     fn into_response(self) -> Response {
    /// #         match self {
    /// #             Self::Denied(denied) => denied.into_response(),
    /// #             Self::Column(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    /// #         }
    /// #     }
    /// # }
    /// const READ: Action = Action::new("read");
    ///
    /// async fn all_repositories() -> Result<Vec<Resource>, Failure> {
    ///     Ok(vec![Resource::new("Repository", "ann/garden")])
    /// }
    ///
    /// #[requires(authenticated)]
    /// async fn list(guard: Guard) -> Result<String, Failure> {
    ///     let condition = guard.permitted(READ, "Repository", all_repositories()).await?;
    ///     let columns = SqlColumns::new()
    ///         .column("id", "repositories.path")
    ///         .column("owner", "repositories.owner");
    ///     let filter = condition.to_sql(&columns)?;
    ///     Ok(format!("SELECT name FROM repositories WHERE {}", filter.text()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`], as the error of the handler, if the decision point fails or allows more than
    /// [`ProtectionSpace::MAX_EVALUATIONS`] candidates, if there are more than 100 000 candidates, or if one has
    /// another type; the error of `candidates`.
    pub async fn permitted<T, E>(
        &self,
        action: Action,
        resource_type: &str,
        candidates: impl IntoFuture<Output = Result<Vec<T>, E>>,
    ) -> Result<Condition, E>
    where
        P: KnowsCaller,
        T: Into<Resource>,
        E: From<Denied>,
    {
        let ids = match self.ask_for_objects(action, resource_type).await? {
            Permitted::When(condition) => return Ok(condition),
            Permitted::Ids(ids) => ids,
            // A kind that this version does not know has no advantage.
            _ => {
                let candidates = candidates.await?.into_iter().map(Into::into);
                let candidates: Vec<Resource> = candidates.take(MAX_CANDIDATES + 1).collect();
                check_candidates(&candidates, resource_type)?;
                self.permitted_ids(action, candidates).await?
            }
        };
        Ok(Condition::one_of("id", ids))
    }
}

impl<P: KnowsCaller> Guard<P> {
    /// Returns the ids of the permitted objects.
    async fn permitted_ids(
        &self,
        action: Action,
        objects: Vec<Resource>,
    ) -> Result<Vec<String>, Denied> {
        let mut ids = Vec::new();
        for batch in objects.chunks(ProtectionSpace::MAX_EVALUATIONS) {
            let allowed = self.can_each(action, batch.iter().cloned()).await?;
            let decided = batch.iter().zip(allowed);
            let allowed = decided.filter(|(_, is_allowed)| *is_allowed);
            ids.extend(allowed.map(|(object, _)| object.id().to_owned()));
            if ids.len() > ProtectionSpace::MAX_EVALUATIONS {
                return Err(Denied::misconfigured(
                    "a list has too many permitted objects",
                ));
            }
        }
        Ok(ids)
    }

    /// Asks the decision point for objects.
    async fn ask_for_objects(
        &self,
        action: Action,
        resource_type: &str,
    ) -> Result<Permitted, Denied> {
        let objects = self.objects()?;
        let about = objects.about(&self.caller);
        let permitted = objects.space.permitted(action, resource_type, about).await;
        let evaluated = EvaluationResult {
            engine: objects.space.engine_name(),
            evaluations: Vec::new(),
            result: permitted.as_ref().map(|_| Vec::new()).map_err(Clone::clone),
        };
        match permitted {
            Ok(permitted) => {
                self.report_grant(&evaluated);
                Ok(permitted)
            }
            Err(_) => Err(self.deny_by_outage(&evaluated)),
        }
    }
}

/// Refuses candidates that the list cannot be about.
fn check_candidates(candidates: &[Resource], resource_type: &str) -> Result<(), Denied> {
    if candidates.len() > MAX_CANDIDATES {
        return Err(Denied::misconfigured("a list has too many candidates"));
    }
    let matches = |candidate: &Resource| candidate.resource_type() == resource_type;
    if candidates.iter().all(matches) {
        Ok(())
    } else {
        Err(Denied::misconfigured(
            "a candidate of a list has another type than the list",
        ))
    }
}
