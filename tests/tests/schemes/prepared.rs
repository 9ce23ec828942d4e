//! Denials that are prepared, held against the same ones written anew: nothing of an answer may depend
//! on what was answered before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth_runtime::testing::with_caller;
use auth_runtime::{
    Challenge, ChallengeContext, ChallengeError, IpNet, Network, Policy, ProtectedResource,
    Requirement, Sessions, Source, UnknownPaths,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use proptest::prelude::*;

use crate::*;

/// Another scheme; if `hides_it`, it does not tell that it always says the same, and nothing of it is kept.
struct Disguised {
    scheme: Box<dyn Scheme>,
    hides_it: bool,
}

impl Scheme for Disguised {
    fn challenge_varies(&self) -> bool {
        self.hides_it || self.scheme.challenge_varies()
    }

    fn name(&self) -> &str {
        self.scheme.name()
    }

    fn sources(&self) -> Vec<Source> {
        self.scheme.sources()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        self.scheme.verify(credentials)
    }

    fn challenge(&self, occasion: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        self.scheme.challenge(occasion)
    }

    fn further_challenges(&self, occasion: &ChallengeContext<'_>) -> Vec<Challenge> {
        self.scheme.further_challenges(occasion)
    }

    fn fields(&self, occasion: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        self.scheme.fields(occasion)
    }

    fn triggers_browser_prompt(&self) -> bool {
        self.scheme.triggers_browser_prompt()
    }

    fn has_challenge(&self) -> bool {
        self.scheme.has_challenge()
    }

    fn constrains_sender(&self) -> bool {
        self.scheme.constrains_sender()
    }

    fn is_oauth(&self) -> bool {
        self.scheme.is_oauth()
    }

    fn supports_step_up(&self) -> bool {
        self.scheme.supports_step_up()
    }

    fn login_page(&self) -> Option<&str> {
        self.scheme.login_page()
    }
}

/// `Authorization: Lock …`, whose callers prove that they hold a key.
struct Lock;

impl Scheme for Lock {
    fn name(&self) -> &str {
        "Lock"
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }

    fn constrains_sender(&self) -> bool {
        true
    }

    fn challenge_varies(&self) -> bool {
        false
    }
}

const COOKIE: &str = "__Host-id";

/// How a space is set up.
#[derive(Clone, Copy, Debug)]
struct SetUp {
    schemes: u8,
    login_page: bool,
    joins: bool,
    prompts: bool,
    publishes: bool,
    renders: bool,
    challenges_unknown: bool,
}

impl SetUp {
    fn schemes(self) -> Vec<Box<dyn Scheme>> {
        let scopes = async |token: String| match token.as_str() {
            "none" => Caller::known(Identity::new("ann")),
            "read" => Caller::known(Identity::new("ann").with_scopes(["read"])),
            "expired" => Caller::Rejected(Rejection::Expired),
            _ => Caller::rejected(),
        };
        let login = async |user: String, _| match user.as_str() {
            "ann" => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        };
        let keys = ApiKeys::builder().key("a-key-of-a-length-that-is-taken", Identity::new("job"));
        let sessions = Sessions::builder().cookie(COOKIE);
        let sessions = match self.login_page {
            true => sessions.login_page("/login"),
            false => sessions,
        };
        let all: [Box<dyn Scheme>; 5] = [
            Box::new(Basic::new(login)),
            Box::new(Bearer::new(scopes)),
            Box::new(keys.build().expect("keys")),
            Box::new(sessions.build().expect("sessions")),
            Box::new(Lock),
        ];
        let chosen = all.into_iter().enumerate();
        let chosen = chosen.filter(|(index, _)| self.schemes & (1 << index) != 0);
        chosen.map(|(_, scheme)| scheme).collect()
    }

    fn space(self, kept: bool) -> ProtectionSpace {
        let mut space = ProtectionSpace::builder()
            .realm("api")
            .join_challenges(self.joins)
            .prompt_scripts(self.prompts);
        for scheme in self.schemes() {
            let hides_it = !kept;
            space = space.scheme(Disguised { scheme, hides_it });
        }
        if self.publishes {
            let resource = ProtectedResource::builder("https://api.example")
                .authorization_server("https://issuer.example");
            space = space.resource(resource.build().expect("a resource"));
        }
        if self.renders {
            space = space.render(|denial, request| {
                let text = format!("{} {}", denial.status(), request.uri());
                DenialBody::new("text/x-own", text).expect("a media type")
            });
        }
        if self.challenges_unknown {
            space = space.unknown_paths(UnknownPaths::Challenge);
        }
        space.build().expect("a space")
    }
}

fn set_ups() -> impl Strategy<Value = SetUp> {
    let flags = any::<[bool; 6]>();
    (1..32_u8, flags).prop_map(|(schemes, flags)| SetUp {
        schemes,
        login_page: flags[0],
        joins: flags[1],
        prompts: flags[2],
        publishes: flags[3],
        renders: flags[4],
        challenges_unknown: flags[5],
    })
}

/// The policies that differ in all that a challenge may depend on.
fn policies() -> Vec<Policy> {
    const OFFICE: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
        std::net::Ipv4Addr::new(192, 0, 2, 0),
        24,
    ))];
    const READ: Requirement = Requirement::scope("read");
    const WRITE: Requirement = Requirement::scope("write");
    const REQUIREMENTS: [Requirement; 12] = [
        Requirement::authenticated(),
        READ,
        WRITE,
        Requirement::any(&[READ, WRITE]),
        Requirement::all(&[READ, WRITE]),
        Requirement::any(&[
            WRITE,
            Requirement::all(&[READ, Requirement::network(Network::new("office", &OFFICE))]),
        ]),
        Requirement::role("staff"),
        Requirement::acr("mfa"),
        Requirement::max_age(Duration::from_secs(60)),
        Requirement::sender_constrained(),
        Requirement::any(&[Requirement::sender_constrained(), WRITE]),
        Requirement::network(Network::new("office", &OFFICE)),
    ];
    let shown = REQUIREMENTS.map(Policy::requires);
    let narrow: [&'static [&'static str]; 2] = [&["Bearer", "Cookie"], &["Basic", "Lock"]];
    let more = |policy: Policy| {
        [
            policy,
            policy.realm("vault"),
            policy.realm("attic"),
            policy.schemes(narrow[0]),
            policy.schemes(narrow[1]),
            policy.hide_as_not_found(),
        ]
    };
    shown.into_iter().flat_map(more).collect()
}

