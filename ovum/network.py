"""The network of a machine: `--net`, `--publish` and `--pcap`, for QEMU and for the machine."""

import dataclasses
import errno
import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

BACKEND: Final = "net"
"""QEMU's name for what is behind the card."""

_SYS_NET: Final = Path("/sys/class/net")
_IFF_TAP: Final = 2
"""linux/if_tun.h"""

_KINDS: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


class NetworkError(Exception):
    """A network that cannot be had; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """A port of this host's that leads to one of the machine's."""

    host: int
    """0 for any that is free."""
    guest: int
    protocol: str = "tcp"
    address: str = "127.0.0.1"

    @staticmethod
    def parse(text: str) -> "Port":
        """Reads [ADDRESS:]HOST:GUEST[/udp], or PORT[/udp] for both. Raises ValueError."""
        ports, slash, protocol = text.partition("/")
        *address, host, guest = ports.split(":") if ":" in ports else (ports, ports)
        if len(address) > 1 or (slash and protocol not in _KINDS):
            raise ValueError(f"not HOST:GUEST, HOST:GUEST/udp or ADDRESS:HOST:GUEST: {text!r}")
        numbers = _number(host, 0, text), _number(guest, 1, text)
        port = Port(*numbers, protocol or "tcp", *address)
        try:
            socket.inet_pton(socket.AF_INET, port.address)
        except OSError:
            raise ValueError(f"not an IPv4 address of this machine: {port.address!r}") from None
        return port

    def qemu_word(self, guest_address: str) -> str:
        """For QEMU's user network, whose first address is the one that is meant by none."""
        host = f"{self.protocol}:{self.address}:{self.host}"
        return f"hostfwd={host}-{guest_address}:{self.guest}"


def _number(text: str, least: int, whole: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"not a port: {text!r} in {whole!r}")
    number = int(text)
    if not least <= number <= 65535:
        raise ValueError(f"ports go from {least} to 65535, not {text} in {whole!r}")
    return number


def free_ports(ports: "tuple[Port, ...]") -> "tuple[Port, ...]":
    """The same, each with a port that nobody has: those that are 0 become numbers.

    QEMU itself says only that it could not. Raises NetworkError.
    """
    found = []
    with ExitStack() as bound:
        for port in ports:
            trial = bound.enter_context(socket.socket(socket.AF_INET, _KINDS[port.protocol]))
            if port.protocol == "tcp":
                # As QEMU does it: a port of connections that have just ended is free.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((port.address, port.host))
                if port.protocol == "tcp":
                    # Only that tells the next trial that the port is taken.
                    trial.listen(0)
            except OSError as error:
                where = f"{port.address}:{port.host}/{port.protocol}"
                why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
                raise NetworkError(f"port {where} cannot be published: {why}") from error
            found.append(dataclasses.replace(port, host=trial.getsockname()[1]))
    return tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """What the machine's network card is connected to."""

    kind: str = "user"
    """`user`, QEMU's own network of one machine; `tap`, an interface of this host's; `none`."""
    tap: str = ""
    """The interface's name."""
    words: str = ""
    """How the machine is to configure the card, as `net/clients/settings.py` reads it."""
    address: str = ""
    """The first IPv4 address among these words: the one that ports are published of."""
    hostname: str = ""
    """The machine's name, if it is among them."""
    mac: str = ""
    """The card's address, where QEMU's own will not do."""
    ports: tuple[Port, ...] = ()
    pcap: Path | None = None
    """Where all frames are recorded."""

    @staticmethod
    def parse(text: str) -> "Network":
        """Reads user, none or tap:NAME, and after a comma what the machine is told, such as
        `192.0.2.5/24,gateway=192.0.2.1`. Raises ValueError."""
        kind, comma, words = text.partition(",")
        kind, colon, tap = kind.partition(":")
        if (kind, bool(colon)) not in (("user", False), ("none", False), ("tap", True)):
            raise ValueError(f"not user, none or tap:NAME: {text!r}")
        if kind == "tap" and (not tap or len(tap) > 15 or not tap.isprintable() or "/" in tap):
            raise ValueError(f"not the name of an interface: {tap!r}")
        address, hostname = _understood(words) if comma else ("", "")
        return Network(kind, tap, words, address, hostname, _mac(tap) if tap else "")

    def with_ports(self, ports: tuple[Port, ...], pcap: Path | None) -> "Network":
        """The same, with published ports and a record. Raises NetworkError: not possible."""
        if ports and self.kind != "user":
            raise NetworkError(
                f"--publish goes with --net user: with --net {self.kind} "
                + ("there is no network" if self.kind == "none" else "the machine has an address")
            )
        if pcap is not None and self.kind == "none":
            raise NetworkError("--pcap: without a network there is nothing to record")
        return dataclasses.replace(self, ports=ports, pcap=pcap)

    def check(self, sys_net: Path = _SYS_NET) -> None:
        """Raises NetworkError for what this host has not, OSError for a record that cannot be."""
        if self.kind == "tap":
            flags = sys_net / self.tap / "tun_flags"
            if not flags.exists() or not int(flags.read_text(), 16) & _IFF_TAP:
                raise NetworkError(
                    f"there is no TAP interface {self.tap}: make it with "
                    f"`ip tuntap add dev {self.tap} mode tap user $USER` and "
                    f"`ip link set {self.tap} up`"
                )
        if self.pcap is not None:
            self.pcap.write_bytes(b"")

    def kernel_words(self) -> list[str]:
        """What tells the machine."""
        words = [f"ovum.net={self.words}"] if self.words else []
        if self.hostname:
            # The kernel itself reads this one: the name is there before the network is.
            words.append(f"ovum.hostname={self.hostname}")
        return words

    def qemu_words(self, bus: str) -> list[str]:
        """What has QEMU make the card. bus: "device" for memory-mapped devices, or "pci"."""
        if self.kind == "none":
            return []
        backend = f"user,id={BACKEND}"
        if self.kind == "tap":
            backend = f"tap,id={BACKEND},ifname={self.tap},script=no,downscript=no"
            if self.pcap is not None:
                # Checksums and segments are then made before the record, as on a cable.
                backend += ",vnet_hdr=off"
        for port in self.ports:
            backend += f",{port.qemu_word(self.address)}"
        card = f"virtio-net-{bus},netdev={BACKEND}"
        if bus == "pci":
            # The firmware would run its option ROM, which boots from the network, for 100 ms.
            card += ",romfile="
        if self.mac:
            card += f",mac={self.mac}"
        argv = ["-netdev", backend, "-device", card]
        if self.pcap is not None:
            path = str(self.pcap).replace(",", ",,")
            argv += [
                "-object",
                f"filter-dump,id=pcap,netdev={BACKEND},maxlen={1 << 17},file={path}",
            ]
        return argv


def _understood(words: str) -> tuple[str, str]:
    """The first IPv4 address and the machine's name in the words. Raises ValueError."""
    from ovum.net.clients.settings import parse_settings

    settings = parse_settings(words)
    for address, _ in settings.addresses:
        if len(address) == 4:
            return socket.inet_ntop(socket.AF_INET, address), settings.hostname
    return "", settings.hostname


def _mac(tap: str) -> str:
    """An address of its own for each interface of each host, and always the same: QEMU gives every
    machine the same one, and behind a bridge there may be two."""
    import hashlib

    host = f"{os.uname().nodename} {_machine_id()} {tap}".encode()
    return "52:54:00:" + hashlib.sha256(host).digest()[:3].hex(":")


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text()
    except OSError:
        # A host without one has its name, which is in the hash as well.
        return ""
