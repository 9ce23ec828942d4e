//! The challenges of a denial.

use std::borrow::Cow;

use auth_runtime_policy::Policy;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Space;
use super::accepted_scheme::Accepted;
use super::application::Application;
use crate::caller::Rejection;
use crate::challenge::Challenge;
use crate::decision::Denial;
use crate::scheme::{ChallengeContext, ErrorCode, Scheme};

/// A challenge, the index of its scheme, and the fields that accompany it.
pub(super) struct SelectedChallenge {
    index: usize,
    challenge: Challenge,
    /// True if browsers open a password prompt for the challenge.
    prompts: bool,
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// The challenges of a denial that are the same in every response.
#[derive(Debug)]
pub(super) struct ConstantChallenges {
    /// The lines of `WWW-Authenticate`.
    lines: Vec<HeaderValue>,
    /// The indexes of the schemes.
    schemes: Vec<usize>,
}

impl ConstantChallenges {
    /// `None` if a challenge is not constant.
    pub(super) fn of(space: &Space, challenges: Vec<SelectedChallenge>) -> Option<Self> {
        let mut schemes: Vec<usize> = challenges.iter().map(|selected| selected.index).collect();
        schemes.dedup();
        let is_constant = challenges
            .iter()
            .all(|selected| selected.challenge.is_constant());
        is_constant.then(|| Self {
            lines: space.lines(challenges),
            schemes,
        })
    }
}

/// The selection of the challenges of a denial.
pub(super) struct ChallengeSelection<'a> {
    pub(super) space: &'a Space,
    /// `None` on an unknown path.
    pub(super) policy: Option<&'a Policy>,
    pub(super) used: Option<usize>,
    pub(super) is_known: bool,
    /// True if challenges that open a browser's prompt are left out, since a script sent the
    /// request.
    pub(super) spares_script: bool,
}

/// Leaves out challenges that open a browser's password prompt, since the script handles the
/// response itself. A 401 always keeps at least one challenge (RFC 9110 §11.6.1).
pub(super) fn leave_out_prompts(challenges: &mut Vec<SelectedChallenge>) {
    if challenges.iter().any(|selected| !selected.prompts) {
        challenges.retain(|selected| !selected.prompts);
    }
}

impl Space {
    /// Returns whether some challenges are left out of responses to scripts.
    pub(super) fn spares_scripts(&self) -> bool {
        let prompts = |accepted: &Accepted| {
            let application = accepted.application.as_ref();
            accepted.triggers_browser_prompt
                || application.is_some_and(|own| own.triggers_browser_prompt)
        };
        !self.prompts_scripts && self.schemes.iter().any(prompts)
    }

    /// Returns one line for each challenge, since many clients miss the second challenge of a line.
    /// With `joins_challenges`, returns all on one line, for gateways that forward only the first
    /// line.
    pub(super) fn lines(&self, challenges: Vec<SelectedChallenge>) -> Vec<HeaderValue> {
        let lines = challenges.into_iter();
        let lines = lines.map(|selected| selected.challenge.into_header_value());
        let mut lines: Vec<HeaderValue> = lines.collect();
        // Several schemes may have the same application, which may also be a scheme of the space.
        if self
            .schemes
            .iter()
            .any(|accepted| accepted.application.is_some())
        {
            let mut sent: Vec<HeaderValue> = Vec::with_capacity(lines.len());
            lines.retain(|line| {
                let is_new = !sent.contains(line);
                sent.push(line.clone());
                is_new
            });
        }
        if !self.joins_challenges || lines.len() < 2 {
            return lines;
        }
        let texts: Vec<&[u8]> = lines.iter().map(HeaderValue::as_bytes).collect();
        let joined = HeaderValue::from_bytes(&texts.join(&b", "[..]));
        joined.map_or(lines, |joined| vec![joined])
    }
}

