"""`ovum new`: a small project to begin with."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

HELP: Final = """\
usage: ovum new NAME

Makes the folder NAME with a program, its settings and a test.

examples:
  ovum new egg
  ovum run egg
"""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

_FILES: Final[Mapping[str, str]] = {
    "pyproject.toml": """\
[project]
name = "{name}"
version = "0.1"
requires-python = ">=3.11"
dependencies = []

[tool.ovum]
# What `ovum run` and `ovum pack` do without being told; docs/network.md of ovum has all words.
net = "user,hostname={host}"
publish = ["8080:8080"]

[tool.pytest.ini_options]
pythonpath = ["."]
""",
    "__main__.py": """\
\"\"\"Says where it is, and serves that to whoever asks: http://127.0.0.1:8080\"\"\"

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from greeting import greeting


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = greeting().encode() + b"\\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print(greeting(), flush=True)
if "--once" not in sys.argv:
    HTTPServer(("", 8080), Handler).serve_forever()
""",
    "greeting.py": """\
import platform


def greeting():
    return f"Hello from {{platform.node()}}, Python {{platform.python_version()}}"
""",
    "tests/test_greeting.py": """\
import platform

from greeting import greeting


def test_it_says_which_python_it_is():
    assert greeting().endswith(platform.python_version())
""",
    "README.md": """\
# {name}

    ovum run .                     # from this folder; http://127.0.0.1:8080 answers
    ovum run . --once              # says hello and ends
    ovum pack . -o ../{name}.iso      # a CD and USB stick
    python3 -m pytest              # the tests, on this machine
""",
}


def main(words: Sequence[str]) -> int:
    """Runs the command. Raises UsageError, OSError."""
    from ovum.options import UsageError

    if words and words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if len(words) != 1:
        raise UsageError("ovum new wants one name (see `ovum new --help`)")
    make_project(Path(words[0]))
    print(f"made {words[0]}; try: ovum run {words[0]}")
    return 0


def make_project(folder: Path) -> None:
    """Makes the folder and what is in it. Raises UsageError, OSError."""
    from ovum.options import UsageError

    name = folder.name
    if _NAME.fullmatch(name) is None or len(name) > 60:
        raise UsageError(f"not a name for a project: {name!r} (letters, digits, - and _)")
    if folder.exists():
        raise UsageError(f"there is a {folder} already")
    host = name.lower().replace("_", "-").rstrip("-")
    for path, text in _FILES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # Doubled braces are the program's own.
        file.write_text(text.format(name=name, host=host))
