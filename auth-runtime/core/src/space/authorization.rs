//! Authorization of a request: the decision of its policy, after every check that it depends on.

use std::ops::Deref;
use std::sync::Arc;

use auth_runtime_policy::{Access, Atom, Disclosure, Policy, Requirement};
use bytes::Bytes;

use super::Space;
use super::authentication::Authentication;
use super::authentication::AuthenticationFuture;
use super::credentials::RequestBody;
use super::route_constants::RouteConstants;
use super::target::Target;
use crate::caller::Caller;
use crate::context::Context;
use crate::decision::denial_details::DenialDetails;
use crate::decision::{self, Decision, Denial, conceals, missing};
use crate::decision_point::request_data::RequestData;
use crate::events::Watch;
use crate::handler_location::HandlerLocation;
use crate::head::Head;
use crate::request_snapshot::RequestView;
use crate::service_function::{FunctionKind, ServiceFunction, Surroundings, run_named};

/// The policy of a handler, and the parts of the handler that the decision depends on.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    /// The policy. On a path with a hidden method, it is [hidden](Policy::on_hidden_path) as well.
    pub policy: &'a Policy,
    /// The functions that the policy names.
    pub functions: &'a [ServiceFunction],
    /// The handler. `None` if the policy is not that of a handler.
    pub location: Option<&'a HandlerLocation>,
    /// True if the handler can deny objects through its guard.
    pub uses_guard: bool,
    /// The constants of the route, if it was mounted.
    pub constants: Option<&'a RouteConstants>,
    /// Whether the path is unknown. Then the policy is [`UNKNOWN_PATH`], and the request is reported as
    /// one to an unknown path.
    pub is_unknown_path: bool,
}

/// The policy of unknown paths. It is evaluated so that a response takes the same time as on a hidden path;
/// the adapter conceals a granted request as well.
pub static UNKNOWN_PATH: Policy = Policy::new(
    Access::Requires(Requirement::scope("unknown")),
    Disclosure::Hidden(None),
);

/// The decision about a request.
#[derive(Debug)]
pub struct Authorization {
    /// The decision. It is not [`Decision::Undecided`].
    pub decision: SharedDecision,
    /// The requirements that the caller of a disclosed denial does not meet. Empty unless the service renders
    /// bodies itself.
    pub missing: Vec<Atom>,
    /// True if the denial of an object is concealed. Only for a granted request.
    pub conceal: bool,
    /// The data that the decision point keeps for the request, if it was asked.
    pub data: Option<Box<RequestData>>,
}

/// A decision that was made for a request, or a constant of its route. `None` is a grant, which needs no
/// allocation.
#[derive(Debug)]
pub struct SharedDecision(Option<Arc<Decision>>);

impl From<Decision> for SharedDecision {
    fn from(decision: Decision) -> Self {
        Self((decision != Decision::Grant).then(|| Arc::new(decision)))
    }
}

impl Deref for SharedDecision {
    type Target = Decision;

    fn deref(&self) -> &Decision {
        const GRANT: &Decision = &Decision::Grant;
        self.0.as_deref().unwrap_or(GRANT)
    }
}

impl Authorization {
    /// The authorization of a request to a public handler, which ignores credentials.
    pub fn public() -> Self {
        Self::new(SharedDecision(None))
    }

    fn new(decision: SharedDecision) -> Self {
        Self {
            decision,
            missing: Vec::new(),
            conceal: false,
            data: None,
        }
    }
}

