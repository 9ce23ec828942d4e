//! What stands in the strings of an attribute and has a grammar of its own.

use ipnet::IpNet;

/// The seconds of a duration like `15m`, or what is wrong with it.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let example = "a number and a unit, such as `\"30s\"`, `\"15m\"`, `\"8h\"` or `\"7d\"`";
    if number.is_empty() {
        return Err(format!("{text:?} is no duration; write {example}"));
    }
    let seconds_in_unit: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "" => {
            return Err(format!(
                "{text:?} has no unit; write `\"{number}s\"`, `\"{number}m\"`, `\"{number}h\"` or \
                 `\"{number}d\"`"
            ));
        }
        _ => {
            return Err(format!(
                "the unit `{unit}` is not known; the units are `s`, `m`, `h` and `d`, one of them \
                 behind one whole number, as in `\"90m\"`"
            ));
        }
    };
    let seconds = number.parse::<u64>().ok();
    seconds
        .and_then(|number| number.checked_mul(seconds_in_unit))
        .filter(|seconds| *seconds <= MAX_SECONDS)
        .ok_or_else(|| format!("{text:?} is longer than a hundred years; write {example}"))
}

/// More is a slip, and some clients keep it in 32 bits.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

/// The block of addresses that a text names, or what is wrong with it.
pub(crate) fn block(text: &str) -> Result<IpNet, String> {
    let Ok(block) = text.parse::<IpNet>() else {
        return Err(match text.parse::<std::net::IpAddr>() {
            Ok(address) => {
                let length = if address.is_ipv4() { 32 } else { 128 };
                format!(
                    "{text:?} is an address; for a network of this one address write \
                     `\"{text}/{length}\"`"
                )
            }
            Err(_) => format!(
                "{text:?} is no network; write a block of addresses, such as `\"10.0.0.0/8\"` or \
                 `\"2001:db8::/32\"`"
            ),
        });
    };
    if block.trunc() != block {
        return Err(format!(
            "{text:?} has bits behind its prefix; the network is `\"{}\"`",
            block.trunc()
        ));
    }
    if block.prefix_len() == 0 {
        return Err(format!(
            "{text:?} is every address there is, so it keeps nobody out; name a smaller network, or \
             remove it"
        ));
    }
    if let IpNet::V6(six) = block
        && let Some(four) = six.addr().to_ipv4_mapped()
        && six.prefix_len() >= 96
    {
        return Err(format!(
            "{text:?} is a network of IPv4 addresses; write `\"{four}/{}\"`",
            six.prefix_len() - 96
        ));
    }
    Ok(block)
}

/// The kind of address of which the blocks together leave none out, if there is one.
pub(crate) fn every_address(blocks: &[IpNet]) -> Option<&'static str> {
    let blocks = IpNet::aggregate(&blocks.to_vec());
    let whole = blocks.iter().find(|block| block.prefix_len() == 0)?;
    Some(match whole {
        IpNet::V4(_) => "IPv4",
        IpNet::V6(_) => "IPv6",
    })
}

/// Whether a text is the name of a network, and not a block of addresses with or without a slip.
pub(crate) fn is_network_name(text: &str) -> bool {
    let mut characters = text.chars();
    !text.contains(['/', ':']) && !characters.all(|c| c.is_ascii_digit() || c == '.')
}

/// The schemes of the HTTP Authentication Scheme Registry (RFC 9110 §16.4.1) whose names are words.
pub(crate) const SCHEMES: [&str; 12] = [
    "Basic",
    "Bearer",
    "Concealed",
    "DPoP",
    "Digest",
    "GNAP",
    "HOBA",
    "Mutual",
    "Negotiate",
    "OAuth",
    "PrivateToken",
    "vapid",
];

/// `token = 1*tchar` (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_humane_and_bounded() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("30s", Some(30)),
            ("15m", Some(900)),
            ("8h", Some(28_800)),
            ("7d", Some(604_800)),
            ("36500d", Some(3_153_600_000)),
            ("36501d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("", None),
            ("m", None),
            ("15", None),
            ("15 m", None),
            ("15M", None),
            ("1h30m", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5h", None),
            ("1w", None),
            ("１s", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn networks_are_written_in_one_way() {
        for (text, advice) in [
            ("10.0.0.0/8", None),
            ("192.0.2.7/32", None),
            ("2001:db8::/32", None),
            ("10.0.0.1/8", Some("10.0.0.0/8")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("10.0.0.1", Some("10.0.0.1/32")),
            ("::1", Some("::1/128")),
            ("0.0.0.0/0", Some("every address")),
            ("::/0", Some("every address")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("10.0.0.0/33", Some("10.0.0.0/8")),
            ("10.0.0/8", Some("no network")),
            ("office", Some("no network")),
            ("", Some("no network")),
        ] {
            match (block(text), advice) {
                (Ok(_), None) => {}
                (Err(message), Some(advice)) => assert!(message.contains(advice), "{message}"),
                (result, _) => panic!("{text}: {result:?}"),
            }
        }
    }
}