impl<'a> ChallengeSelection<'a> {
    /// Returns the challenges of a denial, in the order of the schemes.
    pub(super) fn challenges(&self, denial: &Denial) -> Vec<SelectedChallenge> {
        let was_used = |index: usize, _: &Accepted| self.used == Some(index);
        let opens = |_: usize, accepted: &Accepted| self.opens(accepted);
        let is_oauth = |_: usize, accepted: &Accepted| accepted.is_oauth && self.opens(accepted);
        let supports_step_up =
            |_: usize, accepted: &Accepted| accepted.supports_step_up && self.opens(accepted);
        match denial {
            // The error goes with the challenge of the scheme that was used.
            Denial::SenderConstraintRequired => self.make(
                denial,
                &[],
                &|_, accepted| accepted.constrains_sender,
                &|index| {
                    let is_own = self.used == Some(index);
                    is_own.then_some(ErrorCode::InvalidToken(Rejection::Invalid))
                },
            ),
            // Other credentials of the client would be as long.
            Denial::Unauthenticated {
                rejection: Some(Rejection::TooLong),
                ..
            } => Vec::new(),
            // All schemes that can grant access are challenged; the error goes with the one that
            // was used.
            Denial::Unauthenticated { rejection, scopes } => {
                self.make(denial, scopes, &opens, &|index| {
                    let rejection = rejection.filter(|_| self.used == Some(index));
                    rejection.map(ErrorCode::InvalidToken)
                })
            }
            // A step-up is requested by the schemes that report the method of the login.
            Denial::StepUp {
                acr_values,
                max_age,
            } => {
                let error = ErrorCode::InsufficientUserAuthentication {
                    acr_values,
                    max_age: *max_age,
                };
                let challenges = self.make(denial, &[], &supports_step_up, &|_| Some(error));
                if challenges.is_empty() {
                    self.make(denial, &[], &opens, &|_| Some(error))
                } else {
                    challenges
                }
            }
            Denial::InsufficientScope { scopes, .. } => {
                self.make(denial, scopes, &was_used, &|_| {
                    Some(ErrorCode::InsufficientScope)
                })
            }
            // RFC 6750 §3 requires a challenge whenever the token does not grant access. An error
            // would make clients request scopes that do not help.
            Denial::Forbidden { .. } if self.is_known => {
                let is_own =
                    |index, accepted: &Accepted| was_used(index, accepted) && accepted.is_oauth;
                let mut challenges = self.make(denial, &[], &is_own, &|_| None);
                // Further ones would request other credentials.
                challenges.truncate(1);
                challenges
            }
            Denial::InvalidRequest => {
                self.make(denial, &[], &is_oauth, &|_| Some(ErrorCode::InvalidRequest))
            }
            Denial::Forbidden { .. } | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
        }
    }

