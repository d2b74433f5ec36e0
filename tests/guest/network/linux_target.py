"""In the machine, beside a Linux: sends back what comes on port 1007, of TCP and UDP; sends 4 MB on
port 1019; takes what comes on port 1009, and answers with its sum."""

import hashlib
import socket
import threading
from collections.abc import Callable

LARGE = bytes(range(251)) * 16_000


def echo(one: socket.socket) -> None:
    while data := one.recv(65536):
        one.sendall(data)


def large(one: socket.socket) -> None:
    one.sendall(LARGE)


def sink(one: socket.socket) -> None:
    total = hashlib.sha256()
    while data := one.recv(65536):
        total.update(data)
    one.sendall(total.digest())


def serve(port: int, work: Callable[[socket.socket], None]) -> None:
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            one, _ = server.accept()
            with one:
                work(one)


def main() -> None:
    for port, work in ((1007, echo), (1019, large), (1009, sink)):
        threading.Thread(target=serve, args=(port, work), daemon=True).start()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        datagrams.bind(("::", 1007))
        print("ready", flush=True)
        while True:
            data, address = datagrams.recvfrom(65536)
            if data == b"end":
                return
            datagrams.sendto(data, address)


main()
