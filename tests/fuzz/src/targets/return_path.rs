//! Return paths: a browser resolves each accepted one to the same host.

use auth_runtime::ReturnPath;
use url::Url;

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "return_path",
    cost: 1,
    dictionary: &[
        "//",
        "/\\",
        "https:",
        "https://evil.example",
        "/..//",
        "/./",
        "/%2f",
        "\t/",
        "\n/",
        "@",
        "javascript:",
        "?next=",
        "#",
    ],
    start,
};

fn start() -> Check {
    let own = Url::parse("https://own.example/login?next=x").expect("a URL");
    Box::new(move |input| {
        let text = String::from_utf8_lossy(input);
        let Some(path) = ReturnPath::new(&text) else {
            return Outcome::of((text.len() > ReturnPath::MAX_LENGTH, text.starts_with('/')));
        };
        assert_eq!(path.as_str(), text);
        assert_eq!(path.to_string(), text);
        assert!(text.len() <= ReturnPath::MAX_LENGTH);
        let target = own.join(path.as_str()).expect("a URL");
        assert_eq!(target.origin(), own.origin(), "{text}");
        assert_eq!(target.username(), "", "{text}");
        // What it resolves to is a return path as well.
        let resolved = &target[url::Position::BeforePath..];
        assert!(resolved.starts_with('/'), "{text}");
        Outcome::of((true, target.query().is_some(), target.fragment().is_some()))
    })
}
