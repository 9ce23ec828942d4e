//! The forge with its callers, for the tests and the tour. Nothing of this is part of the service.

mod matrix;
pub(crate) mod people;

use std::error::Error;

use auth_examples::Authority;
use auth_forge::{Database, Forge};
use auth_runtime::ProtectionSpace;
use auth_runtime::objects::DecisionPoint;
use auth_runtime::schemes::{Jwt, JwtKey, SignedUrls};

use self::people::Person;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The audience of the access tokens.
const AUDIENCE: &str = "https://forge.example";

/// A forge, with an authorization server in the process and with people who have credentials.
pub(crate) struct Demo {
    pub(crate) forge: Forge,
    pub(crate) people: Vec<Person>,
    authority: Authority,
    database: Database,
    links: SignedUrls,
}

impl Demo {
    /// Creates a forge with the same people and repositories each time.
    pub(crate) fn new() -> Result<Self> {
        let database = auth_forge::open_database()?;
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        // A new key at each start is sufficient for one instance and links of a few minutes.
        let links = SignedUrls::builder().key("start", &key).build()?;
        let authority = Authority::new()?;
        Ok(Self {
            forge: Forge::new(database.clone(), links.clone()),
            people: people::people(&database, &authority)?,
            authority,
            database,
            links,
        })
    }

    /// The protection space, which accepts the tokens of the authorization server.
    pub(crate) fn space(&self, engine: impl DecisionPoint) -> Result<ProtectionSpace> {
        let jwt = Jwt::builder()
            .issuer(self.authority.issuer())
            .audience(AUDIENCE)
            .key(JwtKey::es256_pem(self.authority.public_key())?);
        self.forge.space(jwt.build()?, engine)
    }
}
