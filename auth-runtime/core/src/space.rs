//! A realm and the schemes it accepts (RFC 9110 §11.5).

mod answer;
mod authentication;
mod builder;
mod credential_fields;
mod credentials;
mod login_page;
mod report;

use std::fmt;
use std::sync::Arc;

use auth_runtime_policy::Policy;
use bytes::Bytes;
use http::request::Parts;

pub use self::answer::forbid_storing;
pub use self::authentication::{Authentication, AuthenticationFuture, Target, UsedScheme, View};
pub use self::builder::{ProtectionSpaceBuilder, SpaceError};
pub use self::credential_fields::CredentialFields;
pub use self::credentials::Form;
use self::login_page::LoginPage;
pub use self::report::DeniedObject;
use crate::caller::Caller;
use crate::challenge::{Challenge, ChallengeError};
use crate::check::{Check, Surroundings, run_named};
use crate::client_address::ClientAddress;
use crate::context::Context;
use crate::decision::{Decision, Denial, conceals};
use crate::denial_body::{DenialBody, RequestSnapshot, RequestView};
use crate::events::{Audit, Watch};
use crate::handler_location::HandlerLocation;
use crate::head::Head;
#[cfg(feature = "resource-metadata")]
use crate::resource::ProtectedResource;
use crate::scheme::{ChallengeContext, Scheme, Source};

/// The realm, its accepted schemes, and the responses to denied requests (RFC 9110 §11.5).
///
/// Cloning is cheap. A service builds it once, at start:
///
/// ```
/// use auth_runtime::{Identity, ProtectionSpace};
/// use auth_runtime::schemes::ApiKeys;
///
/// let keys = ApiKeys::builder()
///     .key("a-long-random-key-of-the-billing-job", Identity::new("billing"))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("api").scheme(keys).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ProtectionSpace(Arc<Space>);

struct Space {
    realm: Option<String>,
    schemes: Vec<Accepted>,
    unknown_paths: UnknownPaths,
    client_address: ClientAddress,
    prompts_scripts: bool,
    joins_challenges: bool,
    render: Option<Render>,
    audit: Option<Audit>,
    #[cfg(feature = "metrics")]
    counts: bool,
    #[cfg(feature = "tracing")]
    traces_subjects: bool,
    #[cfg(feature = "resource-metadata")]
    resource: Option<ProtectedResource>,
}

/// A scheme and its properties that do not change while serving.
struct Accepted {
    scheme: Box<dyn Scheme>,
    name: String,
    sources: Vec<Source>,
    is_oauth: bool,
    constrains_sender: bool,
    triggers_browser_prompt: bool,
    supports_step_up: bool,
    login_page: Option<LoginPage>,
    /// The challenge without an error. `None` if the scheme has no challenge.
    plain: Option<Challenge>,
}

/// A scheme, as described in an OpenAPI document.
pub struct Offered<'s> {
    /// Its name.
    pub name: &'s str,
    /// The places of its credentials.
    pub sources: &'s [Source],
    /// See [`Scheme::is_oauth`].
    pub is_oauth: bool,
    /// See [`Scheme::constrains_sender`].
    pub constrains_sender: bool,
    /// See [`Scheme::format`].
    pub format: Option<&'s str>,
}

type Render = Arc<dyn Fn(&Denial, &RequestSnapshot) -> DenialBody + Send + Sync>;

/// The response to an anonymous caller on an unknown path, and so on a hidden one.
///
/// On both, the response to a known caller is 404, and the response to rejected credentials is 401.
///
/// ```
/// use auth_runtime::{ProtectionSpace, UnknownPaths};
///
/// let builder = ProtectionSpace::builder()
///     .realm("git")
///     .unknown_paths(UnknownPaths::Challenge);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPaths {
    /// 404. The default.
    #[default]
    NotFound,
    /// 401 with challenges, for clients that ask their user for a password only after a 401, such
    /// as git and browsers.
    Challenge,
}

/// A policy to evaluate, its handler, and the observer of the decision.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The functions of the checks in the policy.
    pub checks: &'a [Check],
    /// The handler. `None` if the policy is not that of a handler.
    pub location: Option<HandlerLocation>,
    /// Whether the handler can check objects through its guard.
    pub denies_objects: bool,
    /// Whether every denial on the path is concealed, because the policy of some method hides it.
    pub path_is_hidden: bool,
    /// The observer.
    pub watch: &'a Watch,
}

