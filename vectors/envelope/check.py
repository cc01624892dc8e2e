"""Reads envelope-v1.json by docs/formats/envelope.md, with none of our code: chain, signatures, keys of a disclosure, tree.

Python with `cryptography` 42 or later (AES-GCM-SIV by OpenSSL 3.2 or later).
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.serialization import load_der_public_key


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def expand(key, *context):
    return hmac.new(key, b"".join(context) + b"\1", hashlib.sha256).digest()


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        self.at += length
        assert self.at <= len(self.data)
        return self.data[self.at - length : self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), "big")


def fixed_part(data):
    """Digest and policy digests."""
    reader = Bytes(data)
    assert reader.take(1) == b"\1"
    reader.take(32 + 16 + 16)
    policies = []
    for _ in range(reader.number(2)):
        suite, length = reader.take(1), reader.number(2)
        policies.append(sha(b"strongroom-envelope policy", suite, reader.take(length)))
        reader.take(32)
    return sha(data[: reader.at]), policies


def record(data):
    reader = Bytes(data)
    assert reader.take(1) == b"\1"
    out = {"id": reader.take(24), "batch": reader.take(16), "header": reader.take(32), "previous": reader.take(32)}
    fields = []
    for _ in range(reader.number(2)):
        label, policy = reader.take(16), reader.number(1)
        fields.append((label, policy, reader.take(reader.number(4))))
    out["fields"] = fields
    out["tokens"] = [reader.take(16) for _ in range(reader.number(2))]
    out["digest"] = sha(data[: reader.at])
    out["signature"] = reader.take(64)
    assert reader.at == len(data)
    assert [f[0] for f in fields] == sorted(f[0] for f in fields)
    return out


def open_field(key, policy, of, label, sealed):
    field_key = expand(key, b"strongroom-envelope field", label)
    plain = AESGCMSIV(field_key).decrypt(bytes(12), sealed, of["batch"] + of["id"] + label + policy)
    name, value = struct.unpack(">HI", plain[:6])
    assert not any(plain[6 + name + value :]) and len(plain) % 16 == 0
    return plain[6 : 6 + name].decode(), plain[6 + name : 6 + name + value].decode()


def main():
    case = json.loads(pathlib.Path(__file__).with_name("envelope-v1.json").read_text())
    raw = {name: bytes.fromhex(value) for name, value in case.items() if isinstance(value, str)}
    digest, policies = fixed_part(raw["header"])
    assert digest == raw["header_digest"]
    signer = load_der_public_key(raw["signing_key"])
    records, previous = [record(bytes.fromhex(text)) for text in case["records"]], bytes(32)
    for one, expected in zip(records, case["digests"]):
        assert one["digest"].hex() == expected and one["header"] == digest and one["previous"] == previous
        signer.verify(one["signature"], b"strongroom record v1\0" + one["digest"])
        previous = one["digest"]
    assert raw["chain"] == b"\1" + records[0]["id"][:16] + struct.pack(">Q", 3) + previous

    reader = Bytes(raw["disclosure"])
    assert reader.take(1) == b"\1" and reader.take(24) == records[0]["id"]
    assert reader.take(16) == records[0]["batch"] and reader.take(32) == digest
    keys = {}
    for _ in range(reader.number(2)):
        place = reader.number(1)
        keys[place] = reader.take(32)
    opened = {}
    for label, policy, sealed in records[0]["fields"]:
        if policy in keys:
            name, value = open_field(keys[policy], policies[policy], records[0], label, sealed)
            opened[name] = value
    assert opened == {"src_ip": '"203.0.113.7"', "user": '"root"', "password": '"hunter2"'}, opened

    signed = case["signed"]
    payload = base64.b64decode(signed["payload"])
    assert signed["kid"] == hashlib.sha256(raw["signing_key"]).hexdigest()[:16]
    signer.verify(base64.b64decode(signed["signature"]), b"strongroom sharing head v1\0" + payload)

    tally = bytes(32)
    for one in records:
        tally = sha(tally, one["id"][16:], one["digest"])
    leaves = [sha(b"\0", token, struct.pack(">Q", 2), tally) for token in records[0]["tokens"]]
    assert sha(b"\1", *leaves) == raw["root"]
    print("envelope-v1.json is what the document says")


main()
