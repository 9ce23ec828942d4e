//! The answer to a denied request: status, challenges, body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::prepared::{Circumstances, Written};
use super::{Accepted, ProtectionSpace, Sender, Space};
use crate::caller::Rejection;
use crate::challenge::Challenge;
use crate::decision::Denial;
use crate::denial_body::{Asked, COMMONEST_TYPE, negotiate};
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
        let view = match policy {
            Some(_) => sender.to_policy(),
            None => sender.to_unknown_path(),
        };
        let offer = Offer {
            space: &self.0,
            policy,
            used: self.scheme_used(policy, sender),
            is_known: view.is_known(),
            spares_script: self.0.spares_scripts() && asked.is_from_script(),
        };
        let mut status = denial.status();
        let mut headers = if let Some(page) = offer.login_page(denial, asked) {
            status = StatusCode::SEE_OTHER;
            offer.write(denial, Some(page)).fields
        } else {
            let prepared = &self.0.prepared;
            prepared.fields(offer.circumstances(), denial, || offer.write(denial, None))
        };
        if body.content_type != COMMONEST_TYPE {
            headers.insert(CONTENT_TYPE, body.content_type);
        }
        let mut response = http::Response::new(body.bytes);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// Keeps an answer out of every cache (RFC 9111 §5.2.2.5).
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    headers.insert(CACHE_CONTROL, NO_STORE);
}

/// A browser would open its password prompt over a page whose script is going to handle the answer
/// itself. A 401 keeps a challenge, whatever it takes (RFC 9110 §11.6.1).
fn leave_out_prompts(challenges: &mut Vec<Sent<'_>>) {
    if challenges.iter().any(|sent| !sent.accepted.opens_prompt) {
        challenges.retain(|sent| !sent.accepted.opens_prompt);
    }
}

impl Space {
    /// Whether some challenges are left out of answers to scripts.
    fn spares_scripts(&self) -> bool {
        !self.prompts_scripts && self.schemes.iter().any(|accepted| accepted.opens_prompt)
    }

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
    is_known: bool,
    /// Whether a script is to see no challenge that would make its browser open a prompt.
    spares_script: bool,
}

impl<'a> Offer<'a> {
    /// All that [`write`](Self::write) goes by, besides the denial.
    fn circumstances(&self) -> Circumstances {
        let policy = self.policy;
        Circumstances {
            own_realm: policy.and_then(Policy::own_realm),
            accepted_schemes: policy.and_then(Policy::accepted_schemes),
            demands_bound: policy.is_some_and(Policy::demands_bound_credentials),
            used: self.used,
            is_known: self.is_known,
            spares_script: self.spares_script,
        }
    }

    /// The fields that go with a denial, in their order. Another content type takes the commonest one's place.
    fn write(&self, denial: &Denial, login_page: Option<HeaderValue>) -> Written {
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
        let mut varies = self
            .accepted()
            .any(|(_, accepted)| accepted.challenge_varies);
        if let Denial::Unverifiable { retry_after } = denial {
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |delay| delay.as_secs().max(1));
            fields.insert(RETRY_AFTER, HeaderValue::from(seconds));
            // There are too many of it to keep them all.
            varies |= retry_after.is_some();
        }
        fields.insert(CONTENT_TYPE, COMMONEST_TYPE);
        forbid_storing(&mut fields);
        Written { fields, varies }
    }

    /// The challenges that go with a denial, in the order of the schemes.
    fn challenges(&self, denial: &Denial) -> Vec<Sent<'a>> {
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
            Denial::Forbidden if self.is_known => self.make(
                &[],
                &|index, accepted| was_used(index, accepted) && accepted.is_oauth,
                &|_| None,
            ),
            Denial::BrokenRequest => self.make(&[], &is_oauth, &|_| Some(Problem::InvalidRequest)),
            Denial::Forbidden | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
        }
    }

    /// The fields that go with ambiguous cookies: these have no challenge, and have to go all the same.
    fn ambiguous_cookie_fields(&self, denial: &Denial) -> Vec<(HeaderName, HeaderValue)> {
        let used = match denial {
            Denial::BrokenRequest => self.used.and_then(|index| self.space.schemes.get(index)),
            _ => None,
        };
        let problem = Some(Problem::InvalidRequest);
        used.map_or_else(Vec::new, |accepted| {
            accepted.scheme.fields(&self.occasion(&[], problem))
        })
    }

    fn occasion<'p>(&self, scopes: &'p [&'static str], problem: Option<Problem<'p>>) -> Occasion<'p>
    where
        'a: 'p,
    {
        let own_realm = self.policy.and_then(Policy::own_realm);
        Occasion {
            realm: own_realm.or(self.space.realm.as_deref()),
            resource_metadata: self.space.resource_metadata(),
            scopes,
            problem,
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
            let occasion = self.occasion(scopes, problem(index));
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
