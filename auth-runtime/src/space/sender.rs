//! Who sent a request, as far as a space can tell.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::ProtectionSpace;
use super::credentials::{Carried, Presented, well_formed};
use crate::caller::{Caller, Rejection};
use crate::head::Head;
use crate::policy::Policy;
#[cfg(all(feature = "axum", any(feature = "form", feature = "secret-urls")))]
use crate::scheme::Source;
use crate::scheme::{Credentials, Verification};

#[derive(Clone, Debug)]
pub(crate) enum Sender {
    /// Nobody can say: the request carries credentials twice, or those of another request (rule 5).
    Broken,
    /// This caller, with the credentials of that scheme.
    Caller { caller: Caller, used: Used },
}

/// The scheme of the credentials that were sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Used {
    /// None were sent.
    Nothing,
    /// This one.
    Scheme {
        /// Its place in the order.
        index: usize,
        #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "for routers only"))]
        in_authorization: bool,
    },
    /// A test says who calls, and whatever the handler accepts will do.
    #[cfg(feature = "testing")]
    WhateverIsAccepted,
}

impl Sender {
    pub(crate) fn caller(caller: Caller, used: Used) -> Self {
        match caller {
            Caller::Rejected(Rejection::OtherRequest) => Self::Broken,
            caller => Self::Caller { caller, used },
        }
    }

    /// Whom credentials of a scheme turned out to be of.
    fn verified(caller: Caller, used: Used, can_be_asked_for: bool) -> Self {
        match caller {
            // A challenge could not ask for better ones.
            Caller::Rejected(_) if !can_be_asked_for => {
                Self::caller(Caller::Anonymous, Used::Nothing)
            }
            caller => Self::caller(caller, used),
        }
    }

    /// Whether its credentials stand in `Authorization`. What else may stand there, such as a password
    /// for a proxy in front, has no say in who was let in.
    #[cfg(feature = "axum")]
    pub(crate) fn stands_in_authorization(&self) -> bool {
        let Self::Caller { used, .. } = self else {
            return false;
        };
        matches!(
            used,
            Used::Scheme {
                in_authorization: true,
                ..
            }
        )
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(
            self,
            Self::Caller {
                caller: Caller::Known(_),
                ..
            }
        )
    }
}

impl ProtectionSpace {
    /// Who a sender is to `policy`: nobody, if it does not accept the scheme that was used. `None`
    /// if nobody can say.
    pub(crate) fn caller_for<'s>(&self, policy: &Policy, sender: &'s Sender) -> Option<&'s Caller> {
        let Sender::Caller { caller, used } = sender else {
            return None;
        };
        match used {
            Used::Scheme { index, .. } if !self.is_accepted(*index, policy) => {
                Some(&Caller::Anonymous)
            }
            _ => Some(caller),
        }
    }

    /// The scheme that a sender used, by its place in the order.
    pub(crate) fn scheme_used(&self, policy: Option<&Policy>, sender: &Sender) -> Option<usize> {
        #[cfg(not(feature = "testing"))]
        let _ = policy;
        match sender {
            Sender::Broken => None,
            Sender::Caller { used, .. } => match used {
                Used::Nothing => None,
                Used::Scheme { index, .. } => Some(*index),
                #[cfg(feature = "testing")]
                Used::WhateverIsAccepted => self.likely_scheme(policy),
            },
        }
    }

    fn is_accepted(&self, index: usize, policy: &Policy) -> bool {
        let scheme = self.0.schemes.get(index);
        scheme.is_some_and(|accepted| policy.accepts(&accepted.name))
    }

    /// Whether the credentials of `sender` may have stood in the query.
    #[cfg(feature = "axum")]
    pub(crate) fn may_stand_in_query(&self, sender: &Sender) -> bool {
        #[cfg(any(feature = "form", feature = "secret-urls"))]
        if let Sender::Caller {
            used: Used::Scheme { index, .. },
            ..
        } = sender
        {
            let used = self.0.schemes.get(*index);
            let mut sources = used.into_iter().flat_map(|accepted| &accepted.sources);
            return sources.any(|source| matches!(source, Source::Query(_)));
        }
        let _ = sender;
        false
    }

    /// The first OAuth scheme that is accepted, or else the first one.
    #[cfg(feature = "testing")]
    fn likely_scheme(&self, policy: Option<&Policy>) -> Option<usize> {
        let schemes = self.0.schemes.iter().enumerate();
        let accepted: Vec<_> = schemes
            .filter(|(index, _)| policy.is_none_or(|own| self.is_accepted(*index, own)))
            .collect();
        let oauth = accepted.iter().find(|(_, scheme)| scheme.is_oauth);
        oauth.or(accepted.first()).map(|(index, _)| *index)
    }

    /// Who sends a request if the credentials in it are those of `caller`: found without a look at
    /// whether they are any good.
    #[cfg(feature = "access-matrix")]
    pub(crate) fn sender_if(&self, caller: Caller, head: Head<'_>) -> Sender {
        match self.0.presented(head) {
            Err(Carried::Badly) => Sender::Broken,
            Ok(None) => Sender::caller(caller, Used::Nothing),
            Ok(Some(presented)) => {
                let can_be_asked_for = presented.accepted.plain.is_some();
                Sender::verified(caller, presented.used(), can_be_asked_for)
            }
        }
    }

    /// Finds the credentials of a request and starts to verify them.
    pub(crate) fn authenticate(&self, head: Head<'_>) -> Authentication {
        #[cfg(feature = "testing")]
        if let Some(sender) = crate::testing::stand_in(head.extensions) {
            return Authentication::Done(sender);
        }
        match self.0.presented(head) {
            Err(Carried::Badly) => Authentication::Done(Sender::Broken),
            Ok(None) => Authentication::Done(Sender::caller(Caller::Anonymous, Used::Nothing)),
            Ok(Some(presented)) => {
                let used = presented.used();
                let Presented {
                    accepted, value, ..
                } = presented;
                let can_be_asked_for = accepted.plain.is_some();
                let verification = match well_formed(&value) {
                    Some(value) => accepted.scheme.verify(&Credentials::new(value, head)),
                    None => Verification::done(Caller::Rejected(Rejection::Malformed)),
                };
                match verification.into_caller() {
                    Ok(caller) => {
                        Authentication::Done(Sender::verified(caller, used, can_be_asked_for))
                    }
                    Err(verification) => Authentication::Verifying {
                        used,
                        can_be_asked_for,
                        verification,
                    },
                }
            }
        }
    }
}

/// A [`Sender`], now or later.
#[derive(Debug)]
pub(crate) enum Authentication {
    Done(Sender),
    Verifying {
        used: Used,
        can_be_asked_for: bool,
        verification: Verification,
    },
}

impl Future for Authentication {
    type Output = Sender;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Sender> {
        match &mut *self {
            Self::Done(sender) => Poll::Ready(std::mem::replace(sender, Sender::Broken)),
            Self::Verifying {
                used,
                can_be_asked_for,
                verification,
            } => Pin::new(verification)
                .poll(context)
                .map(|caller| Sender::verified(caller, *used, *can_be_asked_for)),
        }
    }
}
