use proptest::prelude::*;

use super::*;

fn shown(form: Form, value: &str) -> String {
    Canonical::new(form, value).map_or_else(|error| error.to_string(), |value| value.to_string())
}

#[test]
fn one_value_has_one_form() {
    for (form, value, expected) in [
        (Form::Ip, "::ffff:10.0.0.1", "10.0.0.1"),
        (Form::Ip, "2001:DB8:0:0::1", "2001:db8::1"),
        (Form::Ipv4, "::ffff:a00:1", "10.0.0.1"),
        (Form::Ipv6, "0:0:0:0:0:0:0:1", "::1"),
        (Form::Cidr, "10.1.2.3/8", "10.0.0.0/8"),
        (Form::Cidr, "10.1.2.3", "10.1.2.3/32"),
        (Form::Cidr, "2001:db8:ffff::/33", "2001:db8:8000::/33"),
        (Form::Cidr, "::/0", "::/0"),
        (Form::Cidr, "1.2.3.4/0", "0.0.0.0/0"),
        (Form::Domain, "EXAMPLE.org.", "example.org"),
        (Form::Domain, "_sip._tcp.Example.org", "_sip._tcp.example.org"),
        (Form::Domain, "B\u{fc}cher.example", "xn--bcher-kva.example"),
        (Form::Domain, "BU\u{308}CHER\u{3002}example", "xn--bcher-kva.example"),
        (Form::Domain, "\u{ff45}xample.org", "example.org"),
        (Form::Url, "HTTP://Example.ORG:80", "http://example.org/"),
        (
            Form::Url,
            "https://example.org:8443/a/./b/../c/?q=%7e%2f#x",
            "https://example.org:8443/a/c/?q=~%2F",
        ),
        (Form::Url, "http://[2001:DB8::1]:443/..", "http://[2001:db8::1]:443/"),
        (Form::Url, "http://u:p@1.2.3.4?q", "http://u:p@1.2.3.4/?q"),
        (Form::Url, "http://example.org/a b\u{e9}", "http://example.org/a%20b%C3%A9"),
        (Form::Email, "Some.One@EXAMPLE.org", "some.one@example.org"),
        (
            Form::Hash,
            "SHA256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (Form::Hash, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"),
        (Form::Port, "22", "22"),
        (Form::Text, "e\u{301}A", "\u{e9}A"),
    ] {
        assert_eq!(shown(form, value), expected, "{value}");
    }
}

#[test]
fn what_is_not_of_a_form_is_refused() {
    for (form, values) in [
        (Form::Ip, &["", "1.2.3", "010.0.0.1", "1.2.3.4 ", "fe80::1%eth0", "0x1.2.3.4"][..]),
        (Form::Ipv4, &["::1"]),
        (Form::Ipv6, &["10.0.0.1", "::ffff:10.0.0.1"]),
        (Form::Cidr, &["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "/8"]),
        (Form::Domain, &["", ".", "a..b", ".a", "a b.org", "1.2.3.4", "a.1", "a/b", "\u{200}\u{a0}.org"]),
        (
            Form::Url,
            &[
                "example.org",
                "://x",
                "http://",
                "http://a b/",
                "http://x/%zz",
                "http://x/%2",
                "http://x:99999/",
                "http://[::1/",
                "1x://a",
            ],
        ),
        (Form::Email, &["a", "@b.org", "a@", "a b@c.org", "a@1.2.3.4"]),
        (
            Form::Hash,
            &["", "abc", "zz", "d41d8cd98f00b204e9800998ecf8427", "md5:d41d8cd9", "0123456789abcdeg"],
        ),
        (Form::Port, &["", "65536", "022", "+22", "-1", "22 ", "999999"]),
    ] {
        for value in values {
            assert_eq!(Canonical::new(form, value), Err(FormError::Not { form }), "{form}: {value:?}");
        }
    }
    let long = |form: Form| Canonical::new(form, &"a".repeat(MAX_VALUE_BYTES + 1));
    let bytes = MAX_VALUE_BYTES + 1;
    assert!(Form::ALL.into_iter().all(|form| long(form) == Err(FormError::TooLong { bytes })));
    assert!(Canonical::new(Form::Domain, &format!("{}.org", "a".repeat(64))).is_err());
    assert!(Canonical::new(Form::Domain, &format!("{}org", "a.".repeat(126))).is_err());
    assert!(Canonical::new(Form::Email, &format!("{}@b.org", "a".repeat(65))).is_err());
    assert!(Canonical::new(Form::Domain, &format!("{}.org", "\u{fc}".repeat(64))).is_err());
}

/// RFC 3492, section 7.1: (A) Arabic, (B) Chinese, (E) Hebrew, (L) and (P) Japanese with ASCII.
#[test]
fn punycode_is_the_standards() {
    for (text, expected) in [
        (
            "\u{644}\u{64a}\u{647}\u{645}\u{627}\u{628}\u{62a}\u{643}\u{644}\u{645}\u{648}\u{634}\u{639}\u{631}\u{628}\u{64a}\u{61f}",
            "egbpdaj6bu4bxfgehfvwxn",
        ),
        (
            "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}",
            "ihqwcrb4cv8a8dqg056pqjye",
        ),
        (
            "\u{5dc}\u{5de}\u{5d4}\u{5d4}\u{5dd}\u{5e4}\u{5e9}\u{5d5}\u{5d8}\u{5dc}\u{5d0}\u{5de}\u{5d3}\u{5d1}\u{5e8}\u{5d9}\u{5dd}\u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea}",
            "4dbcagdahymbxekheh6e0a7fei0b",
        ),
        ("3\u{5e74}B\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}", "3B-ww4c5e180e575a65lsy2b"),
        ("\u{305d}\u{306e}\u{30b9}\u{30d4}\u{30fc}\u{30c9}\u{3067}", "d9juau41awczczp"),
    ] {
        assert_eq!(punycode::encode(text).as_deref(), Some(expected));
    }
}

proptest! {
    #[test]
    fn the_canonical_text_reads_as_the_same_value(
        value in "[a-zA-Z0-9:/.@%?#_\\-\u{e9}\u{130}\u{3a3}\\[\\] ]{0,40}|(http|FTP)://[a-zA-Z0-9.]{1,12}(:[0-9]{0,3})?(/[a-z.%2fF]{0,4}){0,5}(\\?[a-z%20]{0,5})?|\\PC{0,30}",
    ) {
        for form in Form::ALL {
            let Ok(once) = Canonical::new(form, &value) else { continue };
            let again = Canonical::new(form, &once.to_string());
            prop_assert_eq!(again.map(|again| again.to_string()), Ok(once.to_string()), "{}", form.name());
        }
    }

    #[test]
    fn addresses_and_networks_agree_with_the_standard_library(bits in any::<u32>(), length in 0_u8..=32) {
        let address = std::net::Ipv4Addr::from(bits);
        prop_assert_eq!(shown(Form::Ip, &address.to_string()), address.to_string());
        let masked = if length == 0 { 0 } else { bits >> (32 - length) << (32 - length) };
        let expected = format!("{}/{length}", std::net::Ipv4Addr::from(masked));
        prop_assert_eq!(shown(Form::Cidr, &format!("{address}/{length}")), expected);
    }
}
