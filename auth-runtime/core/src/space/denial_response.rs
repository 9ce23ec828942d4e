//! The response to a denied request: status, challenges, body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Space;
use super::authentication::Authentication;
use super::challenges::{ChallengeSelection, insert};
use super::route_constants::RouteConstants;
use crate::caller::Rejection;
use crate::decision::Denial;
use crate::decision::denial_body::{DenialBody, negotiate};
use crate::decision::denial_details::DenialDetails;
use crate::request_snapshot::RequestView;

/// The `Retry-After` value, in seconds, if a scheme gives none.
const RETRY_AFTER_SECONDS: u64 = 5;

/// The responses to denied requests.
impl Space {
    /// Returns the complete response to a denied request.
    pub fn respond(
        &self,
        details: DenialDetails<'_>,
        authentication: &Authentication,
        request: RequestView<'_>,
    ) -> http::Response<Bytes> {
        self.respond_with(RouteConstants::UNKNOWN, details, authentication, request)
    }

    /// Returns the complete response to a request for an unknown path, without a fallback of the service.
    pub fn respond_to_unknown_path(
        &self,
        authentication: &Authentication,
        request: RequestView<'_>,
    ) -> http::Response<Bytes> {
        let denial = self.deny_unknown_path(authentication);
        let denial = denial.unwrap_or(Denial::NotFound);
        self.respond(
            DenialDetails::of_unknown_path(&denial),
            authentication,
            request,
        )
    }

    /// Returns the response of [`respond`](Self::respond), with the constants of the route.
    pub fn respond_with(
        &self,
        constants: &RouteConstants,
        details: DenialDetails<'_>,
        authentication: &Authentication,
        request: RequestView<'_>,
    ) -> http::Response<Bytes> {
        let (policy, denial) = (details.policy(), details.denial());
        let selection = match policy {
            Some(_) => authentication.to_policy(),
            None => authentication.to_unknown_path(),
        };
        let challenges = ChallengeSelection {
            space: self,
            policy,
            used: selection.scheme(),
            is_known: selection.is_known(),
            spares_script: self.spares_scripts() && request.is_from_script(),
        };
        let login_page = challenges.login_page(denial, request);
        let mut response = http::Response::new(Bytes::new());
        challenges.add_fields(
            response.headers_mut(),
            constants,
            denial,
            login_page.as_ref(),
        );
        // The body would contain the status of the denial, which is not that of a redirect (RFC 9457 §3.1.2).
        if login_page.is_some() {
            *response.status_mut() = StatusCode::SEE_OTHER;
        } else {
            let body = self.body_of(&details, request);
            *response.status_mut() = denial.status();
            response
                .headers_mut()
                .insert(CONTENT_TYPE, body.content_type);
            *response.body_mut() = body.bytes;
        }
        forbid_storing(response.headers_mut());
        response
    }

    /// Returns the body of a denial, by the function of the service if there is one.
    fn body_of(&self, details: &DenialDetails<'_>, request: RequestView<'_>) -> DenialBody {
        match &self.render {
            Some(render) => render(details, &request.request()),
            None => {
                let accept = request.accept();
                let accept = accept.as_ref().and_then(|accept| accept.to_str().ok());
                let accept = accept.unwrap_or_default();
                negotiate(details.denial(), details.own_message(), accept)
            }
        }
    }
}

/// Keeps a response out of every cache (RFC 9111 §5.2.2.5).
pub fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    remove_fields(headers, |name, _| is_targeted_cache_field(name));
    headers.insert(CACHE_CONTROL, NO_STORE);
}

/// Removes the fields for which `matches` returns true.
pub fn remove_fields(headers: &mut HeaderMap, matches: impl Fn(&HeaderName, &HeaderMap) -> bool) {
    while let Some(name) = headers.keys().find(|name| matches(name, headers)) {
        let name = name.clone();
        headers.remove(name);
    }
}

/// Returns whether some caches prefer a field to `Cache-Control`: a targeted one (RFC 9213 §2), such as
/// `CDN-Cache-Control`, or one of their predecessors.
pub fn is_targeted_cache_field(name: &HeaderName) -> bool {
    const PREDECESSORS: [&str; 3] = ["edge-control", "surrogate-control", "x-accel-expires"];
    let name = name.as_str();
    name.ends_with("-cache-control") || PREDECESSORS.contains(&name)
}

/// The seconds of a delay, rounded up: a client that waits for them does not return too early. At least one.
fn whole_seconds(delay: Duration) -> u64 {
    let started = u64::from(delay.subsec_nanos() > 0);
    delay.as_secs().saturating_add(started).max(1)
}

fn append(headers: &mut HeaderMap, lines: impl IntoIterator<Item = HeaderValue>) {
    for line in lines {
        headers.append(WWW_AUTHENTICATE, line);
    }
}

impl ChallengeSelection<'_> {
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
            Some(built) => self.built(built.for_request(self.spares_script), denial, fields),
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
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, whole_seconds);
            fields.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    /// Returns the login page to redirect a page navigation to, in place of a 401.
    ///
    /// It returns one only if a login can help. A client with a rejected token receives the 401,
    /// even if it accepts HTML.
    fn login_page(&self, denial: &Denial, request: RequestView<'_>) -> Option<HeaderValue> {
        let matches = |index: usize| match denial {
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
            (matches(index) && self.opens(accepted)).then_some(page)
        })?;
        let request = request.request();
        request
            .is_navigation()
            .then(|| page.location(denial, &request))?
    }
}
