//! Sources of objects, and their patterns.

use auth_runtime_policy::{
    Atom, FillError, ObjectSource, Requirement, ResourcePattern, ResourcePatternError,
};

fn pattern(text: &'static str) -> ResourcePattern {
    ResourcePattern::parse(text).expect("a pattern")
}

fn sources() -> [ObjectSource; 3] {
    let by_function = ObjectSource::Function {
        resource_type: "Report".into(),
        function: "reports::of_query".into(),
    };
    [
        ObjectSource::Service,
        ObjectSource::Path(pattern("App::Repository::{owner}/{repo}")),
        by_function,
    ]
}

#[test]
fn each_source_has_its_type() {
    let types = ["Service", "App::Repository", "Report"];
    assert_eq!(sources().each_ref().map(ObjectSource::resource_type), types);
}

#[test]
fn each_source_has_its_text() {
    let texts = [
        "the service itself",
        r#"on = "App::Repository::{owner}/{repo}""#,
        r#"on = "Report", resource = reports::of_query"#,
    ];
    assert_eq!(sources().map(|source| source.to_string()), texts);
}

#[test]
fn only_paths_have_a_pattern() {
    let [service, path, function] = sources();
    assert_eq!(service.pattern(), None);
    assert_eq!(function.pattern(), None);
    assert_eq!(
        path.pattern().map(ResourcePattern::as_str),
        Some("App::Repository::{owner}/{repo}")
    );
    let other = |_: &ResourcePattern| pattern("Order::{id}");
    assert_eq!(service.map_pattern(other), service);
    assert_eq!(function.map_pattern(other), function);
    assert_eq!(
        path.map_pattern(other),
        ObjectSource::Path(pattern("Order::{id}"))
    );
}

#[test]
fn requirements_have_their_source() {
    let [service, path, function] = sources();
    let on = pattern("App::Repository::{owner}/{repo}");
    for (requirement, expected) in [
        (Requirement::can("read"), service),
        (Requirement::can_on("read", on), path),
        (
            Requirement::can_by("read", "Report", "reports::of_query"),
            function,
        ),
    ] {
        let can = Atom::Can {
            action: "read".into(),
            on: expected,
        };
        assert_eq!(requirement, Requirement::Atom(can));
    }
}

#[test]
fn a_pattern_has_its_parts() {
    let file = pattern("App::File::v1/{folder}/{name}.txt");
    assert_eq!(file.as_str(), "App::File::v1/{folder}/{name}.txt");
    assert_eq!(file.to_string(), file.as_str());
    assert_eq!(file.resource_type(), "App::File");
    assert_eq!(file.id(), "v1/{folder}/{name}.txt");
    assert_eq!(file.parameters().collect::<Vec<_>>(), ["folder", "name"]);
}

#[test]
fn filled_values_are_read_again() {
    let file = pattern("File::v1/{folder}/{name}.txt");
    let filled = |folder: &'static str, name: &'static str| {
        file.fill(|own| Some(if own == "folder" { folder } else { name }))
    };
    assert_eq!(filled("a", "b").as_deref(), Ok("v1/a/b.txt"));
    // The text behind the last parameter has a known length.
    assert_eq!(filled("a", "b.c").as_deref(), Ok("v1/a/b.c.txt"));
    assert_eq!(filled("a/b", "c"), Err(FillError::Ambiguous("folder")));
    assert_eq!(filled("", "c"), Err(FillError::Ambiguous("folder")));
    assert_eq!(filled("a", ""), Err(FillError::Ambiguous("name")));
    let one = file.fill(|own| (own == "folder").then_some("a"));
    assert_eq!(one, Err(FillError::Missing("name")));
    for (id, expected) in [
        ("v1/a/b.txt", Some([("folder", "a"), ("name", "b")])),
        ("v1/a/b.txt.txt", Some([("folder", "a"), ("name", "b.txt")])),
        ("v1/a/b/c.txt", Some([("folder", "a"), ("name", "b/c")])),
        ("v1/a/b", None),
        ("v1/a/.txt", None),
        ("v1//b.txt", None),
        ("v2/a/b.txt", None),
        ("", None),
    ] {
        assert_eq!(file.parse_id(id), expected.map(Vec::from), "{id}");
    }
}

#[test]
fn mistakes_have_their_text() {
    use ResourcePatternError as E;
    for (text, error, message) in [
        (
            "Repository",
            E::NoId,
            "there is no `::` between the type and the id",
        ),
        ("1::a", E::Type, "the type is not an identifier"),
        ("a::1::a", E::Type, "the type is not an identifier"),
        (
            "Service::a",
            E::Service,
            "`Service` is the type of the service itself",
        ),
        ("Type::", E::EmptyId, "the id is empty"),
        (
            "Type::{1}",
            E::Parameter,
            "a parameter is not an identifier between braces",
        ),
        (
            "Type::{a",
            E::Parameter,
            "a parameter is not an identifier between braces",
        ),
        (
            "Type::a}",
            E::Parameter,
            "a parameter is not an identifier between braces",
        ),
        (
            "Type::{a}{b}",
            E::Adjacent,
            "two parameters have no text between them",
        ),
        ("Type::{a}/{a}", E::Repeated, "a parameter occurs twice"),
        (
            "Type::a\u{7f}",
            E::Character('\u{7f}'),
            "the id contains `\\u{7f}`",
        ),
        ("Type::a\t", E::Character('\t'), "the id contains `\\t`"),
        ("Type::a:b", E::Character(':'), "the id contains `:`"),
        ("Type::a%b", E::Character('%'), "the id contains `%`"),
        ("Type::é", E::Character('é'), "the id contains `é`"),
    ] {
        assert_eq!(ResourcePattern::parse(text), Err(error), "{text}");
        assert_eq!(error.to_string(), message);
    }
    // All other visible characters of ASCII are text.
    let text: String = (b'!'..=b'~')
        .map(char::from)
        .filter(|it| !matches!(it, '{' | '}' | ':' | '%'))
        .collect();
    let all = ResourcePattern::parse(format!("Type::{text}")).expect("a pattern");
    assert_eq!(all.id(), text);
}
