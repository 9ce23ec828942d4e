//! The response to a denied request: status, challenges, body.

use std::borrow::Cow;

use auth_runtime_policy::Policy;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Accepted, Authentication, ProtectionSpace, Space};
use crate::caller::Rejection;
use crate::challenge::Challenge;
use crate::decision::Denial;
use crate::denial_body::{RequestView, negotiate};
#[cfg(feature = "resource-metadata")]
use crate::resource::ProtectedResource;
use crate::scheme::{ChallengeContext, ErrorCode};

/// The `Retry-After` value, in seconds, if a scheme gives none.
const RETRY_AFTER_SECONDS: u64 = 5;

impl ProtectionSpace {
    /// Returns the complete response to a denied request. Without a policy, it is the response on
    /// an unknown path.
    pub fn answer(
        &self,
        policy: Option<&Policy>,
        denial: &Denial,
        authentication: &Authentication,
        asked: RequestView<'_>,
    ) -> http::Response<Bytes> {
        let body = match &self.0.render {
            Some(render) => render(denial, &asked.request()),
            None => {
                let accept = asked.accept();
                let accept = accept.as_ref().and_then(|accept| accept.to_str().ok());
                negotiate(denial, accept.unwrap_or_default())
            }
        };
        let view = match policy {
            Some(_) => authentication.to_policy(),
            None => authentication.to_unknown_path(),
        };
        let offer = Offer {
            space: &self.0,
            policy,
            used: self.scheme_used(policy, authentication),
            is_known: view.is_known(),
            spares_script: self.0.spares_scripts() && asked.is_from_script(),
        };
        let login_page = offer.login_page(denial, asked);
        let mut response = http::Response::new(body.bytes);
        *response.status_mut() = match login_page {
            Some(_) => StatusCode::SEE_OTHER,
            None => denial.status(),
        };
        *response.headers_mut() = offer.fields(denial, login_page, body.content_type);
        response
    }
}

/// Keeps a response out of every cache (RFC 9111 §5.2.2.5).
pub fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    headers.insert(CACHE_CONTROL, NO_STORE);
}

/// Leaves out challenges that open a browser's password prompt, since the script handles the
/// response itself. A 401 always keeps at least one challenge (RFC 9110 §11.6.1).
fn leave_out_prompts(challenges: &mut Vec<Sent<'_>>) {
    if challenges
        .iter()
        .any(|sent| !sent.accepted.triggers_browser_prompt)
    {
        challenges.retain(|sent| !sent.accepted.triggers_browser_prompt);
    }
}

impl Space {
    /// Returns whether some challenges are left out of responses to scripts.
    fn spares_scripts(&self) -> bool {
        !self.prompts_scripts
            && self
                .schemes
                .iter()
                .any(|accepted| accepted.triggers_browser_prompt)
    }

    /// Appends one line for each challenge, since many clients miss the second challenge of a line.
    /// With `joins_challenges`, appends all on one line, for gateways that forward only the first
    /// line.
    fn append_challenges(&self, headers: &mut HeaderMap, challenges: Vec<Sent<'_>>) {
        let lines = challenges.into_iter();
        let lines = lines.map(|sent| sent.challenge.into_header_value());
        if self.joins_challenges {
            let lines: Vec<HeaderValue> = lines.collect();
            let texts: Vec<&[u8]> = lines.iter().map(HeaderValue::as_bytes).collect();
            match HeaderValue::from_bytes(&texts.join(&b", "[..])) {
                Ok(joined) if lines.len() > 1 => {
                    headers.append(WWW_AUTHENTICATE, joined);
                }
                _ => append(headers, lines.into_iter()),
            }
        } else {
            append(headers, lines);
        }
    }
}

fn append(headers: &mut HeaderMap, lines: impl Iterator<Item = HeaderValue>) {
    for line in lines {
        headers.append(WWW_AUTHENTICATE, line);
    }
}

/// A challenge, its scheme, and the fields that accompany it.
struct Sent<'a> {
    accepted: &'a Accepted,
    challenge: Challenge,
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// The context that the challenges of a denial are chosen in.
struct Offer<'a> {
    space: &'a Space,
    /// `None` on an unknown path.
    policy: Option<&'a Policy>,
    used: Option<usize>,
    is_known: bool,
    /// True if challenges that open a browser's prompt are left out, since a script sent the
    /// request.
    spares_script: bool,
}