fn heads() -> Vec<Parts> {
    let credentials: [&[(&str, &str)]; 10] = [
        &[],
        &[("authorization", "Bearer none")],
        &[("authorization", "Bearer read")],
        &[("authorization", "Bearer expired")],
        &[("authorization", "Bearer x")],
        &[("authorization", "Basic YW5uOnNlY3JldA==")],
        &[("authorization", "Basic Ym9iOnNlY3JldA==")],
        &[("authorization", "Lock x")],
        &[("x-api-key", "a-key-of-a-length-that-is-taken")],
        &[("authorization", "Bearer none"), ("x-api-key", "another")],
    ];
    let clients: [&[(&str, &str)]; 4] = [
        &[],
        &[("sec-fetch-mode", "cors"), ("accept", "text/plain")],
        &[("sec-fetch-mode", "navigate"), ("accept", "text/html")],
        &[("accept", "text/html")],
    ];
    let mut heads = Vec::new();
    for (credentials, client) in credentials
        .iter()
        .flat_map(|credentials| clients.iter().map(move |client| (credentials, client)))
    {
        let mut request = http::Request::get("/page?of=2");
        for (name, value) in credentials.iter().chain(*client) {
            request = request.header(*name, *value);
        }
        heads.push(request.body(()).expect("a request"));
    }
    for caller in [
        Caller::unverifiable(),
        Caller::Unverifiable {
            retry_after: Some(Duration::from_secs(7)),
        },
        Caller::Unverifiable {
            retry_after: Some(Duration::from_secs(8)),
        },
        Caller::known(Identity::new("ann").with_sender_constraint()),
    ] {
        let request = http::Request::get("/").body(()).expect("a request");
        heads.push(with_caller(request, caller));
    }
    let heads = heads.into_iter().map(|request| request.into_parts().0);
    heads.collect()
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    /// In their order.
    fields: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

async fn answer(space: &ProtectionSpace, policy: &Policy, head: &Parts) -> Option<Answer> {
    let denied = space.authorize(policy, &[], head).await.err()?;
    let (head, body) = denied.into_parts();
    let in_order = |fields: &HeaderMap| {
        let lines = fields.iter();
        lines
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    Some(Answer {
        status: head.status,
        fields: in_order(&head.headers),
        body: body.to_vec(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The space is asked about everything in turn, and twice, so that what was kept of one answer
    /// would show in another.
    #[test]
    fn a_prepared_denial_is_the_one_that_would_be_written(set_up in set_ups(), turn in any::<u64>()) {
        let (prepared, anew) = (set_up.space(true), set_up.space(false));
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let mut asked: Vec<(Policy, Parts)> = Vec::new();
        for policy in policies() {
            asked.extend(heads().into_iter().map(|head| (policy, head)));
        }
        // In another order each time: the places go to those who come first.
        let turn = usize::try_from(turn % asked.len() as u64).expect("a place");
        asked.rotate_left(turn);
        for (policy, head) in asked.iter().chain(&asked) {
            let [kept, written] = [&prepared, &anew]
                .map(|space| runtime.block_on(answer(space, policy, head)));
            prop_assert_eq!(kept, written, "{} {:?} {:?}", policy, head.headers, set_up);
        }
    }
}

/// `Authorization: Counted …`, which counts what it asks with.
#[derive(Default)]
struct Counted {
    asked: AtomicU64,
    tells_that_it_varies: bool,
}

impl Scheme for Counted {
    fn name(&self) -> &str {
        "Counted"
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }

    fn challenge(&self, occasion: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        Challenge::builder("Counted")
            .quoted("realm", occasion.realm().unwrap_or_default())
            .quoted("number", number.to_string())
            .build()
    }

    fn challenge_varies(&self) -> bool {
        self.tells_that_it_varies
    }
}

#[tokio::test]
async fn a_challenge_that_varies_is_asked_for_each_time() {
    for tells_that_it_varies in [true, false] {
        let counted = Counted {
            tells_that_it_varies,
            ..Counted::default()
        };
        // Another one that does not vary does not hide it.
        let bearer = Bearer::new(async |_| Caller::rejected());
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let app = app(space.scheme(counted).build().expect("a space"));
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let response = send(&app, "/known", &vec![]).await;
            assert_eq!(challenges(&response)[0], BEARER);
            numbers.push(challenges(&response)[1].to_owned());
        }
        numbers.dedup();
        let expected = if tells_that_it_varies { 3 } else { 1 };
        assert_eq!(numbers.len(), expected, "{numbers:?}");
    }
}
