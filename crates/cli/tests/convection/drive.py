"""Runs the original's programs for tests: one order a line on standard input, one answer a line on standard output.

Nothing of the original is changed or imitated: its own entry points and classes are called, each in a process of its
own, forked from this one, in which they are already loaded, its table of commands too: every call reads that three
times, which takes its parser two seconds, and is all that a call costs. An order is a JSON
object with one of these keys:

  client      arguments of the original's command line client
  manager     arguments of the original's server console
  library     a client configuration's path; `steps` are [method, arguments] on one ConvectionSecretsClient
  websocket   a URL, with `authority`; `steps` are texts to send, or {"prove": KEY FILE}, which answers a challenge as
              the client does; "TOKEN" in a text is the token that was proven last

`client` and `manager` are answered with code, out and err of the process, the others with one result a step.
"""

import base64
import json
import logging
import os
import signal
import ssl
import sys
import tempfile
import traceback
import uuid

import convection.shared
import websocket
from atckit.utilfuncs import UtilFuncs
from convection.secrets.client import ConvectionSecretsClient
from convection.secrets.client.console import secrets_client_bin
from convection.shared.config import ConvectionConfiguration
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# a call that takes longer hangs
PATIENCE_SECONDS = 120


class ReadAhead:
    """The original's parser, and what it has made of one text, so often as a call asks for it."""

    def __init__(self, parse, path, times):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.parse, self.parsed = parse, [parse(self.text) for _ in range(times)]

    def __call__(self, text):
        return self.parsed.pop() if self.parsed and text == self.text else self.parse(text)


def read_ahead():
    table = os.path.join(list(convection.shared.__path__)[0], "convection-sm-commands.toml")
    parsers = UtilFuncs.TYPE_OVERRIDE_MAP
    parsers["toml"] = ReadAhead(parsers["toml"], table, times=3)


def run_client(order):
    sys.argv = ["convection-secrets", *order["client"]]
    secrets_client_bin()


def run_manager(order):
    # its parts of the server are large, and few tests need them
    from convection.secrets.server import secrets_manager_bin

    sys.argv = ["convection-secrets-manager", *order["manager"]]
    secrets_manager_bin()


def run_library(order):
    ConvectionConfiguration({"config": order["library"], "input_type": "auto", "loglevel": logging.ERROR})
    client = ConvectionSecretsClient()
    results = []
    for method, arguments in order["steps"]:
        try:
            results.append({"ok": getattr(client, method)(**arguments)})
        except Exception as fault:
            results.append({"error": type(fault).__name__, "text": str(fault)})
    client.close()
    return results


def run_websocket(order):
    trust = {"ca_certs": order["authority"], "ssl_version": ssl.PROTOCOL_TLS_CLIENT}
    connection = websocket.create_connection(order["websocket"], sslopt=trust, timeout=PATIENCE_SECONDS)
    results, token = [], ""
    for step in order["steps"]:
        if isinstance(step, str):
            text = step.replace("TOKEN", token)
        else:
            token = text = opened(results[-1]["response"], step["prove"])
        connection.send(text)
        results.append(json.loads(connection.recv()))
    connection.close()
    return results


def opened(challenge, key_file):
    with open(key_file, "rb") as file:
        key = load_pem_private_key(file.read(), password=None)
    padding = OAEP(mgf=MGF1(algorithm=SHA512()), algorithm=SHA512(), label=None)
    return uuid.UUID(bytes=key.decrypt(base64.b64decode(challenge), padding)).hex


RUNNERS = {"client": run_client, "manager": run_manager, "library": run_library, "websocket": run_websocket}


def child(order, out, err, answer):
    """Never returns."""
    signal.alarm(PATIENCE_SECONDS)
    code = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        runner = next(run for name, run in RUNNERS.items() if name in order)
        json.dump(runner(order), answer, default=str)
        answer.flush()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def perform(order):
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, tempfile.TemporaryFile("w+") as answer:
        pid = os.fork()
        if pid == 0:
            child(order, out, err, answer)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for file in (out, err, answer):
            file.seek(0)
        if code == 0 and not ("client" in order or "manager" in order):
            return json.load(answer)
        return {"code": code, "out": out.read(), "err": err.read()}


def main():
    read_ahead()
    orders, answers = os.dup(0), os.dup(1)
    # what is run reads nothing, and writes nothing among the answers
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    with os.fdopen(orders) as lines, os.fdopen(answers, "w") as told:
        for line in lines:
            told.write(json.dumps(perform(json.loads(line))) + "\n")
            told.flush()


main()
