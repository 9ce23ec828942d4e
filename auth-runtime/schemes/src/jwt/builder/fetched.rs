//! The methods of the builder for keys that are fetched.

use std::time::Duration;

use super::JwtBuilder;
use crate::jwt::fetched_keys::KeyPlace;
use crate::jwt::key_source::{AnyKeySource, KeySource};

impl JwtBuilder {
    /// Fetches the keys with the issuer's metadata (RFC 8414 §3, OpenID Connect Discovery §4), and keeps
    /// them up to date. Together with configured keys, it is an error of [`build`](Self::build). The issuer is `https` (or `http`
    /// on loopback, for tests). The keys of an `https` issuer are at an `https` URL as well.
    ///
    /// Keys are fetched on first use, or by [`Jwt::fetch_keys`](crate::Jwt::fetch_keys); in the background, by a
    /// request, once they are older than [`refresh_every`](Self::refresh_every); and when a token names a key that
    /// is not among them, at most every 5 seconds. All requests that wait for keys share one fetch. In the 5 seconds
    /// after a fetch, a token with an unknown key is rejected at once. The exception is a token with an `iat` after
    /// the fetch, by a clock that is behind by up to the [`leeway`](Self::leeway): its key may be new, so it
    /// waits for the next fetch, at most 5 seconds and the time of two fetches, without delaying other
    /// requests.
    ///
    /// While the issuer is unavailable, the keys at hand stay valid for 24 hours. The response to a request
    /// that cannot be verified is 503, never 401.
    pub fn discover(mut self) -> Self {
        self.fetched.place = Some(KeyPlace::OfIssuer);
        self
    }

    /// Fetches the keys from this URL, as [`discover`](Self::discover) does, without metadata.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.fetched.place = Some(KeyPlace::Url(url.into()));
        self
    }

    /// Fetches the keys from a URL that may be `http` on any host, otherwise as
    /// [`jwks_url`](Self::jwks_url) does. The issuer may have another host.
    ///
    /// For networks that only trusted machines reach, such as those of a cluster or of containers: a
    /// machine on the network path can replace the keys, and then sign tokens of every caller.
    ///
    /// ```
    /// use auth_runtime::schemes::Jwt;
    ///
    /// let jwt = Jwt::builder()
    ///     .issuer("https://login.shop.example/realms/shop")
    ///     .audience("orders")
    ///     .jwks_over_plain_http("http://keycloak:8080/realms/shop/protocol/openid-connect/certs")
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    pub fn jwks_over_plain_http(mut self, url: impl Into<String>) -> Self {
        self.fetched.place = Some(KeyPlace::PlainUrl(url.into()));
        self
    }

    /// Reads the keys from a source of the service, otherwise as [`discover`](Self::discover) does: with
    /// the same refreshes, and the same responses while it fails.
    pub fn key_source(mut self, source: impl KeySource) -> Self {
        self.fetched.place = Some(KeyPlace::Source(AnyKeySource::new(source)));
        self
    }

    /// Trusts the certificate authorities of this PEM file, in place of those of the system, for the TLS
    /// connections by which keys are fetched.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.fetched.ca_certificates = Some(pem.into());
        self
    }

    /// Sets the age from which the next request causes a fetch in the background. Default: 10 minutes; at
    /// least one second.
    ///
    /// If twice this time passes without a fetch, and at least 5 seconds more than this time, the next request waits
    /// for a fetch: at most 10 seconds for each of its up to three requests. If the fetch fails, the keys at hand are
    /// used.
    pub fn refresh_every(mut self, interval: Duration) -> Self {
        self.fetched.refresh_every = interval.max(Duration::from_secs(1));
        self
    }

    /// Trusts the user claims that an Application Load Balancer of AWS signs (`x-amzn-oidc-data`), for
    /// [`Jwt::in_gateway_field`](crate::Jwt::in_gateway_field). The [`issuer`](Self::issuer) is the identity provider, and the
    /// [`audience`](Self::audience) is the client at the provider, as in the listener rule of the load balancer.
    ///
    /// A token is accepted only with the algorithm ES256, and with this load balancer as its `signer`: its ARN.
    /// Can be called several times, for load balancers of one region. `iss`, `client` and `exp` are those of the
    /// header of the token; they replace claims of the same meaning. Padding is accepted in these tokens only.
    ///
    /// The key of a token is fetched from the URL of AWS for the region, and used for 24 hours, or 48 while it cannot
    /// be fetched again. A key is kept only if it signed a token. One fetch runs at a time. After 8 fetches in a minute
    /// for tokens without a valid signature, tokens with other keys receive 503 for the rest of the minute, since any
    /// client can invent names, or name the key of another load balancer. Clients must reach the service
    /// through the load balancer only: it removes the field of a client. Outside the partition `aws`, as in GovCloud,
    /// [`load_balancer_keys`](Self::load_balancer_keys) names the URL.
    ///
    /// ```
    /// use auth_runtime::schemes::Jwt;
    ///
    /// let jwt = Jwt::builder()
    ///     .issuer("https://login.shop.example")
    ///     .audience("orders")
    ///     .load_balancer(
    ///         "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188",
    ///     )
    ///     .build()?;
    /// let scheme = jwt.in_gateway_field("x-amzn-oidc-data").without_challenge().build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_balancer(mut self, arn: impl Into<String>) -> Self {
        self.fetched.balancers.arns.push(arn.into());
        self
    }

    /// Sets the URL before the names of the keys of a [`load_balancer`](Self::load_balancer). Default:
    /// `https://public-keys.auth.elb.REGION.amazonaws.com/`, with the region of the ARN.
    pub fn load_balancer_keys(mut self, url: impl Into<String>) -> Self {
        self.fetched.balancers.url = Some(url.into());
        self
    }
}
