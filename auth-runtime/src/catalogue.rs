//! The error codes of the attributes. The page of each code shows a rejected example, the reason,
//! and the correction.
//!
//! | code | error |
//! |---|---|
//! | [`AUTH0001`](auth0001) | an unknown key |
//! | [`AUTH0002`](auth0002) | a key in the wrong form |
//! | [`AUTH0003`](auth0003) | a value of the wrong kind |
//! | [`AUTH0004`](auth0004) | an unexpected token between two requirements |
//! | [`AUTH0005`](auth0005) | a list without members, or members without a list |
//! | [`AUTH0006`](auth0006) | a duplicate |
//! | [`AUTH0007`](auth0007) | an attribute without a requirement |
//! | [`AUTH0008`](auth0008) | a key in the wrong place |
//! | [`AUTH0009`](auth0009) | a missing reason |
//! | [`AUTH0010`](auth0010) | a key that a public handler cannot have |
//! | [`AUTH0011`](auth0011) | an item that cannot have a policy |
//! | [`AUTH0012`](auth0012) | a function that axum cannot call |
//! | [`AUTH0013`](auth0013) | a guard in the wrong place |
//! | [`AUTH0014`](auth0014) | more parameters than axum supports |
//! | [`AUTH0015`](auth0015) | two policies for one handler |
//! | [`AUTH0016`](auth0016) | a policy with fields |
//! | [`AUTH0017`](auth0017) | an invalid scope |
//! | [`AUTH0018`](auth0018) | a name that cannot match any other |
//! | [`AUTH0019`](auth0019) | a realm that cannot be sent |
//! | [`AUTH0020`](auth0020) | an invalid duration |
//! | [`AUTH0021`](auth0021) | an invalid network |
//! | [`AUTH0022`](auth0022) | an unregistered scheme |
//! | [`AUTH0023`](auth0023) | a requirement that another one implies |
//! | [`AUTH0024`](auth0024) | a redundant alternative |
//! | [`AUTH0025`](auth0025) | a list around a single requirement |
//! | [`AUTH0026`](auth0026) | contradictory requirements |
//! | [`AUTH0027`](auth0027) | a status that conceals nothing |
//! | [`AUTH0028`](auth0028) | an exception from hiding without `hide_as` |
//! | [`AUTH0029`](auth0029) | an exception from hiding for callers that are granted anyway |
//! | [`AUTH0030`](auth0030) | a name that the vocabulary does not declare |
//! | [`AUTH0031`](auth0031) | an error in the vocabulary |
//! | [`AUTH0032`](auth0032) | a missing vocabulary |
//! | [`AUTH0033`](auth0033) | a policy with disclosure settings in a list |
//! | [`AUTH0034`](auth0034) | a requirement that the module already has |
//! | [`AUTH0035`](auth0035) | a loosened policy without a module |
//! | [`AUTH0036`](auth0036) | a handler without a policy |
//! | [`AUTH0037`](auth0037) | a function that a policy cannot name |
//! | [`AUTH0040`](auth0040) | a handler that the policy of its module does not cover |
//! | [`AUTH0041`](auth0041) | a policy that depends on the build |
//! | [`AUTH0042`](auth0042) | a relative path in the policy of a module |
//! | [`AUTH0043`](auth0043) | a function of a guarded module that is not a handler |
//! | [`AUTH0044`](auth0044) | a fallback that is not public |
//! | [`AUTH0045`](auth0045) | the identity of a public handler |
//! | [`AUTH0046`](auth0046) | routes of axum on a guarded router |
//! | [`AUTH0047`](auth0047) | an invalid object |
//! | [`AUTH0048`](auth0048) | an error in the Cedar schema |
//! | [`AUTH0049`](auth0049) | a declaration that contradicts the Cedar schema |
//! | [`AUTH0060`](auth0060) | a loosened policy that allows no further caller |
//! | [`AUTH0061`](auth0061) | two policies with different disclosure settings |
//! | [`AUTH0062`](auth0062) | lists that are nested too deeply |
//! | [`AUTH0063`](auth0063) | a disclosure setting without effect |
//! | [`AUTH0064`](auth0064) | a policy or a name that is too large |
//! | [`AUTH0065`](auth0065) | a text for clients that cannot be shown |
//! | [`AUTH0066`](auth0066) | a signature that cannot be read |
//!
//! `cargo auth check` reports errors that the compiler cannot detect:
//!
//! | code | finding |
//! |---|---|
//! | [`AUTH0101`](auth0101) | a handler without a policy on a plain router |
//! | [`AUTH0102`](auth0102) | a plain router in a guarded one |
//! | [`AUTH0103`](auth0103) | an unused name of the vocabulary |
//! | [`AUTH0104`](auth0104) | a policy attribute under another name |
//! | [`AUTH0105`](auth0105) | a reason without a subject |
//! | [`AUTH0106`](auth0106) | an open pattern beside a guarded path |
//! | [`AUTH0107`](auth0107) | an object without its path parameter |
//! | [`AUTH0108`](auth0108) | a stream that outlasts the credentials |

