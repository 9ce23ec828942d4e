//! The manual, one page for each topic.
//!
//! Start with [`first_service`]. [`responses`] and [`hiding`] have the rules for responses,
//! [`attributes`] is the reference of the attributes, and [`limits`] has the known limits.

/// A screenshot of the folder `guide/images`, as a data URI.
macro_rules! image {
    ($name:literal, $description:literal) => {
        concat!(
            "\n\n![",
            $description,
            "](data:image/webp;base64,",
            include_str!(concat!("../guide/images/", $name, ".webp.base64")),
            ")"
        )
    };
}

#[doc = include_str!("../guide/first_service.md")]
pub mod first_service {}

#[doc = include_str!("../guide/policies.md")]
pub mod policies {}

#[doc = include_str!("../guide/attributes.md")]
pub mod attributes {}

#[doc = include_str!("../guide/identities.md")]
pub mod identities {}

#[doc = include_str!("../guide/issuers.md")]
pub mod issuers {}

#[doc = include_str!("../guide/tokens.md")]
pub mod tokens {}

#[doc = include_str!("../guide/browsers.md")]
pub mod browsers {}

#[doc = include_str!("../guide/responses.md")]
#[doc = image!("denial", "The page of a 401 on a phone, in dark colours")]
pub mod responses {}

#[doc = include_str!("../guide/hiding.md")]
pub mod hiding {}

#[doc = include_str!("../guide/routers.md")]
pub mod routers {}

#[doc = include_str!("../guide/objects.md")]
pub mod objects {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/auditing.md")]
#[doc = image!("report_wide", "The report of the example `forge`, with the routes of one search")]
#[doc = image!("report_narrow", "The same report on a phone, in dark colours")]
pub mod auditing {}

#[doc = include_str!("../guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("../guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("../guide/observability.md")]
pub mod observability {}

#[doc = include_str!("../guide/registries.md")]
pub mod registries {}

#[doc = include_str!("../guide/limits.md")]
pub mod limits {}
