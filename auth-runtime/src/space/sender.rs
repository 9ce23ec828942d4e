//! Who sent a request, as far as a space can tell.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::ProtectionSpace;
use super::credentials::{Carried, well_formed};
use crate::caller::{Caller, Rejection};
use crate::head::Head;
use crate::scheme::{Credentials, Verification};

#[derive(Clone, Debug)]
pub(crate) enum Sender {
    /// Nobody can say: the request carries credentials twice (rule 5).
    Broken,
    /// This caller, with the credentials of that scheme.
    Caller {
        caller: Caller,
        scheme: Option<usize>,
    },
}

impl Sender {
    pub(crate) fn caller(caller: Caller, scheme: Option<usize>) -> Self {
        Self::Caller { caller, scheme }
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

    /// The scheme of the credentials that were sent.
    pub(crate) fn used(&self) -> Option<usize> {
        match self {
            Self::Broken => None,
            Self::Caller { scheme, .. } => *scheme,
        }
    }
}

impl ProtectionSpace {
    /// Finds the credentials of a request and starts to verify them.
    pub(crate) fn authenticate(&self, head: Head<'_>) -> Authentication {
        #[cfg(feature = "testing")]
        if let Some(sender) = crate::testing::stand_in(head.extensions, self) {
            return Authentication::Done(sender);
        }
        match self.0.presented(head) {
            Err(Carried::Badly) => Authentication::Done(Sender::Broken),
            Ok(None) => Authentication::Done(Sender::caller(Caller::Anonymous, None)),
            Ok(Some((index, accepted, value))) => {
                let verification = match well_formed(&value) {
                    Some(value) => accepted.scheme.verify(&Credentials::new(value, head)),
                    None => Verification::done(Caller::Rejected(Rejection::Malformed)),
                };
                Authentication::Verifying {
                    scheme: index,
                    verification,
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
        scheme: usize,
        verification: Verification,
    },
}

impl Future for Authentication {
    type Output = Sender;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Sender> {
        match &mut *self {
            Self::Done(sender) => Poll::Ready(std::mem::replace(sender, Sender::Broken)),
            Self::Verifying {
                scheme,
                verification,
            } => {
                let scheme = Some(*scheme);
                Pin::new(verification)
                    .poll(context)
                    .map(|caller| Sender::caller(caller, scheme))
            }
        }
    }
}
