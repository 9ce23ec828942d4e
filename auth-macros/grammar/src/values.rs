//! The grammars of the strings in an attribute.

use std::net::IpAddr;

use ipnet::IpNet;
use syn::LitStr;

use crate::characters::is_invisible;

/// The units of a duration, each with its seconds and its other names.
const UNITS: [(&str, u64, &[&str]); 4] = [
    ("d", 24 * 60 * 60, &["day", "days"]),
    ("h", 60 * 60, &["hr", "hrs", "hour", "hours"]),
    ("m", 60, &["min", "mins", "minute", "minutes"]),
    ("s", 1, &["sec", "secs", "second", "seconds"]),
];

/// A longer duration is a mistake, and some clients store it in 32 bits.
const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

/// Returns the seconds of a duration like `15m`, or a message about its mistake.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let known = UNITS.iter().find(|(name, ..)| *name == unit);
    let shown = text.escape_debug();
    let Some((_, in_unit, _)) = known.filter(|_| !number.is_empty()) else {
        let example = "a number and a unit, such as `\"30s\"`, `\"15m\"`, `\"8h\"` or `\"7d\"`";
        return Err(match meant(text) {
            _ if unit.is_empty() && !number.is_empty() => format!(
                "`{shown}` has no unit\n\
                 help: write `\"{number}s\"`, `\"{number}m\"`, `\"{number}h\"` or \
                 `\"{number}d\"`"
            ),
            Some(meant) => format!(
                "`{shown}` is not one number with one of the units `s`, `m`, `h` and `d`\n\
                 help: write `\"{meant}\"`"
            ),
            None if unit.starts_with('-') => {
                format!("the duration `{shown}` is negative\nhelp: write {example}")
            }
            None => format!("`{shown}` is not a duration\nhelp: write {example}"),
        });
    };
    let seconds = number.parse::<u64>().ok();
    let seconds = seconds.and_then(|number| number.checked_mul(*in_unit));
    match seconds.filter(|seconds| *seconds <= MAX_SECONDS) {
        Some(0) => Err(format!(
            "no login meets a maximum age of `{shown}`\n\
             help: write a longer duration, such as `\"5m\"`"
        )),
        Some(seconds) => Ok(seconds),
        None => Err(format!(
            "`{shown}` is longer than a hundred years\n\
             help: write a shorter duration, such as `\"365d\"`"
        )),
    }
}

/// Returns the likely intended duration for `1h30m`, `2 weeks` or `15M`.
fn meant(text: &str) -> Option<String> {
    let mut rest = text.trim_start();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic());
        let (word, after) = after.split_at(end.unwrap_or(after.len()));
        let word = word.to_lowercase();
        let in_unit = match word.as_str() {
            "w" | "week" | "weeks" => 7 * 24 * 60 * 60,
            _ => {
                let matches = |(name, _, others): &&(&str, u64, &[&str])| {
                    *name == word || others.contains(&word.as_str())
                };
                UNITS.iter().find(matches)?.1
            }
        };
        let part = number.parse::<u64>().ok()?.checked_mul(in_unit)?;
        seconds = seconds.checked_add(part)?;
        rest = after.trim_start();
    }
    in_largest_unit(seconds)
}

fn in_largest_unit(seconds: u64) -> Option<String> {
    let in_range = (1..=MAX_SECONDS).contains(&seconds);
    let mut units = UNITS.iter().filter(|_| in_range);
    let (name, in_unit, _) = units.find(|(_, in_unit, _)| seconds.is_multiple_of(*in_unit))?;
    Some(format!("{}{name}", seconds / in_unit))
}

/// Returns a number of seconds in a larger unit, if it divides evenly.
pub(crate) fn in_larger_units(number: &str) -> Option<String> {
    let duration = in_largest_unit(number.parse().ok()?)?;
    (!duration.ends_with('s')).then_some(duration)
}

