"""Opens the unlock vectors by docs/formats/unlock.md alone: a second reading of the format.

Needs Python 3 and `cryptography` (44 or later, for AES-256-GCM-SIV). Run: python check.py
"""

import hashlib
import json
import pathlib
from itertools import combinations

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = pathlib.Path(__file__).parent
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def untext(prefix, length, text):
    folded = text.lower().replace("-", "")
    assert folded.startswith(prefix + "1"), text
    bits = "".join(f"{ALPHABET.index(symbol):05b}" for symbol in folded[len(prefix) + 1 :])
    assert len(bits) == length * 8
    return int(bits, 2).to_bytes(length, "big")


def derive(secret, label, context):
    assert len(label) == 16
    return HKDF(SHA256(), 32, None, label + context).derive(secret)


def unwrap(secret, label, context, wrapping):
    key = AESGCMSIV(derive(secret, label, context))
    return key.decrypt(wrapping[:12], wrapping[12:], label + context)


def multiply(left, right):
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= 0x11B
        right >>= 1
    return product


def divide(left, right):
    return next(value for value in range(256) if multiply(value, right) == left)


def combine(shares):
    secret = bytearray(len(shares[0][1]))
    for x, y in shares:
        weight = 1
        for other, _ in shares:
            if other != x:
                weight = multiply(weight, divide(other, other ^ x))
        for place, value in enumerate(y):
            secret[place] ^= multiply(value, weight)
    return bytes(secret)


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, length):
        taken, self.data = self.data[:length], self.data[length:]
        assert len(taken) == length
        return taken

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def unlock_set(self):
        kept = {"id": self.take(8), "generation": self.take(8), "threshold": self.number(1), "keys": {}}
        for _ in range(self.number(1)):
            index, verifier = self.number(1), self.take(32)
            kept["keys"][index] = (verifier, self.take(60) if kept["threshold"] == 1 else None)
        kept["shared"] = self.take(60) if kept["threshold"] > 1 else None
        return kept


def unlock_key(text):
    data = untext("sruk", 45, text)
    assert hashlib.sha256(b"sr-unlock-key-v1" + data[:41]).digest()[:4] == data[41:]
    return data[:8], data[8], data[9:41]


def open_set(kept, texts, root):
    keys = [unlock_key(text) for text in texts]

    def context(index):
        return kept["id"] + bytes([index, kept["threshold"]]) + kept["generation"]

    for set_id, index, secret in keys:
        assert set_id == kept["id"]
        verifier, wrapping = kept["keys"][index]
        assert derive(secret, b"sr-unlock-verify", set_id + bytes([index])) == verifier
        if wrapping:
            assert unwrap(secret, b"sr-unlock-wrap-1", context(index), wrapping) == root
    if kept["shared"]:
        for chosen in combinations(keys, kept["threshold"]):
            secret = combine([(index, share) for _, index, share in chosen])
            assert unwrap(secret, b"sr-unlock-wrap-1", context(0), kept["shared"]) == root


def check_case(case):
    record = bytes.fromhex(case["record"])
    assert hashlib.sha256(record[:-32]).digest() == record[-32:]
    reader = Reader(record[:-32])
    assert reader.take(6) == b"SRROOT" and reader.number(2) == 1
    reader.take(16)
    assert reader.number(1) == (3 if "key_file" in case else 0)
    current = reader.unlock_set()
    open_set(current, case["unlock_keys"], bytes.fromhex(case["root_key"]))
    pending = reader.number(1)
    assert pending == (1 if "pending_root_key" in case else 0)
    if pending:
        open_set(reader.unlock_set(), case["pending_unlock_keys"], bytes.fromhex(case["pending_root_key"]))
    for _ in range(reader.number(1)):
        assert reader.take(reader.number(1)) == b"key-file"
        check_auto(case, current, reader.take(reader.number(2)))
        reader.take(8)
    assert not reader.data


def check_auto(case, current, blob):
    data = untext("srauto", 40, case["key_file"])
    assert hashlib.sha256(b"sr-auto-file-sum" + data[:32]).digest()[:8] == data[32:]
    assert blob[0] == 1 and len(blob) == 61
    context = b"sr-auto-context1" + current["id"] + current["generation"]
    assert unwrap(data[:32], b"sr-auto-keyfile1", context, blob[1:]).hex() == case["root_key"]


def check_openbao(vector):
    shares = [(data[-1], data[:-1]) for data in map(bytes.fromhex, vector["shares"])]
    assert len({combine(list(chosen)) for chosen in combinations(shares, vector["threshold"])}) == 1


if __name__ == "__main__":
    cases = json.loads((HERE / "unlock-set-v1.json").read_text())["cases"]
    for case in cases:
        check_case(case)
    check_openbao(json.loads((HERE / "openbao-shares.json").read_text()))
    print(f"{len(cases)} unlock sets and OpenBao's shares open")
