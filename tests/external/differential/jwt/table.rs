//! The disagreements about tokens.

use crate::known::Known;

/// Whether this framework, `jose` and PyJWT accept the tokens of some kinds.
pub(super) const DISAGREEMENTS: &[Known<3>] = &[
    Known {
        accepted: [false, true, true],
        reason: "RFC 7515 §4 and RFC 7519 §4: the names of header parameters and of claims are \
                 unique, or the last one counts. Which one counts must not depend on the parser, so a \
                 token with a name twice is rejected",
        kinds: &[
            "alg twice",
            "alg twice, the same",
            "kid twice",
            "typ twice",
            "a claim twice, escaped",
            "a claim twice, escaped, in front",
            "an unknown claim twice",
            "an unknown claim twice, in front",
            "aud twice, in front",
            "exp twice",
            "exp twice, in front",
            "exp twice, then expired, in front",
            "iss twice, in front",
            "nbf twice",
            "nbf twice, in front",
            "sub twice",
            "sub twice, in front",
            "sub twice, the same",
            "sub twice, the same, in front",
        ],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 8725 §3.11: a token of another kind is not an access token, by its type",
        kinds: &[
            "typ JOSE",
            "typ JWE",
            "typ dpop+jwt",
            "typ logout+jwt",
            "typ secevent+jwt",
            "typ empty",
            "typ with a space",
            "claim typ ID",
            "claim typ Refresh",
            "token_use id",
        ],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 8417 §2.2 and OpenID Connect Core §3.3.2.11: only security events and ID tokens \
                 have this claim",
        kinds: &["claim events", "claim at_hash", "claim c_hash"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7800 §3: a token that is bound to a key needs a proof of possession, which the \
                 references do not verify",
        kinds: &["claim cnf"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7515 §4.1.9: `typ` is a string. References ignore it",
        kinds: &["typ array", "typ number"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7516 §4.1: `enc` and `zip` belong to encrypted tokens, which this one is not",
        kinds: &["enc", "zip"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7797 §6: `b64` is an extension, which is optional. It is not understood here, so \
                 a token that makes it critical is rejected (RFC 7515 §4.1.11)",
        kinds: &["crit of b64"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7515 §2: base64url has no padding here",
        kinds: &[
            "header with padding",
            "claims with padding",
            "signature with padding",
            "signature with one equals sign",
        ],
    },
    Known {
        accepted: [false, true, false],
        reason: "RFC 4648 §3.3 and RFC 7515 §2: no line breaks, spaces or other characters in \
                 base64url",
        kinds: &[
            "header with a line break inside",
            "claims with a line break inside",
            "claims with a space inside",
            "signature with a line break inside",
            "signature with a space inside",
            "line break behind",
            "space behind",
            "a character inserted in the signature",
        ],
    },
    Known {
        accepted: [false, true, false],
        reason: "RFC 4648 §3.5: unused bits are zero, or the token has several spellings, of which a \
                 list of revoked tokens would know one",
        kinds: &[
            "header with unused bits",
            "claims with unused bits",
            "signature with unused bits",
        ],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 8259 §8.1: a text of JSON does not begin with a byte order mark",
        kinds: &[
            "header with a byte order mark",
            "claims with a byte order mark",
        ],
    },
    Known {
        accepted: [false, false, true],
        reason: "RFC 7515 §2 and RFC 3629 §3: the text is UTF-8",
        kinds: &["header in UTF-16", "claims with half a character in UTF-8"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 8259 §8.2: half a character is not Unicode, and its behaviour is unpredictable",
        kinds: &[
            "jti half a character",
            "sub half a character",
            "sub of the wrong halves",
        ],
    },
    Known {
        accepted: [false, false, true],
        reason: "RFC 8259 §6: NaN is not a number of JSON",
        kinds: &["header with NaN"],
    },
    Known {
        accepted: [false, true, false],
        reason: "RFC 8259 §6: a parser limits the range of numbers, here to that of binary64",
        kinds: &[
            "exp beyond all numbers",
            "iat beyond all numbers",
            "jti beyond all numbers",
            "sub beyond all numbers",
        ],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 8259 §9: a parser limits the depth",
        kinds: &["200 arrays in each other"],
    },
    Known {
        accepted: [false, true, false],
        reason: "The same",
        kinds: &["2000 arrays in each other"],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7519 §2: a time that the clock of the system cannot represent. It is rejected \
                 here, since nothing can be compared with it",
        kinds: &[
            "exp at the end of 64 bits",
            "exp behind the end of 64 bits",
            "exp in 1e300 seconds",
            "nbf long before 1970",
        ],
    },
    Known {
        accepted: [true, true, false],
        reason: "RFC 7519 §2: a time may have a fraction, which PyJWT cuts off",
        kinds: &["exp 59.5 seconds ago"],
    },
    Known {
        accepted: [false, false, true],
        reason: "The same",
        kinds: &["nbf in 60.5 seconds"],
    },
    Known {
        accepted: [false, false, true],
        reason: "RFC 7519 §4.1.4 and §4.1.5: the time is a number",
        kinds: &[
            "exp later digits as text",
            "nbf digits as text",
            "nbf true",
            "nbf false",
        ],
    },
    Known {
        accepted: [true, true, false],
        reason: "RFC 7519 §4.1.6: `iat` tells the age of a token, and no rule rejects a token that is \
                 issued later. `nbf` is for that",
        kinds: &[
            "iat at the end of 64 bits",
            "iat behind the end of 64 bits",
            "iat in 1e18 seconds",
            "iat in 1e300 seconds",
            "iat in 61 seconds",
            "iat in a million years",
            "iat in an hour",
            "iat in an hour, in milliseconds",
            "iat in an hour, with a capital exponent",
            "iat in an hour, with a fraction of zeros",
            "iat in an hour, with an exponent",
        ],
    },
    Known {
        accepted: [true, false, false],
        reason: "RFC 7519 §4.1.6: `iat` is a number, and its use is optional. It decides nothing here",
        kinds: &[
            "iat array of a number",
            "iat array of null",
            "iat array of text",
            "iat empty array",
            "iat empty object",
            "iat empty text",
            "iat later digits as text",
            "iat null",
            "iat object",
            "iat text",
            "iat unicode",
        ],
    },
    Known {
        accepted: [true, false, true],
        reason: "The same",
        kinds: &["iat digits as text", "iat false", "iat true"],
    },
    Known {
        accepted: [true, true, false],
        reason: "RFC 7519 §4.1.7: `jti` is a string, and its use is optional. It decides nothing here",
        kinds: &[
            "jti array of a number",
            "jti array of null",
            "jti array of text",
            "jti empty array",
            "jti empty object",
            "jti false",
            "jti fraction",
            "jti negative",
            "jti null",
            "jti object",
            "jti one",
            "jti true",
            "jti zero",
        ],
    },
    Known {
        accepted: [false, true, false],
        reason: "RFC 7519 §4.1.2: `sub` is a string",
        kinds: &[
            "sub array of a number",
            "sub array of null",
            "sub array of text",
            "sub empty array",
            "sub empty object",
            "sub false",
            "sub fraction",
            "sub negative",
            "sub null",
            "sub object",
            "sub one",
            "sub true",
            "sub zero",
        ],
    },
    Known {
        accepted: [false, true, true],
        reason: "RFC 7519 §4.1.2: `sub` identifies the subject, which an empty text does not",
        kinds: &["sub empty text"],
    },
    Known {
        accepted: [true, true, false],
        reason: "RFC 7519 §4.1.3: the audience is among the values",
        kinds: &["aud beside a number", "aud beside null"],
    },
    Known {
        accepted: [true, true, false],
        reason: "RFC 7797 §6: without `crit`, `b64` is unknown here, and the claims are in base64url",
        kinds: &["b64 false"],
    },
    Known {
        accepted: [true, false, false],
        reason: "RFC 7515 §4.1.4: `kid` is a hint for the choice of a key. With null, every key of \
                 the algorithm is tried, as without `kid`",
        kinds: &["kid null"],
    },
];
