//! The answer to a denied request: status, challenges, body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Accepted, ProtectionSpace, Sender, Space};
use crate::caller::Rejection;
use crate::challenge::Challenge;
use crate::decision::Denial;
use crate::denial_body::{Asked, negotiate};
use crate::policy::Policy;
#[cfg(feature = "resource-metadata")]
use crate::resource::ProtectedResource;
use crate::scheme::{Occasion, Problem};

/// What is told when a scheme cannot say when to come back.
const RETRY_AFTER_SECONDS: u64 = 5;

impl ProtectionSpace {
    /// The answer to a denied request, complete. Without a policy: that of an unknown path.
    pub(crate) fn answer(
        &self,
        policy: Option<&Policy>,
        denial: &Denial,
        sender: &Sender,
        asked: Asked<'_>,
    ) -> http::Response<Bytes> {
        let body = match &self.0.render {
            Some(render) => render(denial, &asked.request()),
            None => {
                let accept = asked.accept();
                let accept = accept.as_ref().and_then(|accept| accept.to_str().ok());
                negotiate(denial, accept.unwrap_or_default())
            }
        };
        let mut response = http::Response::new(body.bytes);
        *response.status_mut() = denial.status();
        let offer = Offer {
            space: &self.0,
            policy,
            used: self.scheme_used(policy, sender),
        };
        let headers = response.headers_mut();
        let mut challenges = offer.challenges(denial, sender);
        if !self.0.prompts_scripts && opens_prompt(&challenges) && asked.request().is_from_script()
        {
            leave_out_prompts(&mut challenges);
        }
        for (name, value) in challenges.iter().flat_map(|challenge| &challenge.fields) {
            headers.insert(name, value.clone());
        }
        match offer.login_page(denial, asked) {
            Some(page) => {
                headers.insert(LOCATION, page);
                *response.status_mut() = StatusCode::SEE_OTHER;
            }
            None => self.0.append_challenges(headers, challenges),
        }
        let headers = response.headers_mut();
        if let Denial::Unverifiable { retry_after } = denial {
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |delay| delay.as_secs().max(1));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers.insert(CONTENT_TYPE, body.content_type);
        forbid_storing(headers);
        response
    }
}

/// Keeps an answer out of every cache (RFC 9111 §5.2.2.5).
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    headers.insert(CACHE_CONTROL, NO_STORE);
}

