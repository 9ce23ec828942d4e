//! The fields that schemes add to the response of a handler.

use auth_runtime_core::adapter::{Authentication, Space, forbid_storing};
use axum::extract::Request;
use axum::response::Response;
use http::header::{Entry, SEC_WEBSOCKET_PROTOCOL, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::guard::ConcealMark;
use crate::request::head_of;

/// The fields to add, unless the handler sets them.
pub(super) struct AddedFields {
    /// The subprotocol to accept in the response to a handshake.
    subprotocol: Option<HeaderValue>,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl AddedFields {
    /// The fields for a granted request; `None` without any.
    pub(super) fn of(
        space: &Space,
        authentication: &Authentication,
        request: &Request,
    ) -> Option<Box<Self>> {
        let fields = space.granted_fields(authentication, request.headers());
        match space.subprotocol(head_of(request)) {
            None if fields.is_empty() => None,
            subprotocol => Some(Box::new(Self {
                subprotocol,
                fields,
            })),
        }
    }

    /// Adds the fields, unless the handler denied an object, and the response is concealed.
    pub(super) fn add_to(self, response: &mut Response) {
        if response.extensions().get::<ConcealMark>().is_some() {
            return;
        }
        let status = response.status();
        let is_accepted = status == StatusCode::SWITCHING_PROTOCOLS || status.is_success();
        let headers = response.headers_mut();
        if let Some(name) = self.subprotocol.filter(|_| is_accepted) {
            headers.entry(SEC_WEBSOCKET_PROTOCOL).or_insert(name);
        }
        let own_cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        for (name, value) in self.fields {
            if name != SET_COOKIE {
                let Entry::Vacant(absent) = headers.entry(name) else {
                    continue;
                };
                absent.insert(value);
            } else if !own_cookies.iter().any(|own| sets_same_cookie(own, &value)) {
                headers.append(SET_COOKIE, value);
            } else {
                continue;
            }
            // A cache would send the field to other clients, or once more to this one (RFC 9449 §8.2).
            forbid_storing(headers);
        }
    }
}

/// Returns whether two values of `Set-Cookie` name the same cookie (RFC 6265 §4.1.1).
fn sets_same_cookie(one: &HeaderValue, other: &HeaderValue) -> bool {
    fn name(value: &HeaderValue) -> &[u8] {
        let pair = value.as_bytes().split(|byte| *byte == b'=').next();
        pair.unwrap_or_default().trim_ascii()
    }
    name(one) == name(other)
}
