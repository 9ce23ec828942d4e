//! The names of workloads (SPIFFE ID §2).

/// The longest name, in bytes.
const MAX_NAME: usize = 2048;

/// Returns whether a text is the name of a trust domain.
pub(crate) fn is_trust_domain(text: &str) -> bool {
    let is_legal = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    !text.is_empty() && text.len() <= 255 && text.bytes().all(is_legal)
}

/// Returns whether a text is the name of a workload in this trust domain.
pub(crate) fn is_of(name: &str, trust_domain: &str) -> bool {
    let path = name.strip_prefix("spiffe://");
    let path = path.and_then(|rest| rest.strip_prefix(trust_domain));
    let path = path.and_then(|rest| rest.strip_prefix('/'));
    name.len() <= MAX_NAME && path.is_some_and(|path| path.split('/').all(is_segment))
}

fn is_segment(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !matches!(text, "" | "." | "..") && text.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_belong_to_one_trust_domain() {
        for (name, expected) in [
            ("spiffe://shop.example/ns/orders/sa/api", true),
            ("spiffe://shop.example/a", true),
            ("spiffe://shop.example", false),
            ("spiffe://shop.example/", false),
            ("spiffe://shop.example/a/", false),
            ("spiffe://shop.example/a//b", false),
            ("spiffe://shop.example/../b", false),
            ("spiffe://shop.example/a?b", false),
            ("spiffe://shop.example/%61", false),
            ("spiffe://shop.example.evil.example/a", false),
            ("spiffe://other.example/a", false),
            ("SPIFFE://shop.example/a", false),
            ("https://shop.example/a", false),
        ] {
            assert_eq!(is_of(name, "shop.example"), expected, "{name}");
        }
        let long = format!("spiffe://shop.example/{}", "a".repeat(MAX_NAME));
        assert!(!is_of(&long, "shop.example"));
        for (name, expected) in [
            ("shop.example", true),
            ("shop_1-a", true),
            ("", false),
            ("Shop", false),
            ("spiffe://shop", false),
            ("shop/a", false),
        ] {
            assert_eq!(is_trust_domain(name), expected, "{name}");
        }
    }
}