    fn context<'p>(
        &self,
        scopes: &'p [Cow<'static, str>],
        error: Option<ErrorCode<'p>>,
    ) -> ChallengeContext<'p>
    where
        'a: 'p,
    {
        let own_realm = self.policy.and_then(Policy::own_realm);
        ChallengeContext {
            realm: own_realm.or(self.space.realm.as_deref()),
            resource_metadata: self.space.resource_metadata(),
            scopes,
            error,
        }
    }

    /// Returns whether credentials of the scheme can grant access. A challenge is for such schemes
    /// (RFC 9110 §11.3), unless it reports an error of the credentials that were sent.
    pub(super) fn opens(&self, accepted: &Accepted) -> bool {
        self.policy.is_none_or(|policy| accepted.can_meet(policy))
    }

    /// Returns the schemes that the space and the policy accept.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (usize, &'a Accepted)> {
        let policy = self.policy;
        let schemes = self.space.schemes.iter().enumerate();
        schemes.filter(move |(_, accepted)| policy.is_none_or(|own| own.accepts(&accepted.name)))
    }

    /// Returns the challenges of each accepted scheme that `matches` and has a challenge. That of an application
    /// follows if the denial asks for credentials. It stands alone if those of the user are valid.
    fn make<'p>(
        &self,
        denial: &Denial,
        scopes: &'p [Cow<'static, str>],
        matches: &dyn Fn(usize, &Accepted) -> bool,
        error: &dyn Fn(usize) -> Option<ErrorCode<'p>>,
    ) -> Vec<SelectedChallenge>
    where
        'a: 'p,
    {
        let asks = matches!(
            denial,
            Denial::Unauthenticated { .. } | Denial::SenderConstraintRequired
        );
        let mut made = Vec::new();
        for (index, accepted) in self.accepted() {
            let Some(plain) = &accepted.plain else {
                continue;
            };
            if !matches(index, accepted) {
                continue;
            }
            let error = error(index);
            let of_application = match error {
                Some(ErrorCode::InvalidToken(rejection)) if rejection.is_of_application() => {
                    Some(rejection)
                }
                _ => None,
            };
            if of_application.is_none() {
                let context = self.context(scopes, error);
                made.push(SelectedChallenge {
                    index,
                    challenge: self.challenge_or_plain(&*accepted.scheme, &context, plain),
                    prompts: accepted.triggers_browser_prompt,
                    fields: accepted.scheme.fields(&context),
                });
                for challenge in accepted.scheme.further_challenges(&context) {
                    made.push(SelectedChallenge {
                        index,
                        challenge,
                        prompts: accepted.triggers_browser_prompt,
                        fields: Vec::new(),
                    });
                }
            }
            if asks && let Some(application) = &accepted.application {
                made.push(SelectedChallenge {
                    index,
                    challenge: self.challenge_of(application, accepted, of_application),
                    prompts: application.triggers_browser_prompt,
                    fields: Vec::new(),
                });
            }
        }
        made
    }

    /// Returns the challenge of the application of a scheme.
    fn challenge_of(
        &self,
        application: &Application,
        accepted: &Accepted,
        rejection: Option<Rejection>,
    ) -> Challenge {
        let is_invalid = rejection == Some(Rejection::InvalidApplication);
        let error = is_invalid.then_some(ErrorCode::InvalidToken(Rejection::Invalid));
        let context = self.context(&[], error);
        match accepted.scheme.application() {
            Some(scheme) => self.challenge_or_plain(scheme, &context, &application.plain),
            None => application.plain.clone(),
        }
    }

    /// Returns the challenge of a scheme. If it is invalid for this request, returns the one without an error and
    /// scopes, in the realm of the handler.
    fn challenge_or_plain(
        &self,
        scheme: &dyn Scheme,
        context: &ChallengeContext<'_>,
        plain: &Challenge,
    ) -> Challenge {
        let challenge = scheme.challenge(context);
        let challenge = challenge.or_else(|_| scheme.challenge(&self.context(&[], None)));
        challenge.unwrap_or_else(|_| plain.clone())
    }

    /// Makes the challenges of a denial, and adds the fields that accompany them.
    pub(super) fn make_lines(
        &self,
        denial: &Denial,
        fields: &mut HeaderMap,
    ) -> Cow<'static, [HeaderValue]> {
        let mut challenges = self.challenges(denial);
        if challenges.is_empty() {
            return Cow::Borrowed(&[]);
        }
        if self.spares_script {
            leave_out_prompts(&mut challenges);
        }
        for selected in &mut challenges {
            insert(fields, std::mem::take(&mut selected.fields));
        }
        Cow::Owned(self.space.lines(challenges))
    }

    /// Returns the challenges that were built for the route, and adds the fields that accompany them.
    pub(super) fn built<'b>(
        &self,
        built: &'b ConstantChallenges,
        denial: &Denial,
        fields: &mut HeaderMap,
    ) -> Cow<'b, [HeaderValue]> {
        let (scopes, error) = match denial {
            Denial::Unauthenticated { scopes, .. } => (scopes.as_slice(), None),
            Denial::InsufficientScope { scopes, .. } => {
                (scopes.as_slice(), Some(ErrorCode::InsufficientScope))
            }
            _ => (&[][..], None),
        };
        let context = self.context(scopes, error);
        for accepted in built
            .schemes
            .iter()
            .filter_map(|index| self.space.schemes.get(*index))
        {
            insert(fields, accepted.scheme.fields(&context));
        }
        Cow::Borrowed(&built.lines)
    }

    /// Returns the fields that remove ambiguous cookies. Their scheme has no challenge in this
    /// response.
    pub(super) fn ambiguous_cookie_fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let used = self.used.and_then(|index| self.space.schemes.get(index));
        let error = Some(ErrorCode::InvalidRequest);
        used.map_or_else(Vec::new, |accepted| {
            accepted.scheme.fields(&self.context(&[], error))
        })
    }
}

/// Sets the fields of a scheme. Of these, only `Set-Cookie` may have several lines (RFC 9110 §5.3); equal lines are
/// sent once.
pub(super) fn insert(headers: &mut HeaderMap, fields: Vec<(HeaderName, HeaderValue)>) {
    for (name, value) in fields {
        if name != SET_COOKIE {
            headers.insert(name, value);
        } else if headers.get_all(SET_COOKIE).iter().all(|line| line != value) {
            headers.append(SET_COOKIE, value);
        }
    }
}
