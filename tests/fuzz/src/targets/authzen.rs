//! Responses of an AuthZEN server: each input is one, to one question, to two questions, and to a search.

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, Evaluation, EvaluationRequest, ObjectDecision, Permitted,
    Resource,
};
use auth_runtime_authzen::AuthZen;
use tokio::runtime::{Builder, Runtime};

use super::http_server::{Document, serve_document};
use super::json::Json;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "authzen",
    cost: 10,
    dictionary: &[
        "{\"decision\":true}",
        "{\"decision\":false}",
        "\"decision\":true",
        "\"decision\":false",
        "\"decision\":\"true\"",
        "\"decision\":1",
        "\"Decision\":true",
        "\"decisio\\u006e\":true",
        "\"evaluations\":[",
        "\"evaluations\":[{\"decision\":true},{\"decision\":true}]",
        "\"context\":{\"reason_user\":\"no\"}",
        "\"context\":{\"acr_values\":[\"urn:a\"]}",
        "\"context\":{\"policy\":\"p\"}",
        "\"context\":{\"error\":{\"status\":500}}",
        "\"results\":[",
        "{\"type\":\"Document\",\"id\":\"d1\"}",
        "{\"type\":\"User\",\"id\":\"d1\"}",
        "\"page\":{\"next_token\":\"\"}",
        "\"page\":{\"next_token\":\"t\",\"count\":1}",
        "\"count\":1",
        "null",
        "true",
        "[]",
        "{}",
        "]",
        "}",
        ",",
        "\\u0000",
        "\\ud800",
    ],
    start,
};

const GOOD: &str = r#"{"decision":true}"#;

type Decided = Result<Vec<bool>, DecisionPointError>;
type Listed = Result<Vec<String>, DecisionPointError>;

fn start() -> Check {
    let document = Document::default();
    let engine = AuthZen::builder()
        .url(serve_document(&document))
        .search_resources();
    let runtime = Builder::new_current_thread().enable_all().build();
    let server = Server {
        engine: engine.build().expect("a URL"),
        runtime: runtime.expect("a runtime"),
        document,
    };
    Box::new(move |input| server.check(input))
}

struct Server {
    document: Document,
    engine: AuthZen,
    runtime: Runtime,
}

impl Server {
    fn check(&self, input: &[u8]) -> Outcome {
        let answers = self.respond(input);
        let (one, several, listed) = &answers;
        let document = Json::parse(input).unwrap_or(Json::Null);
        if let Ok(decisions) = one {
            assert_eq!(
                Some(decisions),
                decision(&document).map(|it| vec![it]).as_ref()
            );
        }
        if let Ok(decisions) = several {
            assert_eq!(Some(decisions), all_decisions(&document).as_ref());
        }
        if let Ok(ids) = listed {
            assert_eq!(Some(ids), ids_of(&document).as_ref());
        }
        // Spaces and unknown members change nothing, whether the response is one or not.
        if let Some(before) = input.trim_ascii_end().strip_suffix(b"}")
            && !before.trim_ascii_end().ends_with(b"{")
        {
            let later = br#","later":{"decision":true,"evaluations":[]} }"#;
            let again = self.respond(&[b" \n\t", before, later].concat());
            assert_eq!(answers, again);
        }
        let (one, several, listed) = answers;
        let is_granted = [&one, &several]
            .iter()
            .any(|decided| decided.as_ref().is_ok_and(|all| all.contains(&true)));
        let listed = listed.map(|ids| ids.len().min(3));
        Outcome::of((one.ok(), several.ok(), listed.ok())).of_decision(is_granted)
    }

    /// Returns the results if this document is the response to one question, to two, and to a search.
    fn respond(&self, document: &[u8]) -> (Decided, Decided, Listed) {
        self.document.set(document);
        let answers = (self.ask(1), self.ask(2), self.list());
        if let (Ok(_), Ok(_), Ok(_)) = &answers {
            return answers;
        }
        // It closes the circuit that failures open.
        self.document.set(GOOD);
        assert_eq!(self.ask(1), Ok(vec![true]));
        answers
    }

    fn ask(&self, questions: usize) -> Decided {
        let ann = Identity::new("ann");
        let question = Evaluation::new("read", Resource::new("Document", "d1"));
        let questions = vec![question; questions];
        let request = EvaluationRequest::new(&ann, &questions);
        let decided = self.runtime.block_on(self.engine.evaluate(request))?;
        Ok(decided.iter().map(ObjectDecision::is_allowed).collect())
    }

    fn list(&self) -> Listed {
        let ann = Identity::new("ann");
        let request = EvaluationRequest::new(&ann, &[]);
        let listed = self.engine.permitted("read", "Document", request);
        match self.runtime.block_on(listed)? {
            Permitted::Ids(ids) => Ok(ids),
            other => panic!("{other:?}"),
        }
    }
}

fn decision(document: &Json) -> Option<bool> {
    match document.only("decision")? {
        Json::Flag(decision) => Some(*decision),
        _ => None,
    }
}

/// The decisions about two questions.
fn all_decisions(document: &Json) -> Option<Vec<bool>> {
    let decisions = document
        .only("evaluations")?
        .as_array()?
        .iter()
        .map(decision);
    let decisions: Vec<bool> = decisions.collect::<Option<_>>()?;
    Some(decisions).filter(|all| all.len() == 2)
}

/// The ids of a list of one page.
fn ids_of(document: &Json) -> Option<Vec<String>> {
    let text = |object: &Json, name: &str| object.only(name)?.as_text().map(str::to_owned);
    let results = document.only("results")?.as_array()?;
    let ids = results.iter().map(|result| {
        text(result, "type").filter(|name| name == "Document")?;
        text(result, "id")
    });
    let mut ids: Vec<String> = ids.collect::<Option<_>>()?;
    let is_last = match (document.count("page"), document.only("page")) {
        (0, _) | (1, Some(Json::Null)) => true,
        (1, Some(page)) => {
            let count = page.only("count");
            let is_whole = match count {
                None => page.count("count") == 0,
                Some(Json::Number(count)) => *count == ids.len() as f64,
                Some(count) => *count == Json::Null,
            };
            is_whole && text(page, "next_token").as_deref() == Some("")
        }
        _ => false,
    };
    ids.sort();
    ids.dedup();
    is_last.then_some(ids)
}
