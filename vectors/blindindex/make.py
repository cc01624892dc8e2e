"""Computes tokens-v1.json with Python's standard library, by docs/formats/index-tokens.md alone."""

import hashlib, hmac, ipaddress, json


def expand(key, info):
    """HKDF-SHA-256 without salt, 32 bytes (RFC 5869)."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def sha(text):
    return hashlib.sha256(text.encode()).digest()


def epoch_key(collector, epoch):
    root = bytes(range(32))
    own = expand(root, b"strongroom-blindindex v1 collector" + sha(collector))
    return expand(own, b"strongroom-blindindex v1 epoch" + epoch.to_bytes(8, "big"))


KINDS = {"exact": 0, "network": 1, "suffix": 2, "day": 3}


def token(case, canonical):
    key = expand(epoch_key(case["collector"], case["epoch"]), b"strongroom-blindindex v1 field" + sha(case["field"]))
    head = bytes([KINDS[case["kind"]]]) + case.get("day", 0).to_bytes(4, "big", signed=True)
    return hmac.new(key, head + canonical, hashlib.sha256).hexdigest()[:32]


def label(case):
    key = expand(epoch_key(case["collector"], case["epoch"]), b"strongroom-blindindex v1 labels")
    return hmac.new(key, case["field"].encode(), hashlib.sha256).hexdigest()[:32]


def network(text):
    net = ipaddress.ip_network(text, strict=False)
    return bytes([3 if net.version == 4 else 4]) + net.network_address.packed + bytes([net.prefixlen])


CASES = [
    ("exact", "ip", "203.0.113.7", b"\x01" + ipaddress.ip_address("203.0.113.7").packed),
    ("exact", "ip", "::ffff:203.0.113.7", b"\x01" + ipaddress.ip_address("203.0.113.7").packed),
    ("exact", "ipv4", "203.0.113.7", b"\x01" + ipaddress.ip_address("203.0.113.7").packed),
    ("exact", "ipv6", "2001:DB8::1", b"\x02" + ipaddress.ip_address("2001:db8::1").packed),
    ("exact", "cidr", "203.0.113.7/20", network("203.0.113.7/20")),
    ("exact", "cidr", "2001:db8::1/33", network("2001:db8::1/33")),
    ("exact", "domain", "Mail.Example.ORG.", b"\x05mail.example.org"),
    ("exact", "domain", "b\u00fccher.example", b"\x05" + "b\u00fccher.example".encode("idna")),
    ("exact", "url", "HTTPS://Example.org:443/a/../b?c#d", b"\x06https://example.org/b?c"),
    ("exact", "email", "Some.One@Example.org", b"\x07some.one@example.org"),
    ("exact", "hash", "MD5:D41D8CD98F00B204E9800998ECF8427E", b"\x08" + bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")),
    ("exact", "port", "8080", b"\x09" + (8080).to_bytes(2, "big")),
    ("exact", "text", "Cafe\u0301", b"\x0a" + "Caf\u00e9".encode()),
    ("network", "cidr", "203.0.113.7/8", network("203.0.113.7/8")),
    ("network", "cidr", "2001:db8::/48", network("2001:db8::/48")),
    ("suffix", "domain", "*.Example.org", b"\x05example.org"),
    ("day", "port", "22", b"\x09" + (22).to_bytes(2, "big")),
]

tokens = []
for number, (kind, form, value, canonical) in enumerate(CASES):
    case = {"collector": ["north", "s\u00fcd"][number % 2], "epoch": number * 1000, "field": ["src_ip", "value"][number % 3 % 2], "kind": kind}
    if kind == "day":
        case["day"] = -20000
    if kind == "suffix":
        value = value.removeprefix("*.")
    case |= {"form": form, "value": value}
    case |= {"label": label(case), "token": token(case, canonical)}
    tokens.append(case)
json.dump({"root": bytes(range(32)).hex(), "tokens": tokens}, open("tokens-v1.json", "w"), indent=1)
