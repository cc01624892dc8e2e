"""Wrote the storage directories beside it, with the original's own server and classes.

  target/convection/bin/python crates/convection/tests/data/write.py FOLDER

`cargo xtask test --install` installs the original there. FOLDER gets `whole`, as the server left it; `half-rotated`, the
same after a keyset's rotation that failed for its second store and could not be reverted; `no-keymap`, without
`keymap.db`; and `expected.json`, which says what is in them and the unlock keys. Keys and values are for tests alone.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "bench"))
from wire import Wire, prove  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: E402

CONFIGURATION = """pid_dir = "{home}/run/"
[service]
socket_path = "{home}/run/c.sock"
tls_cert = "{home}/cert.pem"
tls_key = "{home}/key.pem"
log_file = "{home}/log.txt"
[config]
path = "{home}/storage"
[config.manager]
keydb_key_count = 2
[config.manager.authentication]
token_max_expire = "1d"
"""

USERS = {"ann": ["rsa-2048", "rsa-3072"], "bob": ["rsa-1024", "ed25519"], "zo\u00eb": ["rsa-2048"], "recovery": ["rsa-2048"]}
GROUPS = {"devs": ["ann", "bob"], "ops \u00fc": ["zo\u00eb", "recovery"], "empty": []}
ACLS = {
    "web-read": ("ACLStore", "allow", "r", {"store_paths": ["web"], "secret_names": [".*"]}, "group", "devs"),
    "web-write": ("ACLStore", "allow", "rwmd", {"store_paths": ["^web$"], "secret_names": ["^app/"]}, "user", "ann"),
    "get-only": ("ACLCommand", "allow", "r", {"commands": ["get_secret", "^authorize$"]}, "group", "devs"),
    "no-delete": ("ACLObject", "deny", "d", {}, "user", "bob"),
    "anything": ("ACLObject", "allow", "rwmd", {}, "group", "ops \u00fc"),
    "no-vault": ("ACLStore", "deny", "rwmd", {"store_paths": ["^vault$"], "secret_names": [".*"]}, "group", "ops \u00fc"),
}
STORES = {
    "web": ("generic", "web-keys", {
        "db": "one", "app/\u00fcber": "na\u00efve \u4e2d\u6587 \U0001f600", "a.b": "dotted", "with space": " kept ", "empty": "",
        "lines": "first\nsecond\n\ttabbed \"quoted\" \\ back", "int": 42, "big": 9007199254740993, "negative": -1,
        "float": 1.5, "true": True, "false": False, "list": [1, 2, 3], "texts": ["a", "b"], "nested": {"a": {"b": [True, "x"]}, "n": 0},
    }),
    "team/app": ("generic", "web-keys", {"key": "in a folder"}),
    "vault": ("generic", "vault-keys", {"only": "here"}),
    "pw": ("passdb", "vault-keys", {"given": "by-hand \u00e9", "other": "second"}),
    "unused": ("generic", "vault-keys", {}),
}


def key(kind):
    algorithm, _, bits = kind.partition("-")
    if algorithm == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(bits))
    return ed25519.Ed25519PrivateKey.generate()


def public(private):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def people(ask, expected):
    for user, kinds in USERS.items():
        expected["users"][user] = []
        for kind in kinds:
            pair = key(kind)
            made = ask("create_user", user_name=user, public_key=public(pair))
            keys = {"access_key_id": made["access_key_id"], "kind": kind, "private_key": private(pair)}
            expected["users"][user].append(keys)
    for group, users in GROUPS.items():
        ask("create_group", group_name=group)
        for user in users:
            ask("attach_group", group_name=group, user_name=user)
    for name, (kind, mode, access, more, upon, target) in ACLS.items():
        ask("create_acl", acl_name=name, acl_type=kind, mode=mode, access_mode=access, **more)
        ask("attach_acl", acl_name=name, attach_type=upon, attach_name=target)


def secrets(ask):
    for keyset in sorted({keyset for _, keyset, _ in STORES.values()}):
        ask("create_keyset", keyset_name=keyset)
    for store, (kind, keyset, values) in STORES.items():
        ask("create_store", store_name=store, keyset_name=keyset, store_type=kind, store_args={})
        for name, value in values.items():
            args = {"secret_name": name, "secret_value": value}
            ask("create_secret", store_name=store, store_args=args)
            args = {"secret_name": name}
            got = ask("get_secret", store_name=store, store_args=args)["secret"]
            assert got == value, (name, value, got)


def start(home):
    for folder in ["run", "storage", "conf/convection-secrets"]:
        (home / folder).mkdir(parents=True)
    (home / "conf/convection-secrets/convection-secrets.toml").write_text(CONFIGURATION.format(home=home))
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*request, "-subj", "/CN=x", "-keyout", home / "key.pem", "-out", home / "cert.pem"], check=True, capture_output=True)
    program = ROOT / "target/convection/bin/convection-secrets-manager"
    server = subprocess.Popen([program, "-c", home / "conf", "start"], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            return server, Wire(f"unix:{home}/run/c.sock", str(home / "cert.pem"), 60)
        except OSError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)


def half_rotated(home, unlock_key):
    """What the original's rotation of `web-keys` leaves when the second of its stores fails, and the first's way back."""
    import tomlkit
    from convection.secrets import server
    from convection.secrets.server.manager import ConvectionSecretsManager
    from convection.secrets.server.mgrcmd.keys import ConvectionManagerKeyCommands
    from convection.shared.config import ConvectionConfigCore
    from convection.shared.specker_static import StaticSpecker
    from cryptography.fernet import Fernet

    StaticSpecker()
    StaticSpecker.instance.specker_instance.load_specs(Path(server.__file__).resolve().parent / "specs")
    text = (home / "conf/convection-secrets/convection-secrets.toml").read_text()
    configuration = tomlkit.parse(text).unwrap()["config"]
    manager = ConvectionSecretsManager(ConvectionConfigCore("service.config", configuration))
    assert manager.unlock(unlock_key)
    new_keys = [Fernet.generate_key() for _ in range(2)]
    store = manager.load_store("web")
    store._read()
    store._rotate_init(new_keys)
    store._write(False)
    store._rotate_finish()
    getattr(manager, f"_{ConvectionManagerKeyCommands.__name__}__write_keyset_keys")("ROTATED_web-keys", new_keys)


def main(folder):
    folder = Path(folder).resolve()
    home = folder / "home"
    server, wire = start(home)
    root = key("rsa-2048")
    made = wire.command("initialize", num_keys=2, root_public_key=public(root))
    wire.command("unlock", unlock_key=made["keys"][0])
    who = {"access_key_id": made["root_access_key_id"]}
    who["auth_token"] = prove(wire, root, made["root_access_key_id"])
    root_keys = {"access_key_id": made["root_access_key_id"], "kind": "rsa-2048", "private_key": private(root)}
    expected = {"unlock_keys": made["keys"], "users": {"root": [root_keys]}, "groups": GROUPS}
    ask = lambda command, **fields: wire.command(command, **fields, **who)  # noqa: E731
    people(ask, expected)
    secrets(ask)
    named = ["type", "mode", "access_mode", "patterns", "attach_type", "attach_name"]
    expected["acls"] = {name: dict(zip(named, acl)) for name, acl in ACLS.items()}
    expected["stores"] = {store: dict(zip(["type", "keyset", "secrets"], made)) for store, made in STORES.items()}
    expected["half_rotated"] = {"keyset": "web-keys", "rotated_stores": ["web"], "other_stores": ["team/app"]}
    wire.stream.close()
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    shutil.copytree(home / "storage", folder / "whole")
    shutil.copytree(home / "storage", folder / "no-keymap")
    (folder / "no-keymap/keymap.db").unlink()
    half_rotated(home, made["keys"][0])
    shutil.copytree(home / "storage", folder / "half-rotated")
    shutil.rmtree(home)
    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / "expected.json").write_text(text + "\n")
    os.chmod(folder / "expected.json", 0o644)


main(sys.argv[1])