impl<'a> Offer<'a> {
    /// Returns the fields of a denial, in their order.
    fn fields(
        &self,
        denial: &Denial,
        login_page: Option<HeaderValue>,
        content_type: HeaderValue,
    ) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(4);
        let mut challenges = self.challenges(denial);
        if self.spares_script {
            leave_out_prompts(&mut challenges);
        }
        for (name, value) in challenges.iter().flat_map(|challenge| &challenge.fields) {
            fields.insert(name, value.clone());
        }
        fields.extend(self.ambiguous_cookie_fields(denial));
        match login_page {
            Some(page) => {
                fields.insert(LOCATION, page);
            }
            None => self.space.append_challenges(&mut fields, challenges),
        }
        if let Denial::Unverifiable { retry_after } = denial {
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |delay| delay.as_secs().max(1));
            fields.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        fields.insert(CONTENT_TYPE, content_type);
        forbid_storing(&mut fields);
        fields
    }

    /// Returns the challenges of a denial, in the order of the schemes.
    fn challenges(&self, denial: &Denial) -> Vec<Sent<'a>> {
        let was_used = |index: usize, _: &Accepted| self.used == Some(index);
        let opens = |_: usize, accepted: &Accepted| self.opens(accepted);
        let is_oauth = |_: usize, accepted: &Accepted| accepted.is_oauth && self.opens(accepted);
        let supports_step_up =
            |_: usize, accepted: &Accepted| accepted.supports_step_up && self.opens(accepted);
        match denial {
            // The error goes with the challenge of the scheme that was used.
            Denial::SenderConstraintRequired => {
                self.make(&[], &|_, accepted| accepted.constrains_sender, &|index| {
                    let is_own = self.used == Some(index);
                    is_own.then_some(ErrorCode::InvalidToken(Rejection::Invalid))
                })
            }
            // All schemes that can grant access are challenged; the error goes with the one that
            // was used.
            Denial::Unauthenticated { rejection, scopes } => self.make(scopes, &opens, &|index| {
                let rejection = rejection.filter(|_| self.used == Some(index));
                rejection.map(ErrorCode::InvalidToken)
            }),
            // A step-up is requested by the schemes that report the method of the login.
            Denial::StepUp {
                acr_values,
                max_age,
            } => {
                let error = ErrorCode::InsufficientUserAuthentication {
                    acr_values,
                    max_age: *max_age,
                };
                let challenges = self.make(&[], &supports_step_up, &|_| Some(error));
                if challenges.is_empty() {
                    self.make(&[], &opens, &|_| Some(error))
                } else {
                    challenges
                }
            }
            Denial::InsufficientScope { scopes } => {
                self.make(scopes, &was_used, &|_| Some(ErrorCode::InsufficientScope))
            }
            // RFC 6750 §3 requires a challenge whenever the token does not grant access. An error
            // would make clients request scopes that do not help.
            Denial::Forbidden if self.is_known => self.make(
                &[],
                &|index, accepted| was_used(index, accepted) && accepted.is_oauth,
                &|_| None,
            ),
            Denial::InvalidRequest => {
                self.make(&[], &is_oauth, &|_| Some(ErrorCode::InvalidRequest))
            }
            Denial::Forbidden | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
        }
    }

    /// Returns the fields that remove ambiguous cookies. Their scheme has no challenge in this
    /// response.
    fn ambiguous_cookie_fields(&self, denial: &Denial) -> Vec<(HeaderName, HeaderValue)> {
        let used = match denial {
            Denial::InvalidRequest => self.used.and_then(|index| self.space.schemes.get(index)),
            _ => None,
        };
        let error = Some(ErrorCode::InvalidRequest);
        used.map_or_else(Vec::new, |accepted| {
            accepted.scheme.fields(&self.context(&[], error))
        })
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
    fn opens(&self, accepted: &Accepted) -> bool {
        let demands_bound = self.policy.is_some_and(Policy::demands_bound_credentials);
        accepted.constrains_sender || !demands_bound
    }

    /// Returns the login page to redirect a page navigation to, in place of a 401.
    ///
    /// It returns one only if a login can help. A client with a rejected token receives the 401,
    /// even if it accepts HTML.
    fn login_page(&self, denial: &Denial, asked: RequestView<'_>) -> Option<HeaderValue> {
        let is_meant = |index: usize| match denial {
            Denial::Unauthenticated { rejection, .. } => {
                rejection.is_none() || self.used == Some(index)
            }
            Denial::StepUp { .. } => self.used == Some(index),
            _ => false,
        };
        let offered = self
            .accepted()
            .filter(|(index, accepted)| is_meant(*index) && self.opens(accepted));
        let mut pages = offered.filter_map(|(_, accepted)| accepted.login_page.as_ref());
        let page = pages.next()?;
        let request = asked.request();
        request
            .is_navigation()
            .then(|| page.location(denial, &request))?
    }

    /// Returns the schemes that the space and the policy accept.
    fn accepted(&self) -> impl Iterator<Item = (usize, &'a Accepted)> {
        let policy = self.policy;
        let schemes = self.space.schemes.iter().enumerate();
        schemes.filter(move |(_, accepted)| policy.is_none_or(|own| own.accepts(&accepted.name)))
    }

    /// Returns the challenges of each accepted scheme that `is_meant` and has a challenge.
    fn make<'p>(
        &self,
        scopes: &'p [Cow<'static, str>],
        is_meant: &dyn Fn(usize, &Accepted) -> bool,
        error: &dyn Fn(usize) -> Option<ErrorCode<'p>>,
    ) -> Vec<Sent<'a>>
    where
        'a: 'p,
    {
        let mut made = Vec::new();
        for (index, accepted) in self.accepted() {
            let Some(plain) = &accepted.plain else {
                continue;
            };
            if !is_meant(index, accepted) {
                continue;
            }
            let context = self.context(scopes, error(index));
            let challenge = accepted.scheme.challenge(&context);
            made.push(Sent {
                accepted,
                challenge: challenge.unwrap_or_else(|_| plain.clone()),
                fields: accepted.scheme.fields(&context),
            });
            for challenge in accepted.scheme.further_challenges(&context) {
                made.push(Sent {
                    accepted,
                    challenge,
                    fields: Vec::new(),
                });
            }
        }
        made
    }
}

impl Space {
    /// The URL of the resource's metadata, if it is published.
    pub(super) fn resource_metadata(&self) -> Option<&str> {
        #[cfg(feature = "resource-metadata")]
        return self.resource.as_ref().map(ProtectedResource::metadata_url);
        #[cfg(not(feature = "resource-metadata"))]
        None
    }
}
