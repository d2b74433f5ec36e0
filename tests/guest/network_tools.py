"""Runs in the guest: the tools, one after the other, each behind a line with its name."""

import socket
import sys
import threading
from pathlib import Path

from ovum.net import tools


def title(name: str) -> None:
    print(f"=== {name}", flush=True)


def main(port: int) -> None:
    title("ping-loopback")
    tools.ping("127.0.0.1", 2, 0.05)
    title("ping-6")
    tools.ping("::1", 1)
    title("ping-gateway")
    tools.ping("10.0.2.2", 2, 0.05, wait=20)
    title("ip")
    tools.ip()
    title("route")
    tools.ip("route")
    title("neigh")
    tools.ip("neigh", 4)
    title("traceroute")
    tools.traceroute("127.0.0.1", probes=1, names=False)
    title("fetch")
    tools.fetch(f"http://10.0.2.2:{port}/hello")
    print()
    title("nslookup")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        answering = threading.Thread(target=answer, args=(server,))
        answering.start()
        tools.nslookup("www.example.com", "127.0.0.1", "A", port=server.getsockname()[1])
        answering.join()
    title("tcpdump")
    for interface, host in (("lo", "127.0.0.1"), ("eth0", "10.0.2.2")):
        done = threading.Event()
        pinging = threading.Thread(target=keep_sending, args=(host, done))
        pinging.start()
        tools.tcpdump(interface, 1, f"udp and dst host {host} and port 9", seconds=20)
        done.set()
        pinging.join()
    title("netstat")
    with (
        socket.create_server(("127.0.0.1", 8080)) as listener,
        socket.create_connection(("127.0.0.1", 8080)) as client,
        listener.accept()[0],
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind("/tmp/local")
        local.listen()
        client.sendall(b"12345")
        tools.netstat(everything=True)
        tools.netstat(interfaces=True)
        title("inode")
        print(inode_of(listener) in Path("/proc/net/tcp").read_text().split())
    title("error")
    try:
        tools.ping("nosuch.invalid", 1)
    except tools.ToolError as error:
        print(error)
    title("end")


def inode_of(it: socket.socket) -> str:
    """As psutil finds whose a connection is."""
    link = str(Path(f"/proc/self/fd/{it.fileno()}").readlink())
    return link.removeprefix("socket:[").removesuffix("]")


def answer(server: socket.socket) -> None:
    """One answer: 10.0.0.1."""
    query, peer = server.recvfrom(512)
    question = query[12 : query.index(b"\0", 12) + 5]
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
    server.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record, peer)


def keep_sending(host: str, done: threading.Event) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not done.wait(0.05):
            sender.sendto(b"discarded", (host, 9))


if __name__ == "__main__":
    main(int(sys.argv[1]))