/// The authorization of a request.
impl Space {
    /// Authorizes like [`authorize`](crate::ProtectionSpace::authorize), and returns all that a guard needs. An
    /// `assumed` caller replaces the one that the credentials belong to.
    ///
    /// # Errors
    ///
    /// The response to a denied request.
    pub async fn authorize_route(
        &self,
        route: Route<'_>,
        surroundings: Surroundings<'_>,
        assumed: Option<&Caller>,
    ) -> Result<(Authentication, Authorization), http::Response<Bytes>> {
        let (policy, head) = (route.policy, surroundings.head);
        if policy.ignores_credentials() {
            self.report_public(policy, route.location, head);
            return Ok((Authentication::anonymous(), Authorization::public()));
        }
        let handler = route.location.map(HandlerLocation::handler);
        let handler = handler.unwrap_or("ProtectionSpace::authorize");
        if let Some(problem) = self.obstacle_for_all(policy, handler) {
            // A 401 would promise access that no credentials can give.
            tracing::error!("{problem}; the response is 500");
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            return Err(response);
        }
        let watch = self.watch(route.location);
        let target = Target::of(policy);
        let authentication = match assumed {
            Some(caller) => AuthenticationFuture::Done(self.assume(caller, target)),
            None => self.authenticate(head, target),
        };
        let authentication = watch.around(authentication).await;
        let authorization = self
            .decide_with_checks(&route, &authentication, &surroundings, &watch)
            .await;
        let request = RequestView::Head(head);
        Err(match &*authorization.decision {
            Decision::Grant => return Ok((authentication, authorization)),
            Decision::Deny(denial) => {
                let details = DenialDetails::of_policy(denial, policy, &authorization.missing);
                self.respond(details, &authentication, request)
            }
            // An undecided request is concealed as well.
            Decision::Conceal | Decision::Undecided(_) => {
                self.respond_to_unknown_path(&authentication, request)
            }
        })
    }

    /// Decides about a request, without running a check. `None` if a check has to run first, or if the
    /// challenge needs the path parameters.
    pub fn decide(
        &self,
        route: Route<'_>,
        authentication: &Authentication,
        head: Head<'_>,
        watch: &Watch,
    ) -> Option<Authorization> {
        if let Some(decision) = self.decided_before(route, authentication, head, watch) {
            return Some(Authorization::new(SharedDecision(Some(Arc::clone(
                decision,
            )))));
        }
        let context = self.context(route.policy, authentication, head);
        let (decision, conceal) = decide_route(route, context.as_ref()).ok()?;
        if self.lacks_object_scopes(route.policy, &decision) {
            return None;
        }
        let request = (authentication, head);
        self.report_decision(route, request, context.as_ref(), None, &decision, watch);
        let missing = self.missing(route.policy, context.as_ref(), &decision);
        Some(Authorization {
            missing,
            conceal,
            ..Authorization::new(decision.into())
        })
    }

