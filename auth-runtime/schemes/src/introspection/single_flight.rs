//! Questions that are being asked: each once for all requests that wait for the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use auth_runtime_core::Caller;
use tokio::sync::OnceCell;

use crate::token_cache::Epoch;

#[derive(Default)]
pub(super) struct SingleFlight {
    asked: Mutex<HashMap<Question, Weak<OnceCell<Caller>>>>,
}

/// A token, and when it was asked about: what was forgotten since then is asked about anew.
type Question = (Epoch, String);

impl SingleFlight {
    /// The answer to a question about `token`: that of somebody who is asking already, and nothing was
    /// forgotten since, or of `asking`. If whoever is asking goes away, the next one asks.
    pub(super) async fn ask_together(
        &self,
        moment: Epoch,
        token: &str,
        asking: impl Future<Output = Caller>,
    ) -> Caller {
        let question = (moment, token.to_owned());
        let waiting = Waiting {
            answer: Some(self.answer_to(&question)),
            questions: self,
            question,
        };
        match &waiting.answer {
            Some(answer) => answer.get_or_init(|| asking).await.clone(),
            None => asking.await,
        }
    }

    fn answer_to(&self, question: &Question) -> Arc<OnceCell<Caller>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let place = asked.entry(question.clone()).or_default();
        place.upgrade().unwrap_or_else(|| {
            let answer = Arc::default();
            *place = Arc::downgrade(&answer);
            answer
        })
    }
}

/// Somebody who waits for an answer. The last one takes the question away.
struct Waiting<'q> {
    answer: Option<Arc<OnceCell<Caller>>>,
    questions: &'q SingleFlight,
    question: Question,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.answer = None;
        let asked = &self.questions.asked;
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked
            .get(&self.question)
            .is_some_and(|answer| answer.strong_count() == 0)
        {
            asked.remove(&self.question);
        }
    }
}
