//! Lists of objects, by the Resource Search API (§8.5).

use std::collections::{BTreeSet, HashSet};

use auth_runtime_core::ProtectionSpace;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::answer::{self, AnswerError};

/// The maximum number of results that a page is requested with. A page of long ids is then not longer than
/// a response may be.
const PAGE: usize = 1_000;
/// The maximum number of pages.
const MAX_PAGES: usize = 1_000;
/// The longest list, in bytes of the responses.
const MAX_LENGTH: usize = 4 * 1024 * 1024;

/// The pages that were read so far.
pub(crate) struct List<'q> {
    /// The body of each request, without the page.
    question: Map<String, Value>,
    resource_type: &'q str,
    ids: BTreeSet<String>,
    /// The tokens of the pages, the one of the next page included.
    tokens: HashSet<String>,
    next: Option<String>,
    pages: usize,
    length: usize,
}

/// A response (§8.3).
#[derive(Deserialize)]
struct Response {
    results: Vec<Entity>,
    page: Option<Page>,
    #[serde(default)]
    context: Value,
    /// See [`answer`](crate::answer).
    #[serde(flatten)]
    _others: IgnoredAny,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(flatten)]
    _others: IgnoredAny,
}

/// The place of a response in the list (§8.2.2).
#[derive(Deserialize)]
struct Page {
    next_token: String,
    count: Option<u64>,
    #[serde(flatten)]
    _others: IgnoredAny,
}

impl<'q> List<'q> {
    pub(crate) fn new(question: Map<String, Value>, resource_type: &'q str) -> Self {
        Self {
            question,
            resource_type,
            ids: BTreeSet::new(),
            tokens: HashSet::new(),
            next: None,
            pages: 0,
            length: 0,
        }
    }

    /// The body of the next request. Only the token differs between the requests of a list (§8.2.1).
    pub(crate) fn request(&self) -> Vec<u8> {
        let page = match &self.next {
            Some(token) => json!({ "limit": PAGE, "token": token }),
            None => json!({ "limit": PAGE }),
        };
        let mut body = self.question.clone();
        body.insert("page".to_owned(), page);
        Value::Object(body).to_string().into_bytes()
    }

    /// Adds the results of a response, and returns whether a page follows. Errors do not quote the response,
    /// which may be long or personal.
    pub(crate) fn add(&mut self, body: &[u8]) -> Result<bool, AnswerError> {
        let response: Response = serde_json::from_slice(body).map_err(|_| {
            let problem = "the response is not a JSON object with `results` that each have a `type` and an \
                           `id`, and with the `next_token` of its `page`";
            AnswerError::Form(problem.to_owned())
        })?;
        let Response {
            results,
            page,
            context,
            ..
        } = response;
        if let Some(error) = answer::reported_error(&context) {
            return Err(error);
        }
        let found = results.len();
        let count = page.as_ref().and_then(|page| page.count);
        if let Some(count) = count.filter(|count| usize::try_from(*count) != Ok(found)) {
            let problem = format!("the page has {found} results, and {count} by its own count");
            return Err(AnswerError::Form(problem));
        }
        self.pages += 1;
        self.length = self.length.saturating_add(body.len());
        for entity in results {
            if entity.kind != self.resource_type {
                let problem = "a result has another type than the objects of the list";
                return Err(AnswerError::Form(problem.to_owned()));
            }
            // Results may be repeated between pages (§8.2).
            self.ids.insert(entity.id);
        }
        let most = ProtectionSpace::MAX_EVALUATIONS;
        if self.ids.len() > most {
            return Err(AnswerError::LongList(format!(
                "the list has more than {most} objects"
            )));
        }
        let Some(token) = page.map(|page| page.next_token).filter(|it| !it.is_empty()) else {
            return Ok(false);
        };
        if self.pages == MAX_PAGES || self.length > MAX_LENGTH {
            let (pages, length) = (self.pages, self.length);
            let problem = format!("the list does not end after {pages} pages and {length} bytes");
            return Err(AnswerError::LongList(problem));
        }
        if !self.tokens.insert(token.clone()) {
            let problem = "the token of the next page is the one of an earlier page";
            return Err(AnswerError::Form(problem.to_owned()));
        }
        self.next = Some(token);
        Ok(true)
    }

    /// Returns whether a page was read.
    pub(crate) fn has_begun(&self) -> bool {
        self.pages > 0
    }

    /// The ids of the objects, each once, in their order.
    pub(crate) fn into_ids(self) -> Vec<String> {
        self.ids.into_iter().collect()
    }
}
