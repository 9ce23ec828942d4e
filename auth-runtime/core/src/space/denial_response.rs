//! The response to a denied request: status, challenges, body.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Space;
use super::authentication::Authentication;
use super::challenges::{Offer, leave_out_prompts};
use super::route_constants::{BuiltChallenges, RouteConstants};
use crate::caller::Rejection;
use crate::decision::Denial;
use crate::decision::denial_body::negotiate;
use crate::decision::denial_details::DenialDetails;
use crate::request_snapshot::RequestView;
use crate::scheme::ErrorCode;

/// The `Retry-After` value, in seconds, if a scheme gives none.
const RETRY_AFTER_SECONDS: u64 = 5;

/// The responses to denied requests.
impl Space {
    /// Returns the complete response to a denied request.
    pub fn answer(
        &self,
        details: DenialDetails<'_>,
        authentication: &Authentication,
        asked: RequestView<'_>,
    ) -> http::Response<Bytes> {
        self.answer_with(RouteConstants::UNKNOWN, details, authentication, asked)
    }

    /// Returns the complete response to a request for an unknown path, without a fallback of the service.
    pub fn answer_unknown_path(
        &self,
        authentication: &Authentication,
        asked: RequestView<'_>,
    ) -> http::Response<Bytes> {
        let denial = self.deny_unknown_path(authentication);
        let denial = denial.unwrap_or(Denial::NotFound);
        self.answer(
            DenialDetails::of_unknown_path(&denial),
            authentication,
            asked,
        )
    }

    /// Returns the response of [`answer`](Self::answer), with the constants of the route.
    pub fn answer_with(
        &self,
        constants: &RouteConstants,
        details: DenialDetails<'_>,
        authentication: &Authentication,
        asked: RequestView<'_>,
    ) -> http::Response<Bytes> {
        let (policy, denial) = (details.policy(), details.denial());
        let body = match &self.render {
            Some(render) => render(&details, &asked.request()),
            None => {
                let accept = asked.accept();
                let accept = accept.as_ref().and_then(|accept| accept.to_str().ok());
                negotiate(denial, details.own_message(), accept.unwrap_or_default())
            }
        };
        let selection = match policy {
            Some(_) => authentication.to_policy(),
            None => authentication.to_unknown_path(),
        };
        let offer = Offer {
            space: self,
            policy,
            used: self.scheme_used(policy, authentication),
            is_known: selection.is_known(),
            spares_script: self.spares_scripts() && asked.is_from_script(),
        };
        let login_page = offer.login_page(denial, asked);
        let mut response = http::Response::new(body.bytes);
        let fields = response.headers_mut();
        offer.add_fields(fields, constants, denial, login_page.as_ref());
        fields.insert(CONTENT_TYPE, body.content_type);
        forbid_storing(fields);
        *response.status_mut() = match login_page {
            Some(_) => StatusCode::SEE_OTHER,
            None => denial.status(),
        };
        response
    }
}

/// Keeps a response out of every cache (RFC 9111 §5.2.2.5).
pub fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    headers.insert(CACHE_CONTROL, NO_STORE);
}

/// Sets the fields of a scheme. Of these, only `Set-Cookie` may have several lines (RFC 9110 §5.3); equal lines are
/// sent once.
fn insert(headers: &mut HeaderMap, fields: Vec<(HeaderName, HeaderValue)>) {
    for (name, value) in fields {
        if name != SET_COOKIE {
            headers.insert(name, value);
        } else if headers.get_all(SET_COOKIE).iter().all(|line| line != value) {
            headers.append(SET_COOKIE, value);
        }
    }
}

fn append(headers: &mut HeaderMap, lines: impl IntoIterator<Item = HeaderValue>) {
    for line in lines {
        headers.append(WWW_AUTHENTICATE, line);
    }
}

impl<'a> Offer<'a> {
    /// Adds the fields of a denial that do not describe its body, in their order.
    fn add_fields(
        &self,
        fields: &mut HeaderMap,
        constants: &RouteConstants,
        denial: &Denial,
        login_page: Option<&HeaderValue>,
    ) {
        fields.reserve(4);
        let built = constants.challenges(denial, self.used.filter(|_| self.is_known));
        let lines = match built {
            Some(built) => self.built(built, denial, fields),
            None => self.make_lines(denial, fields),
        };
        if *denial == Denial::InvalidRequest {
            insert(fields, self.ambiguous_cookie_fields());
        }
        match login_page {
            Some(page) => {
                fields.insert(LOCATION, page.clone());
            }
            None => append(fields, lines.iter().cloned()),
        }
        if let Denial::Unverifiable { retry_after } = denial {
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |delay| delay.as_secs().max(1));
            fields.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// Makes the challenges of a denial, and adds the fields that accompany them.
    fn make_lines(&self, denial: &Denial, fields: &mut HeaderMap) -> Cow<'static, [HeaderValue]> {
        let mut challenges = self.challenges(denial);
        if self.spares_script {
            leave_out_prompts(&mut challenges);
        }
        for sent in &mut challenges {
            insert(fields, std::mem::take(&mut sent.fields));
        }
        Cow::Owned(self.space.lines(challenges))
    }

    /// Returns the challenges that were built for the route, and adds the fields that accompany them.
    fn built<'b>(
        &self,
        built: &'b BuiltChallenges,
        denial: &Denial,
        fields: &mut HeaderMap,
    ) -> Cow<'b, [HeaderValue]> {
        let sent = built.for_sender(self.spares_script);
        let (scopes, error) = match denial {
            Denial::Unauthenticated { scopes, .. } => (scopes.as_slice(), None),
            Denial::InsufficientScope { scopes, .. } => {
                (scopes.as_slice(), Some(ErrorCode::InsufficientScope))
            }
            _ => (&[][..], None),
        };
        let context = self.context(scopes, error);
        for accepted in sent
            .schemes
            .iter()
            .filter_map(|index| self.space.schemes.get(*index))
        {
            insert(fields, accepted.scheme.fields(&context));
        }
        Cow::Borrowed(&sent.lines)
    }

    /// Returns the fields that remove ambiguous cookies. Their scheme has no challenge in this
    /// response.
    fn ambiguous_cookie_fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let used = self.used.and_then(|index| self.space.schemes.get(index));
        let error = Some(ErrorCode::InvalidRequest);
        used.map_or_else(Vec::new, |accepted| {
            accepted.scheme.fields(&self.context(&[], error))
        })
    }

    /// Returns the login page to redirect a page navigation to, in place of a 401.
    ///
    /// It returns one only if a login can help. A client with a rejected token receives the 401,
    /// even if it accepts HTML.
    fn login_page(&self, denial: &Denial, asked: RequestView<'_>) -> Option<HeaderValue> {
        let is_meant = |index: usize| match denial {
            Denial::Unauthenticated {
                rejection: Some(rejection),
                ..
            } if *rejection == Rejection::TooLong || rejection.is_of_application() => false,
            Denial::Unauthenticated { rejection, .. } => {
                rejection.is_none() || self.used == Some(index)
            }
            Denial::StepUp { .. } => self.used == Some(index),
            _ => false,
        };
        let page = self.accepted().find_map(|(index, accepted)| {
            let page = accepted.login_page.as_ref()?;
            (is_meant(index) && self.opens(accepted)).then_some(page)
        })?;
        let request = asked.request();
        request
            .is_navigation()
            .then(|| page.location(denial, &request))?
    }
}
