"""The application of `flask`, behind waitress, from several clients at a time."""

import socket
from concurrent.futures import ThreadPoolExecutor

import waitress

from . import flask


def serve(listening: socket.socket) -> None:
    waitress.serve(flask.application, sockets=[listening], threads=4)


def use(host: str, port: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(flask.use, host, port) for _ in range(4)]:
            done.result()
