"""In the machine: asks for a name with its first words, when DHCP has not answered yet."""

import socket

print(socket.gethostbyname("nest"), flush=True)

import time  # noqa: E402
from pathlib import Path  # noqa: E402

print(socket.gethostname(), time.gmtime().tm_year)
print(Path("/etc/hosts").read_text().splitlines()[-1])
print(*Path("/etc/resolv.conf").read_text().splitlines()[1:-1], sep="\n")
print(socket.getaddrinfo(socket.gethostname(), 1, type=socket.SOCK_DGRAM)[0][4])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 9999))
    print("waiting", flush=True)
    data, address = sock.recvfrom(100)
print(data.decode(), *address)