/// Returns the block of addresses that a text names, or a message about its mistake.
pub(crate) fn block(text: &str) -> Result<IpNet, String> {
    let shown = text.escape_debug();
    let Ok(block) = text.parse::<IpNet>() else {
        let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
        let longest = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => Some(("IPv4", 32)),
            Ok(IpAddr::V6(_)) => Some(("IPv6", 128)),
            Err(_) => None,
        };
        return Err(match longest {
            Some((_, longest)) if address == text => {
                format!("`{shown}` is a single address\nhelp: write `\"{text}/{longest}\"`")
            }
            Some((kind, longest)) if prefix.parse::<u32>().is_ok_and(|it| it > longest) => format!(
                "the prefix of an {kind} network is longer than {longest}\n\
                 help: write `\"{address}/{longest}\"`, or a shorter prefix"
            ),
            _ => format!(
                "`{shown}` is not a network\n\
                 help: write a block of addresses, such as `\"10.0.0.0/8\"` or \
                 `\"2001:db8::/32\"`"
            ),
        });
    };
    if block.trunc() != block {
        return Err(format!(
            "`{}` is not the first address of a `/{}` network\nhelp: write `\"{}\"`",
            block.addr(),
            block.prefix_len(),
            block.trunc()
        ));
    }
    if let IpNet::V6(six) = block
        && let Some(four) = six.addr().to_ipv4_mapped()
        && six.prefix_len() >= 96
    {
        return Err(format!(
            "`{shown}` is a network of IPv4 addresses\nhelp: write `\"{four}/{}\"`",
            six.prefix_len() - 96
        ));
    }
    Ok(block)
}

/// Returns whether the blocks together cover every IPv4 and every IPv6 address.
pub(crate) fn is_everywhere(blocks: &[IpNet]) -> bool {
    let blocks = IpNet::aggregate(&blocks.to_vec());
    blocks
        .iter()
        .filter(|block| block.prefix_len() == 0)
        .count()
        == 2
}

/// Returns whether a text can be the name of a network: it must not look like an address or a
/// block, not even a misspelt one.
pub(crate) fn is_network_name(text: &str) -> bool {
    let of_four = |c: char| c.is_ascii_digit() || c == '.';
    let of_six = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let is_address = text.chars().all(of_four) || text.contains(':') && text.chars().all(of_six);
    !is_address && !text.contains('/') && !text.trim().is_empty()
}

/// Returns whether a string literal shows its text, so that a search for the text finds it: without `r`, and
/// without an escape that is not needed. Invisible characters are reported elsewhere.
pub(crate) fn is_plain(literal: &LitStr) -> bool {
    let text = literal.value();
    let written = literal.token().to_string();
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    written == format!("\"{escaped}\"")
        || written == format!("{text:?}")
        || text.chars().any(is_invisible)
}

/// Formats a key as TOML.
pub(crate) fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_duration_is_named() {
        let message = seconds("-5m").expect_err("it is negative");
        assert!(
            message.starts_with("the duration `-5m` is negative\nhelp: "),
            "{message}"
        );
    }

    #[test]
    fn durations_are_bounded() {
        for (text, expected) in [
            ("0s", None),
            ("1s", Some(1)),
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
    fn other_spellings_of_durations_are_corrected() {
        for (text, meant) in [
            ("1h30m", "90m"),
            ("1d12h", "36h"),
            ("2w", "14d"),
            ("2 weeks", "14d"),
            ("15M", "15m"),
            ("15 min", "15m"),
            ("90 seconds", "90s"),
            ("1h 0m 1s", "3601s"),
        ] {
            let message = seconds(text).expect_err(text);
            let advice = format!("write `\"{meant}\"`");
            assert!(message.ends_with(&advice), "{text}: {message}");
            seconds(meant).expect(meant);
        }
        for text in [
            "",
            "0w",
            "1x",
            "w",
            "15",
            "1h30",
            "6000w",
            "99999999999999999999w",
            "-1m",
            "１w",
        ] {
            assert_eq!(super::meant(text), None, "{text}");
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
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("10.0.0.0/33", Some("10.0.0.0/32")),
            ("2001:db8::/129", Some("2001:db8::/128")),
            ("10.0.0.0/-1", Some("not a network")),
            ("10.0.0.0/x", Some("not a network")),
            ("10.0.0.0/", Some("not a network")),
            ("10.0.0/8", Some("not a network")),
            ("office", Some("not a network")),
            ("", Some("not a network")),
        ] {
            match (block(text), advice) {
                (Ok(_), None) => {}
                (Err(message), Some(advice)) => assert!(message.contains(advice), "{message}"),
                (result, _) => panic!("{text}: {result:?}"),
            }
        }
    }
}