impl Case<'_> {
    /// Returns whether the denial is concealed: by this policy, or because another policy hides the
    /// path. A denial that asks for a new login (step-up) is never concealed.
    fn hides(&self, decision: &Decision) -> bool {
        match decision {
            Decision::Hide => true,
            Decision::Deny(Denial::StepUp { .. }) | Decision::Grant | Decision::Undecided(_) => {
                false
            }
            Decision::Deny(_) => self.path_is_hidden && !self.policy.is_hidden(),
        }
    }
}

/// The decision about a request, after every check that it depends on.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The decision that the response shows.
    pub decision: Decision,
    /// Whether the handler's own denials are concealed. Only for a granted request.
    pub hides_objects: bool,
}

impl ProtectionSpace {
    /// The longest credentials that are read, in bytes. Longer ones are rejected as malformed.
    pub const MAX_CREDENTIALS: usize = 16 * 1024;

    /// The longest form that is searched for a token, in bytes, if a scheme accepts tokens in
    /// forms. The response to a longer one is 400.
    pub const MAX_FORM: usize = 1024 * 1024;

    /// The realm, if there is one.
    pub fn realm(&self) -> Option<&str> {
        self.0.realm.as_deref()
    }

    /// The names of the schemes, in the order of their challenges.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.0.schemes.iter().map(|accepted| accepted.name.as_str())
    }

    /// Returns whether the space accepts a scheme of that name.
    pub fn accepts(&self, name: &str) -> bool {
        self.schemes().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Returns whether the space and `policy` both accept a scheme that binds credentials to a key.
    pub fn can_constrain_senders(&self, policy: &Policy) -> bool {
        let mut accepted = self.0.schemes.iter();
        accepted.any(|scheme| scheme.constrains_sender && policy.accepts(&scheme.name))
    }

    /// Returns whether `policy` can lead to a 401, but none of its schemes has a challenge for it.
    pub fn cannot_ask_for(&self, policy: &Policy) -> bool {
        let schemes = self.0.schemes.iter();
        let mut accepted = schemes
            .filter(|scheme| policy.accepts(&scheme.name))
            .peekable();
        accepted.peek().is_some()
            && accepted.all(|scheme| scheme.plain.is_none())
            && policy.may_ask_for_credentials()
    }

    /// Authorizes a request without a web framework. For axum, `Guard` and
    /// `GuardedRouter` do this.
    ///
    /// `checks` are the functions of the checks in the policy. They find no path parameters, and fail
    /// if they need state. The body is not read, so tokens in forms are not found.
    ///
    /// ```
    /// use auth_runtime::{Caller, Identity, Policy, ProtectionSpace, Requirement};
    /// use auth_runtime::schemes::Bearer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bearer = Bearer::new(async |_token| Caller::known(Identity::new("ann")));
    /// let space = ProtectionSpace::builder().realm("api").scheme(bearer).build()?;
    /// let policy = Policy::requires(Requirement::authenticated());
    ///
    /// let (head, _) = http::Request::get("/").body(())?.into_parts();
    /// let denied = space.authorize(&policy, &[], &head).await.unwrap_err();
    /// assert_eq!(denied.status(), 401);
    /// assert_eq!(denied.headers()["www-authenticate"], "Bearer realm=\"api\"");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The response to return in place of the handler's. The response of a concealed denial is the
    /// space's own response for unknown paths. It is indistinguishable only if the service responds
    /// in the same way on all unknown paths.
    pub async fn authorize(
        &self,
        policy: &Policy,
        checks: &[Check],
        head: &Parts,
    ) -> Result<Caller, http::Response<Bytes>> {
        let surroundings = Surroundings {
            head: Head::from(head),
            parameters: &[],
            state: &(),
        };
        let admitted = self
            .admit(policy, checks, None, surroundings, false, None)
            .await;
        admitted.map(|admitted| admitted.caller)
    }

    /// Returns a scheme that has no valid challenge for the realm of `policy`, and the error.
    pub fn refuses_realm(&self, policy: &Policy) -> Option<(&str, ChallengeError)> {
        let occasion = ChallengeContext {
            realm: Some(policy.own_realm()?),
            resource_metadata: self.0.resource_metadata(),
            scopes: &[],
            problem: None,
        };
        let mut accepted = self.0.schemes.iter();
        accepted.find_map(|accepted| {
            let challenge = accepted.scheme.challenge(&occasion);
            let error = challenge.err().filter(|_| policy.accepts(&accepted.name))?;
            Some((accepted.name.as_str(), error))
        })
    }

    /// Returns the reason why no credentials that the space accepts can meet `policy`, if so.
    fn nobody_could_meet(&self, policy: &Policy) -> Option<String> {
        if let Some(names) = policy.accepted_schemes()
            && !names.iter().any(|name| self.accepts(name))
        {
            return Some(format!(
                "a handler accepts the schemes {names:?} only, and the protection space has none of \
                 them"
            ));
        }
        if let Some((scheme, error)) = self.refuses_realm(policy) {
            return Some(format!(
                "the scheme `{scheme}` has no challenge for the realm of a handler: {error}"
            ));
        }
        if self.cannot_ask_for(policy) {
            return Some(
                "a handler is not hidden whose schemes cannot be asked for by a challenge"
                    .to_owned(),
            );
        }
        let is_unbound = policy.demands_bound_credentials() && !self.can_constrain_senders(policy);
        is_unbound.then(|| {
            "a handler requires `sender_constrained`, and the protection space has no scheme that \
             binds credentials to a key"
                .to_owned()
        })
    }

    /// Authorizes like [`authorize`](Self::authorize), and returns all that a guard needs. An
    /// `assumed` caller replaces the one that the credentials belong to.
    pub async fn admit(
        &self,
        policy: &Policy,
        checks: &[Check],
        location: Option<HandlerLocation>,
        surroundings: Surroundings<'_>,
        denies_objects: bool,
        assumed: Option<&Caller>,
    ) -> Result<Admitted, http::Response<Bytes>> {
        let head = surroundings.head;
        if policy.requirement().is_none() {
            self.report_public(policy, location, head);
            return Ok(Admitted {
                caller: Caller::Anonymous,
                sender: Authentication::caller(Caller::Anonymous, UsedScheme::Nothing),
                hides_objects: false,
            });
        }
        if let Some(problem) = self.nobody_could_meet(policy) {
            // A 401 would promise access that no credentials can give.
            tracing::error!("{problem}; the request is answered 500");
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            return Err(response);
        }
        let watch = self.watch(location.as_ref());
        let case = Case {
            policy,
            checks,
            location,
            denies_objects,
            path_is_hidden: false,
            watch: &watch,
        };
        let target = Target::handler(policy, false);
        let authentication = match assumed {
            Some(caller) => AuthenticationFuture::Done(self.assume(caller, target)),
            None => self.authenticate(head, target),
        };
        let sender = watch.around(authentication).await;
        let ruling = self.rule_asking(&case, &sender, surroundings).await;
        let denial = match (ruling.decision, self.caller_for(policy, &sender)) {
            (Decision::Grant, Some(caller)) => {
                return Ok(Admitted {
                    caller: caller.clone(),
                    sender,
                    hides_objects: ruling.hides_objects,
                });
            }
            (Decision::Deny(denial), _) => {
                return Err(self.answer(Some(policy), &denial, &sender, RequestView::Now(head)));
            }
            // Only concealed denials remain; an ambiguous caller is concealed as well.
            _ => self.deny_unknown_path(&sender),
        };
        let denial = denial.unwrap_or(Denial::NotFound);
        Err(self.answer(None, &denial, &sender, RequestView::Now(head)))
    }

    /// Returns the decision about a request, or the check that it depends on.
    pub fn rule(
        &self,
        case: &Case<'_>,
        sender: &Authentication,
        head: Head<'_>,
    ) -> Result<Ruling, &'static str> {
        match self.facts(case.policy, sender, head) {
            Some(facts) => self.rule_by(case, &facts, (sender, head)),
            None => Ok(self.rule_broken(case, (sender, head))),
        }
    }

    /// Returns the decision about a request, and runs the checks that it depends on.
    pub async fn rule_asking(
        &self,
        case: &Case<'_>,
        sender: &Authentication,
        surroundings: Surroundings<'_>,
    ) -> Ruling {
        let request = (sender, surroundings.head);
        let Some(mut facts) = self.facts(case.policy, sender, surroundings.head) else {
            return self.rule_broken(case, request);
        };
        loop {
            match (self.rule_by(case, &facts, request), facts.caller) {
                (Ok(ruling), _) => return ruling,
                (Err(check), Caller::Known(identity)) => {
                    let answer = run_named(case.checks, check, identity, surroundings);
                    facts = facts.checked(check, case.watch.around(answer).await);
                }
                // Checks are about known callers only, so none is run for other callers.
                (Err(check), _) => facts = facts.checked(check, None),
            }
        }
    }

    fn rule_by(
        &self,
        case: &Case<'_>,
        facts: &Context<'_>,
        request: (&Authentication, Head<'_>),
    ) -> Result<Ruling, &'static str> {
        let decision = match Decision::of(case.policy, facts) {
            Decision::Undecided(check) => return Err(check),
            decision => decision,
        };
        let is_granted = decision == Decision::Grant;
        let hides_objects = case.denies_objects && is_granted && conceals(case.policy, facts)?;
        Ok(self.settle(case, request, Some(facts), decision, hides_objects))
    }

    /// Decides about ambiguous credentials (rule 5).
    fn rule_broken(&self, case: &Case<'_>, request: (&Authentication, Head<'_>)) -> Ruling {
        let decision = if case.policy.is_hidden() {
            Decision::Hide
        } else {
            Decision::Deny(Denial::InvalidRequest)
        };
        self.settle(case, request, None, decision, false)
    }

    /// Reports a decision, and conceals it if necessary. Every decision ends here.
    fn settle(
        &self,
        case: &Case<'_>,
        request: (&Authentication, Head<'_>),
        facts: Option<&Context<'_>>,
        decision: Decision,
        hides_objects: bool,
    ) -> Ruling {
        let is_hidden = case.hides(&decision);
        self.report_decision(case, request, facts, &decision, is_hidden);
        Ruling {
            decision: if is_hidden { Decision::Hide } else { decision },
            hides_objects,
        }
    }

    /// Returns the facts that a policy is evaluated on. `None` if the credentials are ambiguous.
    pub fn facts<'f>(
        &self,
        policy: &Policy,
        sender: &'f Authentication,
        head: Head<'_>,
    ) -> Option<Context<'f>> {
        let facts = Context::new(self.caller_for(policy, sender)?);
        let used = self.scheme_used(Some(policy), sender);
        let used = used.and_then(|index| self.0.schemes.get(index));
        let facts = match used {
            Some(accepted) if accepted.is_oauth => facts.by_oauth(),
            _ => facts,
        };
        let facts = match self.can_constrain_senders(policy) {
            true => facts,
            false => facts.without_binding(),
        };
        let address = policy
            .asks_for_network()
            .then(|| self.0.client_address.find_for_network(head))
            .flatten();
        Some(match address {
            Some(address) => facts.from_address(address),
            None => facts,
        })
    }

    /// Returns the denial of a request to an unknown path. `None` leaves the response to the
    /// fallback.
    pub fn deny_unknown_path(&self, sender: &Authentication) -> Option<Denial> {
        let unauthenticated = |rejection| Denial::Unauthenticated {
            rejection,
            scopes: Vec::new(),
        };
        match sender.to_unknown_path().caller() {
            None => Some(Denial::InvalidRequest),
            Some(caller) => match caller {
                Caller::Rejected(rejection) => Some(unauthenticated(Some(*rejection))),
                Caller::Unverifiable { retry_after } => Some(Denial::Unverifiable {
                    retry_after: *retry_after,
                }),
                Caller::Anonymous if self.0.unknown_paths == UnknownPaths::Challenge => {
                    Some(unauthenticated(None))
                }
                Caller::Anonymous | Caller::Known(_) => None,
            },
        }
    }

    /// Returns whether both are clones of one space.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The schemes, in the order of their challenges.
    pub fn offered(&self) -> impl Iterator<Item = Offered<'_>> {
        self.0.schemes.iter().map(|accepted| Offered {
            name: &accepted.name,
            sources: &accepted.sources,
            is_oauth: accepted.is_oauth,
            constrains_sender: accepted.constrains_sender,
            format: accepted.scheme.format(),
        })
    }

    /// The schemes that `policy` accepts.
    pub fn offered_to(&self, policy: &Policy) -> Vec<Offered<'_>> {
        let offered = self.offered();
        offered
            .filter(|scheme| policy.accepts(scheme.name))
            .collect()
    }

    /// Returns whether the response to anonymous callers on unknown paths is 401.
    pub fn challenges_unknown_paths(&self) -> bool {
        self.0.unknown_paths == UnknownPaths::Challenge
    }

    /// Returns whether the service renders the bodies of denials itself.
    pub fn renders_bodies(&self) -> bool {
        self.0.render.is_some()
    }

    /// The URL of the resource's metadata, if it is published.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.0.resource_metadata()
    }

    /// The resource, if its metadata is published.
    #[cfg(feature = "resource-metadata")]
    pub fn resource(&self) -> Option<&ProtectedResource> {
        self.0.resource.as_ref()
    }
}

/// A granted request.
pub struct Admitted {
    /// The caller.
    pub caller: Caller,
    /// The authentication.
    pub sender: Authentication,
    /// Whether the handler's own denials are concealed.
    pub hides_objects: bool,
}

impl fmt::Debug for ProtectionSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.schemes().collect();
        f.debug_struct("ProtectionSpace")
            .field("realm", &self.0.realm)
            .field("schemes", &schemes)
            .field("unknown_paths", &self.0.unknown_paths)
            .field("client_address", &self.0.client_address)
            .finish_non_exhaustive()
    }
}
