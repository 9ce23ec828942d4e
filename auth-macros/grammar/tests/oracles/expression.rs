//! Requirements in the oracles, and all possible callers.

use std::fmt;

use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Atom(Atom),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// The names in `VOCABULARY`, and some others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Atom {
    Authenticated,
    Bound,
    Read,
    /// Implies `Read`.
    Write,
    Editor,
    Auditor,
    QuarterOfAnHour,
    Hour,
    Desk,
    /// `Desk` lies in it.
    Building,
    /// A part of the addresses that begin with 10.
    Yard,
    /// `Building` and `Yard` together.
    Premises,
    Elsewhere,
    /// Every IPv4 address.
    Four,
    Six,
    Gold,
    Silver,
    Open,
}

use Atom::*;

pub(crate) const ATOMS: [Atom; 18] = [
    Authenticated,
    Bound,
    Read,
    Write,
    Editor,
    Auditor,
    QuarterOfAnHour,
    Hour,
    Desk,
    Building,
    Yard,
    Premises,
    Elsewhere,
    Four,
    Six,
    Gold,
    Silver,
    Open,
];

pub(crate) const VOCABULARY: &str = r#"
[scopes]
read = "Read"
write = { description = "Write", implies = ["read"] }

[roles]
editor = "Edits"
auditor = "Audits"

[networks]
desk = "10.1.0.0/16"
building = "10.0.0.0/9"
yard = "10.128.0.0/9"
premises = "10.0.0.0/8"
elsewhere = ["192.0.2.0/24", "2001:db8::/32"]

[settings]
open = "Everybody may read"
"#;

impl fmt::Display for Expression {
    /// Writes it in the syntax of an attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, parts) = match self {
            Self::Atom(atom) => {
                return f.write_str(match atom {
                    Authenticated => "authenticated",
                    Bound => "sender_constrained",
                    Read => r#"scope = "read""#,
                    Write => r#"scope = "write""#,
                    Editor => r#"role = "editor""#,
                    Auditor => r#"role = "auditor""#,
                    QuarterOfAnHour => r#"max_age = "15m""#,
                    Hour => r#"max_age = "1h""#,
                    Desk => r#"network = "desk""#,
                    Building => r#"network = "building""#,
                    Yard => r#"network = "yard""#,
                    Premises => r#"network = "premises""#,
                    Elsewhere => r#"network = "elsewhere""#,
                    Four => r#"network = "0.0.0.0/0""#,
                    Six => r#"network = "::/0""#,
                    Gold => r#"acr = "gold""#,
                    Silver => r#"acr = "silver""#,
                    Open => r#"setting = "open""#,
                });
            }
            Self::All(parts) => ("all", parts),
            Self::Any(parts) => ("any", parts),
        };
        let parts: Vec<_> = parts.iter().map(Self::to_string).collect();
        write!(f, "{key}({})", parts.join(", "))
    }
}

/// A caller at an address.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// `None` for a caller that is not known.
    pub known: Option<Known>,
    pub place: Place,
    /// True if the setting is on.
    pub open: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub bound: bool,
    pub scope: Option<Atom>,
    pub editor: bool,
    pub auditor: bool,
    pub minutes_since_login: Option<u32>,
    pub acr: Option<Atom>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    AtADesk,
    InTheBuilding,
    InTheYard,
    ElsewhereByFour,
    ElsewhereBySix,
    NowhereByFour,
    NowhereBySix,
}

impl Caller {
    /// Returns all callers that differ in at least one atom.
    pub(crate) fn all() -> Vec<Self> {
        let places = [
            Place::AtADesk,
            Place::InTheBuilding,
            Place::InTheYard,
            Place::ElsewhereByFour,
            Place::ElsewhereBySix,
            Place::NowhereByFour,
            Place::NowhereBySix,
        ];
        let mut everybody = vec![None];
        for scope in [None, Some(Read), Some(Write)] {
            for roles in 0..4 {
                for minutes_since_login in [None, Some(5), Some(30), Some(600)] {
                    for (acr, bound) in [None, Some(Gold), Some(Silver)]
                        .map(|acr| [(acr, false), (acr, true)])
                        .concat()
                    {
                        everybody.push(Some(Known {
                            bound,
                            scope,
                            editor: roles & 1 != 0,
                            auditor: roles & 2 != 0,
                            minutes_since_login,
                            acr,
                        }));
                    }
                }
            }
        }
        let at = |(place, open)| {
            everybody
                .clone()
                .into_iter()
                .map(move |known| Self { known, place, open })
        };
        let circumstances = places.map(|place| [(place, false), (place, true)]);
        circumstances.concat().into_iter().flat_map(at).collect()
    }

    pub(crate) fn meets(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Atom(atom) => self.has(*atom),
            Expression::All(parts) => parts.iter().all(|part| self.meets(part)),
            Expression::Any(parts) => parts.iter().any(|part| self.meets(part)),
        }
    }

    fn comes_by_six(&self) -> bool {
        matches!(self.place, Place::ElsewhereBySix | Place::NowhereBySix)
    }

    fn has(&self, atom: Atom) -> bool {
        let known = |is: fn(&Known) -> bool| self.known.as_ref().is_some_and(is);
        match atom {
            Authenticated => self.known.is_some(),
            Bound => known(|known| known.bound),
            Read => known(|known| known.scope.is_some()),
            Write => known(|known| known.scope == Some(Write)),
            Editor => known(|known| known.editor),
            Auditor => known(|known| known.auditor),
            QuarterOfAnHour => known(|known| known.minutes_since_login.is_some_and(|it| it <= 15)),
            Hour => known(|known| known.minutes_since_login.is_some_and(|it| it <= 60)),
            Desk => self.place == Place::AtADesk,
            Building => matches!(self.place, Place::AtADesk | Place::InTheBuilding),
            Yard => self.place == Place::InTheYard,
            Premises => matches!(
                self.place,
                Place::AtADesk | Place::InTheBuilding | Place::InTheYard
            ),
            Elsewhere => matches!(self.place, Place::ElsewhereByFour | Place::ElsewhereBySix),
            Four => !self.comes_by_six(),
            Six => self.comes_by_six(),
            Gold => known(|known| known.acr == Some(Gold)),
            Silver => known(|known| known.acr == Some(Silver)),
            Open => self.open,
        }
    }
}

/// Expressions of a few atoms. Their lists have two or three members.
pub(crate) fn expressions() -> impl Strategy<Value = Expression> {
    let atom = proptest::sample::select(ATOMS.as_slice()).prop_map(Expression::Atom);
    atom.prop_recursive(3, 12, 3, |inner| {
        let parts = proptest::collection::vec(inner, 2..=3);
        prop_oneof![
            parts.clone().prop_map(Expression::All),
            parts.prop_map(Expression::Any),
        ]
    })
}
