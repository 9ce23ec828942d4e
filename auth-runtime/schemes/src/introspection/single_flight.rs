//! Deduplication of requests to the authorization server: one at a time for a token, for all
//! requests that wait for the response.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use auth_runtime_core::{Caller, Client};
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::fair_queue::{FairQueue, QueuePlace};
use crate::token_cache::Epoch;

/// The maximum wait for a place.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct SingleFlight {
    asked: Mutex<HashMap<TokenInEpoch, Weak<Flight>>>,
}

/// A token, and its epoch at the request. If it was forgotten since then, a new request is sent.
#[derive(Clone, PartialEq, Eq)]
struct TokenInEpoch(Epoch, Zeroizing<String>);

impl Hash for TokenInEpoch {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.0, self.1.as_str()).hash(hasher);
    }
}

/// A request to the server, and the requests that wait for its response.
#[derive(Default)]
struct Flight {
    /// The response that the instances of the service share, once it was looked up.
    shared: OnceCell<Option<Caller>>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Default)]
enum Progress {
    /// All requests wait for a place, each for one of its own client.
    #[default]
    Queued,
    /// A request that holds a place is being sent.
    Asking,
    Answered(Caller),
}

impl SingleFlight {
    /// Returns the `shared` response for a token, or that of the server: from another request for
    /// it, unless the token was forgotten since, or from `asking`. `None` if `client` receives no
    /// place within [`MAX_WAIT`] and no other request is being sent.
    ///
    /// Each request waits for a place of its own client, so no client is delayed or rejected
    /// because of another client's share. If the sending request is dropped, the next one sends.
    pub(super) async fn ask_together(
        &self,
        (epoch, token): (Epoch, &str),
        shared: impl Future<Output = Option<Caller>>,
        (places, client): (&Arc<FairQueue<()>>, Client),
        asking: impl Future<Output = Caller>,
    ) -> Option<Caller> {
        let waiting = self.join(TokenInEpoch(epoch, Zeroizing::new(token.to_owned())));
        let flight = waiting.flight.as_deref()?;
        if let Some(caller) = flight.shared.get_or_init(|| shared).await {
            return Some(caller.clone());
        }
        let deadline = Instant::now() + MAX_WAIT;
        let mut progress = flight.progress.subscribe();
        let _place = loop {
            let seen = progress.borrow_and_update().clone();
            match seen {
                Progress::Answered(caller) => return Some(caller),
                Progress::Asking => progress.changed().await.ok()?,
                Progress::Queued => {
                    let place = timeout_at(deadline, places.place(client));
                    match unless_changed(&mut progress, place).await {
                        // Another request is being sent.
                        None => {}
                        Some(Ok(Some(place))) if flight.start_asking() => break place,
                        Some(Ok(Some(_not_needed))) => {}
                        Some(_) => return None,
                    }
                }
            }
        };
        let asking_for_all = Asking(flight);
        let caller = asking.await;
        asking_for_all.answered(&caller);
        Some(caller)
    }

    fn join(&self, question: TokenInEpoch) -> Waiting<'_> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let place = asked.entry(question.clone()).or_default();
        let flight = place.upgrade().unwrap_or_else(|| {
            let flight = Arc::default();
            *place = Arc::downgrade(&flight);
            flight
        });
        Waiting {
            flight: Some(flight),
            questions: self,
            question,
        }
    }
}

type PlaceInTime = Result<Option<QueuePlace<()>>, tokio::time::error::Elapsed>;

/// Waits for a place. `None` if the progress changes before.
async fn unless_changed(
    progress: &mut watch::Receiver<Progress>,
    place: impl Future<Output = PlaceInTime>,
) -> Option<PlaceInTime> {
    let mut changed = pin!(progress.changed());
    let mut place = pin!(place);
    poll_fn(|context| match changed.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => place.as_mut().poll(context).map(Some),
    })
    .await
}

impl Flight {
    /// Returns true for one request, which then has to send.
    fn start_asking(&self) -> bool {
        self.progress.send_if_modified(|progress| {
            let is_queued = matches!(progress, Progress::Queued);
            if is_queued {
                *progress = Progress::Asking;
            }
            is_queued
        })
    }
}

/// The request that is being sent. If it is dropped without a response, the next one sends.
struct Asking<'f>(&'f Flight);

impl Asking<'_> {
    fn answered(self, caller: &Caller) {
        let answer = Progress::Answered(caller.clone());
        self.0.progress.send_replace(answer);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.progress.send_if_modified(|progress| {
            let is_asking = matches!(progress, Progress::Asking);
            if is_asking {
                *progress = Progress::Queued;
            }
            is_asking
        });
    }
}

/// A request that waits for a response. The last one removes the entry.
struct Waiting<'q> {
    flight: Option<Arc<Flight>>,
    questions: &'q SingleFlight,
    question: TokenInEpoch,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.flight = None;
        let asked = &self.questions.asked;
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked
            .get(&self.question)
            .is_some_and(|flight| flight.strong_count() == 0)
        {
            asked.remove(&self.question);
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_runtime_core::Clock;

    use super::*;
    use crate::TokenCache;

    #[tokio::test]
    async fn answered_questions_are_removed() {
        let flights = SingleFlight::default();
        let cache = TokenCache::default().of_verifier(Clock::system());
        let places = FairQueue::new(1, 1, 1);
        let len = || flights.asked.lock().expect("no panic").len();
        let answer = flights.ask_together(
            (cache.epoch("token"), "token"),
            async { None },
            (&places, Client::Unknown),
            async {
                assert_eq!(len(), 1);
                Caller::rejected()
            },
        );
        assert!(matches!(answer.await, Some(Caller::Rejected(_))));
        assert_eq!(len(), 0);
    }
}