macro_rules! pages {
    ($($page:ident $code:literal)*) => {
        $(
            #[doc = include_str!(concat!("../catalogue/", $code, ".md"))]
            pub mod $page {}
        )*

        /// The page of a code, in Markdown, as `cargo auth explain` prints it.
        ///
        /// ```
        /// let page = auth_runtime::catalogue::page("AUTH0001");
        /// assert!(page.is_some_and(|page| page.starts_with("# AUTH0001: an unknown key")));
        /// assert_eq!(auth_runtime::catalogue::page("none"), None);
        /// ```
        pub fn page(code: &str) -> Option<&'static str> {
            match code {
                $($code => Some(include_str!(concat!("../catalogue/", $code, ".md"))),)*
                _ => None,
            }
        }
    };
}

pages! {
    auth0001 "AUTH0001"
    auth0002 "AUTH0002"
    auth0003 "AUTH0003"
    auth0004 "AUTH0004"
    auth0005 "AUTH0005"
    auth0006 "AUTH0006"
    auth0007 "AUTH0007"
    auth0008 "AUTH0008"
    auth0009 "AUTH0009"
    auth0010 "AUTH0010"
    auth0011 "AUTH0011"
    auth0012 "AUTH0012"
    auth0013 "AUTH0013"
    auth0014 "AUTH0014"
    auth0015 "AUTH0015"
    auth0016 "AUTH0016"
    auth0017 "AUTH0017"
    auth0018 "AUTH0018"
    auth0019 "AUTH0019"
    auth0020 "AUTH0020"
    auth0021 "AUTH0021"
    auth0022 "AUTH0022"
    auth0023 "AUTH0023"
    auth0024 "AUTH0024"
    auth0025 "AUTH0025"
    auth0026 "AUTH0026"
    auth0027 "AUTH0027"
    auth0028 "AUTH0028"
    auth0029 "AUTH0029"
    auth0030 "AUTH0030"
    auth0031 "AUTH0031"
    auth0032 "AUTH0032"
    auth0033 "AUTH0033"
    auth0034 "AUTH0034"
    auth0035 "AUTH0035"
    auth0036 "AUTH0036"
    auth0037 "AUTH0037"
    auth0040 "AUTH0040"
    auth0041 "AUTH0041"
    auth0042 "AUTH0042"
    auth0043 "AUTH0043"
    auth0044 "AUTH0044"
    auth0045 "AUTH0045"
    auth0046 "AUTH0046"
    auth0047 "AUTH0047"
    auth0048 "AUTH0048"
    auth0049 "AUTH0049"
    auth0060 "AUTH0060"
    auth0061 "AUTH0061"
    auth0062 "AUTH0062"
    auth0063 "AUTH0063"
    auth0064 "AUTH0064"
    auth0065 "AUTH0065"
    auth0066 "AUTH0066"
    auth0101 "AUTH0101"
    auth0102 "AUTH0102"
    auth0103 "AUTH0103"
    auth0104 "AUTH0104"
    auth0105 "AUTH0105"
    auth0106 "AUTH0106"
    auth0107 "AUTH0107"
    auth0108 "AUTH0108"
}
