//! A limit on the time of a decision point.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::decision_point::{
    DecisionPoint, DecisionPointError, EvaluationFuture, EvaluationRequest, PermittedFuture,
    TokenScope,
};

/// A [`DecisionPoint`] that fails if another one does not decide in time: nothing is granted, and the
/// response is 503 with `Retry-After`, or, where denials are concealed, that of an unknown path.
///
/// The work of the engine is dropped at its next `await`. A function that blocks its thread is not
/// interrupted.
///
/// It is for [`ObjectRules`](crate::ObjectRules) and for engines of a service, which have no limit by default.
/// Remote engines have a timeout of their own: set that, and not a shorter deadline around them. They count
/// failures of their server, and a request that is dropped from outside is not counted.
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime::ProtectionSpaceBuilder;
/// use auth_runtime::objects::{DecisionDeadline, ObjectRequest, ObjectRules};
///
/// async fn repository(request: ObjectRequest<'_>) -> bool {
///     request.id().starts_with(request.identity().subject())
/// }
///
/// fn with_rules(space: ProtectionSpaceBuilder) -> ProtectionSpaceBuilder {
///     let rules = ObjectRules::new(()).on("Repository", repository);
///     let rules = DecisionDeadline::new(rules, Duration::from_secs(2), tokio::time::sleep);
///     space.decision_point(rules)
/// }
/// ```
pub struct DecisionDeadline<E> {
    engine: E,
    time: Duration,
    sleep: Box<dyn Fn(Duration) -> Sleep + Send + Sync>,
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<E: DecisionPoint> DecisionDeadline<E> {
    /// Limits the time of `engine` for all questions of one call together, and for one list.
    ///
    /// `sleep` is the timer of the runtime: `tokio::time::sleep`. It returns a future that ends after the
    /// given time.
    pub fn new<F>(
        engine: E,
        time: Duration,
        sleep: impl Fn(Duration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            engine,
            time,
            sleep: Box::new(move |time| Box::pin(sleep(time))),
        }
    }

    /// Waits for the engine or for the end of its time, whichever is first.
    async fn limit<T>(
        &self,
        work: impl Future<Output = Result<T, DecisionPointError>>,
    ) -> Result<T, DecisionPointError> {
        let mut work = pin!(work);
        let mut sleep = (self.sleep)(self.time);
        poll_fn(|context| {
            if let Poll::Ready(result) = work.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            sleep.as_mut().poll(context).map(|()| {
                let message = format!("no decision within {:?}", self.time);
                Err(DecisionPointError::new(message))
            })
        })
        .await
    }
}

impl<E: DecisionPoint> DecisionPoint for DecisionDeadline<E> {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        Box::pin(self.limit(self.engine.evaluate(request)))
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        let permitted = self.engine.permitted(action, resource_type, request);
        Box::pin(self.limit(permitted))
    }

    fn decides_about(&self, action: &str, resource_type: &str) -> bool {
        self.engine.decides_about(action, resource_type)
    }

    fn resource_types(&self) -> Vec<&str> {
        self.engine.resource_types()
    }

    fn token_scope(&self) -> Option<TokenScope> {
        self.engine.token_scope()
    }
}

impl<E: DecisionPoint> fmt::Debug for DecisionDeadline<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionDeadline")
            .field("engine", &self.engine.name())
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
