//! A small code forge, in the manner of the large ones: what a service looks like that is audited.
//!
//! Start with [`routes`]: a file for each kind of thing, its paths at the top, and above each handler the
//! line that says who may call it. `auth.toml` has the names and the policies that those lines use, and
//! `access.lock` what comes of both.

mod admin;
mod checks;
mod collaborators;
mod comments;
mod denials;
mod extract;
mod failure;
mod gists;
mod hooks;
mod issues;
mod keys;
mod labels;
mod matrix;
mod meta;
mod notifications;
mod orgs;
mod people;
mod pulls;
mod releases;
mod repos;
mod search;
mod stars;
mod store;
mod teams;
mod text;
mod tokens;
mod users;

use std::error::Error;

use auth_examples::Authority;
use auth_runtime::schemes::{Basic, Bearer, Jwt, JwtKey, SignedUrls};
use auth_runtime::{GuardedRouter, ProtectedRouter, ProtectionSpace, vocabulary};
use axum::extract::DefaultBodyLimit;

use crate::denials::Denials;
pub use crate::matrix::access_matrix;
pub use crate::people::{PLACES, Person, personas};
use crate::store::Store;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Whom the access tokens are for.
pub(crate) const AUDIENCE: &str = "https://forge.example";

/// More than this is no issue and no file of a release.
const MAX_BODY: usize = 256 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub struct Forge {
    store: Store,
    links: SignedUrls,
    denials: Denials,
}

impl Forge {
    /// A forge with some people and repositories in it, each time the same.
    ///
    /// # Errors
    ///
    /// The database cannot be filled, or the system has no randomness to give.
    pub fn new() -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            store: Store::new()?,
            // With one instance and links of minutes, a key of its own at each start will do.
            links: SignedUrls::builder().key("start", &key).build()?,
            denials: Denials::default(),
        })
    }

    /// The realm and the credentials that are taken: access tokens of `authority`, personal tokens in
    /// place of a password, and the forge's own links.
    ///
    /// # Errors
    ///
    /// The key of `authority` is none.
    pub fn space(&self, authority: &Authority) -> Result<ProtectionSpace> {
        let jwt = Jwt::builder()
            .issuer(authority.issuer())
            .audience(AUDIENCE)
            .key(JwtKey::es256_pem(authority.public_key())?)
            .build()?;
        let (store, denials) = (self.store.clone(), self.denials.clone());
        let space = ProtectionSpace::builder()
            .realm(vocabulary!().realm().unwrap_or("forge"))
            .scheme(Bearer::jwt(jwt))
            .scheme(Basic::new(move |login, token| {
                tokens::verify(store.clone(), login, token)
            }))
            .scheme(self.links.clone())
            .audit(move |record| denials.note(record));
        Ok(space.build()?)
    }

    /// The service. It has to be told who is connected: serve it with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Errors
    ///
    /// The key of `authority` is none.
    pub fn app(&self, authority: &Authority) -> Result<ProtectedRouter> {
        let space = self.space(authority)?;
        let router = routes().with_state(self.clone()).protect(space)?;
        Ok(router.layer(DefaultBodyLimit::max(MAX_BODY)))
    }
}

/// All that there is to call.
pub fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .merge(meta::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(repos::routes())
        .merge(collaborators::routes())
        .merge(keys::routes())
        .merge(hooks::routes())
        .merge(issues::routes())
        .merge(comments::routes())
        .merge(labels::routes())
        .merge(pulls::routes())
        .merge(releases::routes())
        .merge(stars::routes())
        .merge(notifications::routes())
        .merge(orgs::routes())
        .merge(teams::routes())
        .merge(gists::routes())
        .merge(search::routes())
        .merge(admin::routes())
        .fallback(meta::not_found)
}
