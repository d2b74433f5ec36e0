"""Serves applications, or uses them: see the package."""

import importlib
import json
import socket
import sys
import threading
import time
import traceback
from types import ModuleType


def _module(name: str) -> ModuleType:
    return importlib.import_module(f".{name}", __package__)


def serve(words: list[str]) -> None:
    """Each in a thread; says when all of them listen. What they say themselves is for the log."""
    told, sys.stdout = sys.stdout, sys.stderr
    for word in words:
        name, _, port = word.partition("=")
        listening = socket.create_server(("0.0.0.0", int(port)), backlog=64)
        threading.Thread(target=_module(name).serve, args=(listening,), daemon=True).start()
    print("READY", file=told, flush=True)
    sys.stdin.read()


def use(words: list[str]) -> None:
    """One after the other; a failure ends only its own."""
    for word in words:
        name, _, address = word.partition("=")
        host, _, port = address.rpartition(":")
        error = None
        started = time.monotonic()
        try:
            _module(name).use(host, int(port))
        except BaseException:
            error = traceback.format_exc()
        seconds = round(time.monotonic() - started, 3)
        print("USED", json.dumps({"name": name, "error": error, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    {"serve": serve, "use": use}[sys.argv[1]](sys.argv[2:])
