//! Handlers and services that may be mounted on a plain axum router, which requires no policy.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::finding::Place;
use super::origins::Origin;

/// A candidate for a mount on a plain router. It is decided after all names are known.
pub(super) struct Mount {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) by: Means,
    pub(super) target: MountTarget,
    /// The source text of the router or the service.
    pub(super) made: String,
    /// The function that contains it.
    pub(super) within: Rc<FunctionPlace>,
    pub(super) exemption: Option<Exemption>,
    /// The lines on which it begins, and those of the expressions around it.
    pub(super) begins: BTreeSet<usize>,
}

/// The means by which it becomes a route.
#[derive(Clone)]
pub(super) enum Means {
    /// A function with this target as its argument at that index.
    Function(Vec<String>, usize),
    /// A method that takes a service. Only a plain router's method has so few arguments.
    Service,
    /// A method that mounts its argument, if the receiver is a plain router.
    Method {
        receiver: Option<Origin>,
        is_service: bool,
        /// True if the argument decides for an unknown receiver: a guarded router would not accept
        /// an `async fn` without a policy.
        by_argument: bool,
    },
    /// A function that is passed on instead of called.
    HandedOn(Vec<String>),
    /// A macro that takes the handlers of a plain router by name.
    Macro(Vec<String>),
    /// `merge` or `nest` of a router.
    Merge(Origin),
}

impl Means {
    /// A method of an unknown receiver.
    pub(super) const UNKNOWN: Self = Self::Method {
        receiver: None,
        is_service: false,
        by_argument: true,
    };
}

#[derive(Clone)]
pub(super) enum MountTarget {
    Handler(Vec<String>),
    /// An `async` closure, or one with an `async` block, which could only be a handler.
    Closure,
    /// The function that makes a router.
    Router(Vec<String>),
    /// The result of a function, which may be a protected router.
    Made(Vec<String>),
    /// A closure, a variable, or another expression that is not the path of a function.
    Expression,
}

impl MountTarget {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Handler(path) | Self::Router(path) => path.join("::"),
            Self::Made(_) | Self::Closure | Self::Expression => String::new(),
        }
    }
}

/// The place of a function: its file, and the offset of its block.
pub(super) type FunctionPlace = (String, usize);

/// The reason why the mounts in an expression are not reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exemption {
    /// It is the service of a guarded router, with a policy.
    Guarded,
    /// A guarded router adds it without policies, which is reported separately.
    Excused,
}

/// A mention of a function.
pub(super) struct Mention {
    /// The function that contains it.
    pub(super) within: Rc<FunctionPlace>,
    pub(super) scope: usize,
    /// The path of the function; the name alone of a method.
    pub(super) path: Vec<String>,
    pub(super) is_method: bool,
    pub(super) exemption: Option<Exemption>,
}
