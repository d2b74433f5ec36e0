"""Unmodified network applications: each has a side that serves and a side that uses it.

Either side runs in a guest or on Linux, with the same packages, by name:

    python3 -m net_apps serve NAME=PORT …      until the end of standard input
    python3 -m net_apps use NAME=HOST:PORT …   a line of JSON for each

A module of an application has `serve(listening)`, which takes connections from a socket that
listens until the end of the process, and `use(host, port)`, which raises if anything is wrong.
"""

from typing import Final

SERVED: Final = (
    *("flask", "waitress", "fastapi", "aiohttp", "https", "websockets", "asyncssh"),
    "prometheus",
)
"""Both sides are here."""

USED: Final = ("redis", "psycopg")
"""The server is a program of the host's distribution."""

CERTIFICATES: Final = "certificates"
"""The folder, beside this one, of what `python3 -m net_apps.certificates` makes."""
