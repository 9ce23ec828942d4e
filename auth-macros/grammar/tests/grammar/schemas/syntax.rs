//! Mistakes in Cedar's own syntax, each with its place.

use auth_grammar::cedar::SchemaForm;

use super::{assert_declares, assert_refused};

#[test]
fn mistakes_have_a_place() {
    for (text, at, message) in [
        ("entity A", "", "expected `;`, found the end of the file"),
        ("entity ;", ";", "expected a name, found `;`"),
        (
            "entity if;",
            "if;",
            "`if` is a reserved word of Cedar\nhelp: rename it",
        ),
        ("entity A,;", ";", "expected a name, found `;`"),
        (
            "entity A = String;",
            "String;",
            "expected `{`, found `String`",
        ),
        (
            "entity A enum [];",
            "];",
            "expected text in quotes, found `]`",
        ),
        ("entity A enum [\"x\";", ";", "expected `]`, found `;`"),
        ("entity A in [A B];", "B];", "expected `]`, found `B`"),
        (
            "entities A;",
            "entities A;",
            "expected `entity`, `action`, `type` or `namespace`, found `entities`",
        ),
        (
            "\"a\";",
            "\"a\";",
            "expected `entity`, `action`, `type` or `namespace`, found `\"a\"`",
        ),
        (
            "namespace A { namespace B {} }",
            "namespace B {} }",
            "expected `entity`, `action`, `type` or `namespace`, found `namespace`",
        ),
        (
            "namespace A {",
            "",
            "expected `entity`, `action`, `type` or `namespace`, found the end of the file",
        ),
        ("namespace A;", ";", "expected `{`, found `;`"),
        ("action A::b;", "::b;", "expected `;`, found `::`"),
        (
            "action a in A::b;",
            ";",
            "expected `::` and the action in quotes, found `;`",
        ),
        ("action a in [];", "];", "expected a name, found `]`"),
        ("action a in [b;", ";", "expected `]`, found `;`"),
        (
            "action a appliesTo {};",
            "};",
            "expected `principal`, `resource` or `context`, found `}`",
        ),
        ("action a appliesTo ;", ";", "expected `{`, found `;`"),
        (
            "entity A; action a appliesTo { resource: A };",
            "{ resource: A };",
            "`appliesTo` has no `principal`\nhelp: name its types",
        ),
        (
            "entity A; action a appliesTo { principal: A };",
            "{ principal: A };",
            "`appliesTo` has no `resource`\nhelp: name its types",
        ),
        (
            "entity A; action a appliesTo { principal: [], resource: A };",
            "principal: [], resource: A };",
            "`principal` has no type\nhelp: name some, or remove `appliesTo` for a group of actions",
        ),
        (
            "entity A; action a appliesTo { principal: A, resource: [] };",
            "resource: [] };",
            "`resource` has no type\nhelp: name some, or remove `appliesTo` for a group of actions",
        ),
        (
            "entity A; action a appliesTo { principal: A, principal: A };",
            "principal: A };",
            "duplicate `principal`\nhelp: remove one of them",
        ),
        (
            "entity A; action a appliesTo { principal: A, resource: A, resource: A };",
            "resource: A };",
            "duplicate `resource`\nhelp: remove one of them",
        ),
        (
            "entity A; action a appliesTo { principal: A, resource: A, context: {}, context: A };",
            "context: A };",
            "duplicate `context`\nhelp: remove one of them",
        ),
        (
            "action a appliesTo { principal: A resource: A };",
            "resource: A };",
            "expected `}`, found `resource`",
        ),
        (
            "action a attributes { x: Long };",
            "x: Long };",
            "expected `}`, found `x`",
        ),
        ("type A;", ";", "expected `=`, found `;`"),
        ("type A = Set<B;", ";", "expected `>`, found `;`"),
        ("type A = Map<B>;", "<B>;", "expected `;`, found `<`"),
        (
            "type A = { b: C d: E };",
            "d: E };",
            "expected `}`, found `d`",
        ),
        ("type A = { b C };", "C };", "expected `:`, found `C`"),
        (
            "@doc(\"a\") @doc(\"b\") entity A;",
            "doc(\"b\") entity A;",
            "duplicate annotation `@doc`\nhelp: remove one of them",
        ),
        (
            "@doc(\"a\")",
            "",
            "expected `entity`, `action`, `type` or `namespace`, found the end of the file",
        ),
        (
            "@doc(a) entity A;",
            "a) entity A;",
            "expected text in quotes, found `a`",
        ),
        (
            "@doc(\"a\" entity A;",
            "entity A;",
            "expected `)`, found `entity`",
        ),
        (
            "@\"a\" entity A;",
            "\"a\" entity A;",
            "expected the name of an annotation, found `\"a\"`",
        ),
        (
            "action \"a;",
            "\"a;",
            "the string is not closed\nhelp: add `\"`",
        ),
        (
            "action \"a\\",
            "\"a\\",
            "the string is not closed\nhelp: add `\"`",
        ),
        (
            "action \"a\\q\";",
            "\\q\";",
            "`\\q` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"\\x8f\";",
            "\\x8f\";",
            "`\\x` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"\\x4g\";",
            "\\x4g\";",
            "`\\x` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"\\u{d800}\";",
            "\\u{d800}\";",
            "`\\u` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"\\u0041\";",
            "\\u0041\";",
            "`\\u` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"\\u{0000041}\";",
            "\\u{0000041}\";",
            "`\\u` is not an escape of Cedar\nhelp: write `\\\\` for a backslash",
        ),
        (
            "action \"a\rb\";",
            "\rb\";",
            "a string contains a carriage return\nhelp: write `\\r`",
        ),
        (
            "/* a */ entity A;",
            "/* a */ entity A;",
            "unexpected `/`\nhelp: a comment begins with `//`",
        ),
        ("entity 1A;", "1A;", "unexpected `1`\nhelp: remove it"),
        ("entity É;", "É;", "unexpected `É`\nhelp: remove it"),
        (
            "entity A\u{7f};",
            "\u{7f};",
            "unexpected `U+007F`\nhelp: remove it",
        ),
    ] {
        assert_refused(SchemaForm::Cedar, text, &[(at, message)]);
    }
    // Six digits, with the marks between them.
    assert_declares(
        SchemaForm::Cedar,
        "action \"\\u{00_0041}\";",
        &["[] \"A\" at 7: \"\" on "],
    );
}

