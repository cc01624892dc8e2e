"""What the bench needs of a convection client beside the load itself; the same for ours and for the original.

  begin SOCKET AUTHORITY HOME   initialises with a key pair left in HOME, unlocks; prints {"access_key_id", "unlock_key"}
  enter SOCKET AUTHORITY HOME   unlocks if it is locked, authorises; prints {"auth_token"}
  stores SOCKET AUTHORITY HOME NAME...    a keyset, and a generic store of each name
  authorize SOCKET AUTHORITY HOME COUNT   so many times, over one connection
  crowd WHERE AUTHORITY COUNT SECONDS     so many connections at once; prints how many of them were answered, and again
                                          while all of those were open
  fill HOME STORE COUNT BYTES   the original only: writes a store's file off line, by the original's own classes

WHERE, as SOCKET, is unix:PATH, tcp:HOST:PORT or wss://HOST:PORT. It runs in the virtual environment of the original. HOME keeps `bench.json` between calls.
"""

import base64
import json
import os
import socket
import ssl
import sys
import threading
import uuid

PATIENCE_SECONDS = 120


class Wire:
    """One connection: a text, and a JSON object that may come in parts."""

    def __init__(self, where, authority, patience=PATIENCE_SECONDS):
        trust = ssl.create_default_context(cafile=authority)
        trust.check_hostname = False
        kind, _, address = where.partition(":")
        self.websocket = None
        if kind == "wss":
            import websocket

            options = {"ca_certs": authority}
            self.websocket = websocket.create_connection(where, sslopt=options, timeout=patience)
            return
        if kind == "unix":
            plain = socket.socket(socket.AF_UNIX)
            plain.settimeout(patience)
            plain.connect(address)
        else:
            host, _, port = address.rpartition(":")
            plain = socket.create_connection((host, int(port)), timeout=patience)
        self.stream = trust.wrap_socket(plain)

    def ask(self, text):
        if self.websocket is not None:
            self.websocket.send(text)
            return json.loads(self.websocket.recv())
        self.stream.sendall(text.encode())
        answer = b""
        while True:
            part = self.stream.recv(16384)
            if not part:
                raise ConnectionError("it closed")
            answer += part
            try:
                return json.loads(answer)
            except ValueError:
                continue

    def command(self, name, **fields):
        answer = self.ask(f"{name} {json.dumps(fields)}" if fields else name)
        if not answer["result"]["state"]:
            raise SystemExit(f"{name}: {answer['result']['messages']}")
        return answer


def kept(home):
    with open(os.path.join(home, "bench.json")) as file:
        return json.load(file)


def keep(home, **more):
    path = os.path.join(home, "bench.json")
    known = kept(home) if os.path.exists(path) else {}
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump({**known, **more}, file)


def private_key(home):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with open(os.path.join(home, "bench.key"), "rb") as file:
        return load_pem_private_key(file.read(), password=None)


def begin(where, authority, home):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(os.path.join(home, "bench.key"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
        file.write(pem)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    made = Wire(where, authority).command("initialize", num_keys=3, root_public_key=public)
    keep(home, access_key_id=made["root_access_key_id"], unlock_key=made["keys"][0])
    print(json.dumps(kept(home)))


def prove(wire, key, access_key_id):
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.hashes import SHA512

    challenge = wire.command("authorize", access_key_id=access_key_id, expire_time=None)["response"]
    padding = OAEP(mgf=MGF1(algorithm=SHA512()), algorithm=SHA512(), label=None)
    token = uuid.UUID(bytes=key.decrypt(base64.b64decode(challenge), padding)).hex
    if not wire.ask(token)["result"]["state"]:
        raise SystemExit("authorize: the second step is refused")
    return token


def enter(where, authority, home):
    wire, known = Wire(where, authority), kept(home)
    if wire.command("status")["locked"]:
        wire.command("unlock", unlock_key=known["unlock_key"])
    keep(home, auth_token=prove(wire, private_key(home), known["access_key_id"]))
    print(json.dumps(kept(home)))


def stores(where, authority, home, *names):
    wire, known = Wire(where, authority), kept(home)
    who = {"access_key_id": known["access_key_id"], "auth_token": known["auth_token"]}
    wire.command("create_keyset", keyset_name="bench-keys", **who)
    for name in names:
        what = {"store_name": name, "keyset_name": "bench-keys", "store_type": "generic", "store_args": {}}
        wire.command("create_store", **what, **who)


def authorize(where, authority, home, count):
    wire, known, key = Wire(where, authority), kept(home), private_key(home)
    for _ in range(int(count)):
        prove(wire, key, known["access_key_id"])


def crowd(where, authority, count, seconds):
    count, patience = int(count), float(seconds)
    first, second = threading.Semaphore(0), threading.Semaphore(0)
    over = threading.Event()

    def one():
        try:
            wire = Wire(where, authority, patience)
            wire.command("status")
            first.release()
            over.wait(2 * patience)
            wire.command("status")
            second.release()
        except Exception:
            # not answered, which is what is counted
            return

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    served = 0
    while served < count and first.acquire(timeout=patience):
        served += 1
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"answered": sum(second.acquire(blocking=False) for _ in range(count)), "open": served}))


def fill(home, store, count, size):
    """Opens the storage as the original's server does, and writes what so many `create_secret` would have left."""
    from pathlib import Path

    import tomlkit
    from convection.secrets import server
    from convection.secrets.server.manager import ConvectionSecretsManager
    from convection.shared.config import ConvectionConfigCore
    from convection.shared.specker_static import StaticSpecker

    StaticSpecker()
    StaticSpecker.instance.specker_instance.load_specs(Path(server.__file__).resolve().parent.joinpath("specs"))
    with open(os.path.join(home, "conf/convection-secrets/convection-secrets.toml")) as file:
        configuration = tomlkit.load(file).unwrap()
    manager = ConvectionSecretsManager(ConvectionConfigCore("service.config", configuration["config"]))
    manager.unlock(kept(home)["unlock_key"])
    opened = manager.load_store(store)
    # its own reading and writing; the table between them has no other name than this
    table = f"_{type(opened).__name__}__store_data"
    opened._read()
    getattr(opened, table).update({f"s{number}": "v" * int(size) for number in range(int(count))})
    opened._write()


COMMANDS = [begin, enter, stores, authorize, crowd, fill]

if __name__ == "__main__":
    {command.__name__: command for command in COMMANDS}[sys.argv[1]](*sys.argv[2:])