    /// The decision about a caller without credentials that was made when the route was mounted, unless a
    /// record or a body needs more than the decision.
    fn decided_before<'r>(
        &self,
        route: Route<'r>,
        authentication: &Authentication,
        head: Head<'_>,
        watch: &Watch,
    ) -> Option<&'r Arc<Decision>> {
        let decision = route.constants.and_then(RouteConstants::anonymous)?;
        let is_enough = authentication.is_anonymous()
            && !watch.is_on()
            && !self.renders_bodies()
            && !RequestBody::is_unreadable(head);
        is_enough.then_some(decision)
    }

    /// Decides about a request, and runs the checks that the decision depends on.
    pub async fn decide_with_checks(
        &self,
        route: &Route<'_>,
        authentication: &Authentication,
        surroundings: &Surroundings<'_>,
        watch: &Watch,
    ) -> Authorization {
        let mut context = self.context(route.policy, authentication, surroundings.head);
        if let Some(context) = &mut context
            && !matches!(context.caller, Caller::Known(_))
        {
            // Those of a known caller are added with the decisions.
            self.add_object_scopes(route.policy, context, surroundings.parameters);
        }
        let mut evaluated = None;
        let data = self.request_data();
        let (decision, conceal) = loop {
            let open = match decide_route(*route, context.as_ref()) {
                Ok(decided) => break decided,
                Err(open) => open,
            };
            let Some(context) = &mut context else {
                continue;
            };
            match (open, context.caller) {
                (Atom::Check(name), Caller::Known(identity)) => {
                    let result = run_named(
                        route.functions,
                        name,
                        FunctionKind::check_call,
                        identity,
                        surroundings,
                    );
                    let result = watch.around(result).await;
                    context.add_answer(open.clone(), result);
                }
                (_, Caller::Known(identity)) => {
                    let data = data.as_deref();
                    let asked =
                        self.ask_about_objects(route, identity, context, surroundings, data);
                    let asked = watch.around(asked).await;
                    // Each round answers at least one atom.
                    if asked.is_none() && context.is_open(open) {
                        context.add_answer(open.clone(), None);
                    }
                    evaluated = asked.or(evaluated);
                }
                // Checks and decision points decide about known callers only.
                _ => context.add_answer(open.clone(), None),
            }
        };
        let (context, request) = (context.as_ref(), (authentication, surroundings.head));
        self.report_decision(
            *route,
            request,
            context,
            evaluated.as_ref(),
            &decision,
            watch,
        );
        let missing = self.missing(route.policy, context, &decision);
        Authorization {
            decision: decision.into(),
            missing,
            conceal,
            data,
        }
    }

    /// Returns the requirements that the caller of a disclosed denial does not meet, if the service renders
    /// bodies itself.
    fn missing(
        &self,
        policy: &Policy,
        context: Option<&Context<'_>>,
        decision: &Decision,
    ) -> Vec<Atom> {
        match (context, decision) {
            (Some(context), Decision::Deny(denial)) if self.renders_bodies() => {
                missing(policy, context, denial)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the context that a policy is evaluated in. `None` if the credentials are ambiguous, or
    /// if the body of the request could not be read.
    pub fn context<'c>(
        &self,
        policy: &Policy,
        authentication: &'c Authentication,
        head: Head<'_>,
    ) -> Option<Context<'c>> {
        if RequestBody::is_unreadable(head) {
            return None;
        }
        let used = authentication.to_policy().scheme();
        let used = used.and_then(|index| self.schemes.get(index));
        let mut context = Context::new(self.caller_for(policy, authentication)?);
        context.clock = self.clock.clone();
        context.settings = self.settings.clone();
        context.is_oauth = used.is_some_and(|accepted| accepted.is_oauth);
        context.has_token_server = used.is_some_and(|accepted| accepted.has_token_server);
        context.can_be_bound = match context.caller {
            // The credentials may be of a scheme without a challenge.
            Caller::Unverifiable { .. } => self.can_constrain_senders(policy),
            _ => self.can_ask_for_binding(policy),
        };
        context.can_step_up = self.can_step_up(policy);
        if policy.depends_on_network() {
            context.address = self.client_address.find_for_network(head);
        }
        Some(context)
    }

    /// Returns the denial of an object to the caller of a granted request: that of a handler which requires an
    /// identity (rules 2, 4 and 5), and 403 for a known caller, or if no scheme has a challenge for a 401.
    pub fn deny_object(&self, policy: &Policy, authentication: &Authentication) -> Denial {
        let Some(caller) = self.caller_for(policy, authentication) else {
            return Denial::InvalidRequest;
        };
        match Denial::without_identity(caller, Vec::new) {
            Some(Denial::Unauthenticated { .. }) if !self.can_ask(policy) => Denial::FORBIDDEN,
            denial => denial.unwrap_or(Denial::FORBIDDEN),
        }
    }

    /// Returns the denial of a request to an unknown path. `None` leaves the response to the
    /// fallback.
    pub fn deny_unknown_path(&self, authentication: &Authentication) -> Option<Denial> {
        let Some(caller) = authentication.to_unknown_path().caller() else {
            return Some(Denial::InvalidRequest);
        };
        let is_anonymous = matches!(caller, Caller::Anonymous);
        Denial::without_identity(caller, Vec::new)
            .filter(|_| !is_anonymous || self.challenges_unknown_paths())
    }
}

/// The decision, and whether the denial of an object is concealed; or the atom that both depend on.
fn decide_route<'p>(
    route: Route<'p>,
    context: Option<&Context<'_>>,
) -> Result<(Decision, bool), &'p Atom> {
    let policy = route.policy;
    let Some(context) = context else {
        // Ambiguous credentials, or an unreadable body (rule 5).
        return Ok(if policy.is_hidden() {
            (Decision::Conceal, false)
        } else {
            (Decision::Deny(Denial::InvalidRequest), false)
        });
    };
    let decision = decision::decide(policy, context)?;
    let is_granted = decision == Decision::Grant;
    let conceal = route.uses_guard && is_granted && conceals(policy, context)?;
    Ok((decision, conceal))
}