#[test]
fn names_are_unique_and_known() {
    for (text, expected) in [
        (
            "entity A; entity B, A;",
            &[("A;", "duplicate entity type `A`\nhelp: remove one of them")][..],
        ),
        (
            "action a; action \"a\";",
            &[("\"a\";", "duplicate action `a`\nhelp: remove one of them")],
        ),
        (
            "type A = Long; type A = Long;",
            &[("A = Long;", "duplicate type `A`\nhelp: remove one of them")],
        ),
        (
            "namespace A {} namespace B {} namespace A {}",
            &[("A {}", "duplicate namespace `A`\nhelp: remove one of them")],
        ),
        (
            "entity Action;",
            &[(
                "Action;",
                "`Action` is a reserved name of Cedar\nhelp: rename it",
            )],
        ),
        (
            "entity __cedar; namespace A::__cedar {}",
            &[
                (
                    "A::__cedar {}",
                    "`A::__cedar` is a reserved name of Cedar\nhelp: rename it",
                ),
                (
                    "__cedar; namespace A::__cedar {}",
                    "`__cedar` is a reserved name of Cedar\nhelp: rename it",
                ),
            ],
        ),
        (
            "type Set = Long; type __cedar = Long;",
            &[
                (
                    "Set = Long; type __cedar = Long;",
                    "`Set` is a reserved name of Cedar\nhelp: rename it",
                ),
                (
                    "__cedar = Long;",
                    "`__cedar` is a reserved name of Cedar\nhelp: rename it",
                ),
            ],
        ),
        (
            "entity Repository; action a appliesTo { principal: Repository, resource: [Repositry, X] };",
            &[
                (
                    "Repositry, X] };",
                    "the entity type `Repositry` is not declared\nhelp: did you mean `Repository`?",
                ),
                (
                    "X] };",
                    "the entity type `X` is not declared\nhelp: declare it: `entity X;`",
                ),
            ],
        ),
        (
            "entity A; namespace N { entity B; action a appliesTo { principal: B, resource: N::A }; }",
            &[(
                "N::A }; }",
                "the entity type `N::A` is not declared\nhelp: did you mean `N::B`?",
            )],
        ),
    ] {
        assert_refused(SchemaForm::Cedar, text, expected);
    }
}