fn opens_prompt(challenges: &[Sent<'_>]) -> bool {
    challenges.iter().any(|sent| sent.accepted.opens_prompt)
}

/// A browser would open its password prompt over a page whose script is going to handle the answer
/// itself. A 401 keeps a challenge, whatever it takes (RFC 9110 §11.6.1).
fn leave_out_prompts(challenges: &mut Vec<Sent<'_>>) {
    if challenges.iter().any(|sent| !sent.accepted.opens_prompt) {
        challenges.retain(|sent| !sent.accepted.opens_prompt);
    }
}

impl Space {
    /// One line for each challenge, since many clients miss the second one of a line; or all of
    /// them on one line, for gateways that pass only the first on.
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

/// A challenge, whose it is, and the fields that go with it.
struct Sent<'a> {
    accepted: &'a Accepted,
    challenge: Challenge,
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// The schemes that a challenge can be sent for.
struct Offer<'a> {
    space: &'a Space,
    /// `None` on an unknown path.
    policy: Option<&'a Policy>,
    used: Option<usize>,
}

impl<'a> Offer<'a> {
    /// The challenges that go with a denial, in the order of the schemes.
    fn challenges(&self, denial: &Denial, sender: &Sender) -> Vec<Sent<'a>> {
        let was_used = |index: usize, _: &Accepted| self.used == Some(index);
        let opens = |_: usize, accepted: &Accepted| self.opens(accepted);
        let is_oauth = |_: usize, accepted: &Accepted| accepted.is_oauth && self.opens(accepted);
        let knows_login =
            |_: usize, accepted: &Accepted| accepted.knows_login && self.opens(accepted);
        match denial {
            // What was wrong stands with the scheme that was used.
            Denial::UnboundCredentials => {
                self.make(&[], &|_, accepted| accepted.constrains_sender, &|index| {
                    let is_own = self.used == Some(index);
                    is_own.then_some(Problem::InvalidToken(Rejection::Invalid))
                })
            }
            // Every scheme is on offer; what was wrong stands with the one that was used.
            Denial::Unauthenticated { rejection, scopes } => self.make(scopes, &opens, &|index| {
                let rejection = rejection.filter(|_| self.used == Some(index));
                rejection.map(Problem::InvalidToken)
            }),
            // More can be asked only of those who say how their owner logged in.
            Denial::StepUp {
                acr_values,
                max_age,
            } => {
                let problem = Problem::InsufficientUserAuthentication {
                    acr_values,
                    max_age: *max_age,
                };
                let challenges = self.make(&[], &knows_login, &|_| Some(problem));
                if challenges.is_empty() {
                    self.make(&[], &opens, &|_| Some(problem))
                } else {
                    challenges
                }
            }
            Denial::InsufficientScope { scopes } => {
                self.make(scopes, &was_used, &|_| Some(Problem::InsufficientScope))
            }
            // RFC 6750 §3 wants a challenge whenever the token does not open the resource, but
            // an error would send clients off to ask for scopes that do not help.
            Denial::Forbidden if sender.is_known() => self.make(
                &[],
                &|index, accepted| was_used(index, accepted) && accepted.is_oauth,
                &|_| None,
            ),
            Denial::BrokenRequest => self.make(&[], &is_oauth, &|_| Some(Problem::InvalidRequest)),
            Denial::Forbidden | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
        }
    }

    /// Whether credentials of the scheme can open the way: a challenge is for such (RFC 9110 §11.3),
    /// unless it says what was wrong with those that were sent.
    fn opens(&self, accepted: &Accepted) -> bool {
        let demands_bound = self.policy.is_some_and(Policy::demands_bound_credentials);
        accepted.constrains_sender || !demands_bound
    }

    /// Where somebody who goes to a page can get what a 401 asks for.
    ///
    /// Only those whom logging in helps: not a client whose token was refused, although it says that
    /// it likes HTML.
    #[cfg(feature = "sessions")]
    fn login_page(&self, denial: &Denial, asked: Asked<'_>) -> Option<HeaderValue> {
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

    #[cfg(not(feature = "sessions"))]
    fn login_page(&self, _: &Denial, _: Asked<'_>) -> Option<HeaderValue> {
        None
    }

    /// The schemes that are accepted here.
    fn accepted(&self) -> impl Iterator<Item = (usize, &'a Accepted)> {
        let policy = self.policy;
        let schemes = self.space.schemes.iter().enumerate();
        schemes.filter(move |(_, accepted)| policy.is_none_or(|own| own.accepts(&accepted.name)))
    }

    /// The challenges of each scheme that is accepted here, that `is_meant` and that can be asked for.
    fn make<'p>(
        &self,
        scopes: &'p [&'static str],
        is_meant: &dyn Fn(usize, &Accepted) -> bool,
        problem: &dyn Fn(usize) -> Option<Problem<'p>>,
    ) -> Vec<Sent<'a>> {
        let own_realm = self.policy.and_then(Policy::own_realm);
        let mut made = Vec::new();
        for (index, accepted) in self.accepted() {
            let Some(plain) = &accepted.plain else {
                continue;
            };
            if !is_meant(index, accepted) {
                continue;
            }
            let occasion = Occasion {
                realm: own_realm.or(self.space.realm.as_deref()),
                resource_metadata: self.space.resource_metadata(),
                scopes,
                problem: problem(index),
            };
            let challenge = accepted.scheme.challenge(&occasion);
            made.push(Sent {
                accepted,
                challenge: challenge.unwrap_or_else(|_| plain.clone()),
                fields: accepted.scheme.fields(&occasion),
            });
            for challenge in accepted.scheme.further_challenges(&occasion) {
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
    /// The URL of the resource's metadata, if they are published.
    pub(super) fn resource_metadata(&self) -> Option<&str> {
        #[cfg(feature = "resource-metadata")]
        return self.resource.as_ref().map(ProtectedResource::metadata_url);
        #[cfg(not(feature = "resource-metadata"))]
        None
    }
}
