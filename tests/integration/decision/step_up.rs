//! Newer and stronger logins (RFC 9470).

use std::time::{Duration, SystemTime};

use super::*;

const MFA: Requirement = Requirement::acr("mfa");
const HARDWARE: Requirement = Requirement::acr("hardware");
const FIVE_MINUTES: Requirement = Requirement::max_age(Duration::from_secs(300));
const ONE_MINUTE: Requirement = Requirement::max_age(Duration::from_secs(60));

#[test]
fn step_up_names_every_sufficient_class() {
    let all = |parts: Vec<Requirement>| Requirement::all(parts);
    let any = |parts: Vec<Requirement>| Requirement::any(parts);
    let minutes = |count: u64| Some(Duration::from_secs(count * 60));
    for (requirement, acr_values, max_age) in [
        (MFA, vec!["mfa"], None),
        (FIVE_MINUTES, vec![], minutes(5)),
        (all(vec![MFA, FIVE_MINUTES]), vec!["mfa"], minutes(5)),
        (all(vec![FIVE_MINUTES, ONE_MINUTE]), vec![], minutes(1)),
        (any(vec![HARDWARE, MFA]), vec!["hardware", "mfa"], None),
        (
            all(vec![any(vec![MFA, HARDWARE]), FIVE_MINUTES]),
            vec!["mfa", "hardware"],
            minutes(5),
        ),
        // Expensive or useless alternatives are not requested.
        (
            any(vec![all(vec![MFA, ONE_MINUTE]), HARDWARE]),
            vec!["hardware"],
            None,
        ),
        (
            any(vec![all(vec![MFA, Requirement::role("staff")]), HARDWARE]),
            vec!["hardware"],
            None,
        ),
        (Requirement::amr("otp"), vec![], None),
        // A login has one class, so an alternative with two is impossible.
        (
            any(vec![MFA, all(vec![HARDWARE, Requirement::acr("both")])]),
            vec!["mfa"],
            None,
        ),
    ] {
        let caller = Caller::known(Identity::new("ann").with_acr("pwd"));
        let acr_values: Vec<&str> = acr_values;
        let expected = Decision::Deny(Denial::StepUp {
            acr_values: acr_values
                .iter()
                .map(|acr| acr.to_string().into())
                .collect(),
            max_age,
        });
        let decision = Decision::of(
            &Policy::requires(requirement.clone()),
            &Context::new(&caller),
        );
        assert_eq!(decision, expected, "{requirement}");
    }
}

/// The new login replaces the old one, so the parts that the old one meets are requested as well.
#[test]
fn step_up_names_met_parts() {
    let old = SystemTime::now() - Duration::from_secs(3600);
    let strong = Identity::new("ann").with_acr("mfa").with_auth_time(old);
    let recent = Identity::new("ann").with_acr("pwd");
    let recent = recent.with_auth_time(SystemTime::now());
    let policy = Policy::requires(Requirement::all([MFA, FIVE_MINUTES]));
    for caller in [strong, recent].map(Caller::known) {
        let expected = Denial::StepUp {
            acr_values: vec!["mfa".into()],
            max_age: Some(Duration::from_secs(300)),
        };
        let decision = Decision::of(&policy, &Context::new(&caller));
        assert_eq!(decision, Decision::Deny(expected), "{caller:?}");
    }
}

/// Rule 3c: a missing scope is reported before an old login, since a step-up would not have helped.
#[test]
fn missing_scopes_precede_stale_logins() {
    let caller = Caller::known(Identity::new("ann"));
    let parts = [MFA, Requirement::scope("admin")];
    let policy = Policy::requires(Requirement::all(parts));
    let decision = Decision::of(&policy, &Context::new(&caller).by_oauth());
    let scopes = vec!["admin".into()];
    assert_eq!(
        decision,
        Decision::Deny(Denial::InsufficientScope {
            scopes,
            has_token_server: false,
        })
    );
}

#[test]
fn clock_skew_extends_max_age() {
    let policy = Policy::requires(FIVE_MINUTES);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let decide = |identity: Identity| {
        let caller = Caller::known(identity);
        Decision::of(&policy, &Context::new(&caller).at(now)) == Decision::Grant
    };
    assert!(!decide(Identity::new("without a time")));
    for (seconds_ago, skew, fresh) in [
        (0, 0, true),
        (300, 0, true),
        (301, 0, false),
        (301, 60, true),
        (360, 60, true),
        (361, 60, false),
        (-1, 0, false),
        (-60, 60, true),
        (-61, 60, false),
        (-1_000_000_000, 60, false),
        (1_000_000_000, 60, false),
    ] {
        let time = now.checked_sub(Duration::from_secs(u64::try_from(seconds_ago).unwrap_or(0)));
        let ahead = Duration::from_secs(u64::try_from(-seconds_ago).unwrap_or(0));
        let identity = Identity::new("ann")
            .with_auth_time(time.expect("after the beginning of time") + ahead)
            .with_clock_skew(Duration::from_secs(skew));
        assert_eq!(decide(identity), fresh, "{seconds_ago} s ago, {skew} s off");
    }
    let oldest = now - Duration::from_secs(300);
    for (time, fresh) in [(oldest, true), (oldest - Duration::from_nanos(1), false)] {
        let identity = Identity::new("ann").with_auth_time(time);
        assert_eq!(decide(identity), fresh, "{time:?}");
    }
}

/// Rule 3b needs a scheme that binds credentials to a key.
#[test]
fn no_scheme_that_binds_means_403() {
    let policy = Policy::requires(Requirement::sender_constrained());
    let ann = Caller::known(Identity::new("ann"));
    let context = Context::new(&ann);
    assert_eq!(
        Decision::of(&policy, &context),
        Decision::Deny(Denial::SenderConstraintRequired)
    );
    assert_eq!(
        Decision::of(&policy, &context.without_binding()),
        Decision::Deny(Denial::FORBIDDEN)
    );
}
