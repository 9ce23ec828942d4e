//! The load balancers of an issuer, as given to the builder.

use auth_runtime_core::url::{TrustedUrl, without_secrets};

use crate::jwt::error::{JwtError, LoadBalancerProblem};
use crate::jwt::issuer_name::IssuerName;

/// The load balancers of an issuer, with the place of their keys.
#[derive(Default)]
pub(in crate::jwt) struct Balancers {
    /// The names (ARN).
    pub(in crate::jwt) arns: Vec<String>,
    /// The URL before the names of keys.
    pub(in crate::jwt) url: Option<String>,
}

impl Balancers {
    pub(in crate::jwt) fn is_empty(&self) -> bool {
        self.arns.is_empty() && self.url.is_none()
    }

    /// Checks the load balancers of an issuer, and returns the URL before the names of their keys.
    pub(in crate::jwt) fn check(&self, issuer: &IssuerName) -> Result<String, JwtError> {
        if !matches!(issuer, IssuerName::One(_)) {
            return Err(JwtError::LoadBalancer(LoadBalancerProblem::Issuer));
        }
        let url = match &self.url {
            _ if self.arns.is_empty() => Err(LoadBalancerProblem::NoArn),
            Some(url) => self.regions().map(|_| url.clone()),
            None => self.default_url(),
        };
        let url = url.map_err(JwtError::LoadBalancer)?;
        let url = format!("{}/", url.trim_end_matches('/'));
        match TrustedUrl::read(&url).map(|parts| parts.query) {
            Ok(None) => Ok(url),
            Ok(Some(_)) => Err(JwtError::LoadBalancer(LoadBalancerProblem::KeyUrlQuery)),
            Err(problem) => Err(JwtError::Url {
                url: without_secrets(&url),
                problem,
            }),
        }
    }

    /// The partition and the region of each load balancer.
    fn regions(&self) -> Result<Vec<(&str, &str)>, LoadBalancerProblem> {
        let regions = self.arns.iter().map(|arn| {
            let region = region_of(arn);
            region.ok_or_else(|| LoadBalancerProblem::Arn(arn.clone()))
        });
        regions.collect()
    }

    /// The URL of the keys in the region of the load balancers.
    fn default_url(&self) -> Result<String, LoadBalancerProblem> {
        let mut regions = self.regions()?;
        regions.dedup();
        match regions.as_slice() {
            [("aws", region)] => Ok(format!(
                "https://public-keys.auth.elb.{region}.amazonaws.com/"
            )),
            [_] => Err(LoadBalancerProblem::NoKeyUrl),
            _ => Err(LoadBalancerProblem::SeveralRegions),
        }
    }
}

/// The partition and the region in the ARN of an Application Load Balancer.
fn region_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [
        "arn",
        partition,
        "elasticloadbalancing",
        region,
        account,
        name,
    ] = parts.as_slice()
    else {
        return None;
    };
    let is_name = |text: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.bytes().all(is_allowed)
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.strip_prefix("loadbalancer/app/")?;
    let (name, id) = name.split_once('/')?;
    let is_arn = [*partition, *region, name, id].into_iter().all(is_name) && is_account;
    is_arn.then_some((*partition, *region))
}
