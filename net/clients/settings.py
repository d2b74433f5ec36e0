"""How a machine is told to configure its network: the words `ovum.net=` of the kernel's command
line.

    ovum.net=dhcp                                   as without any word
    ovum.net=none                                   interfaces stay as they are
    ovum.net=192.0.2.5/24,gateway=192.0.2.1,dns=192.0.2.1,dns=192.0.2.2,search=example.org
    ovum.net=interface=eth1,2001:db8::5/64,gateway=2001:db8::1
    ovum.net=dhcp,hostname=egg,ntp=192.0.2.9

A word without `interface=` is about every interface that has no word of its own.
"""

from __future__ import annotations

from ovum.net.clients.names import is_domain_name
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = "ovum.net="

LEAST_IP_MTU = 68
"""RFC 791, 3.1: what every link carries."""


class Settings:
    """What was said about an interface."""

    __slots__ = (
        "addresses", "dhcp", "dns", "gateways", "hostname", "interface", "ip_mtu", "ntp", "off",
        "search",
    )  # fmt: skip

    def __init__(self) -> None:
        self.interface = ""
        """Its name; empty: any."""
        self.off = False
        """Nothing is to be configured."""
        self.dhcp = False
        self.addresses: list[tuple[bytes, int]] = []
        """With the lengths of their prefixes."""
        self.gateways: list[bytes] = []
        self.dns: list[bytes] = []
        self.search: list[str] = []
        self.ntp: list[bytes] = []
        self.hostname = ""
        self.ip_mtu = 0


def settings_of(command_line: str) -> list[Settings]:
    """All that a command line says. Words behind "--" are the program's own. Raises ValueError."""
    found = []
    for word in command_line.split():
        if word == "--":
            break
        if word.startswith(WORD):
            found.append(parse_settings(word[len(WORD) :]))
    return found


def settings_for(interface: str, all_settings: Sequence[Settings]) -> Settings:
    """What is said about one interface; DHCP, if nothing is."""
    for wanted in (interface, ""):
        for settings in all_settings:
            if settings.interface == wanted:
                return settings
    return parse_settings("dhcp")


def parse_settings(text: str) -> Settings:
    """Reads one word. Raises ValueError, which says what is wrong."""
    it = Settings()
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals:
            _mode(it, part, text)
        elif key == "interface":
            it.interface = _plain(value, part)
        elif key == "gateway":
            it.gateways.append(_address(value))
        elif key == "dns":
            it.dns.append(_address(value))
        elif key == "ntp":
            it.ntp.append(_address(value))
        elif key == "search":
            it.search.append(domain_name(value))
        elif key == "hostname":
            it.hostname = domain_name(value)
            if len(value) > 64:
                raise ValueError(f"a host's name has 64 characters at most: {value!r}")
        elif key == "mtu":
            it.ip_mtu = _ip_mtu(value)
        else:
            raise ValueError(f"unknown in the network's settings: {part!r}")
    if it.off and (it.dhcp or it.addresses):
        raise ValueError(f"none, and something: {text!r}")
    if not (it.off or it.addresses):
        it.dhcp = True
    for gateway in it.gateways:
        if not any(len(gateway) == len(address) for address, _ in it.addresses):
            raise ValueError(f"a gateway without an address of its kind: {text!r}")
    return it


def _mode(it: Settings, part: str, text: str) -> None:
    if part == "dhcp":
        it.dhcp = True
    elif part == "none":
        it.off = True
    elif "/" in part:
        address, _, length = part.partition("/")
        packed = _address(address)
        if not (length.isascii() and length.isdigit() and 1 <= int(length) <= len(packed) * 8):
            raise ValueError(f"no length of a prefix: {part!r}")
        if not _is_a_hosts(packed):
            raise ValueError(f"no address for a machine: {part!r}")
        it.addresses.append((packed, int(length)))
    else:
        raise ValueError(
            f"unknown in the network's settings: {part!r}"
            if part
            else f"an empty part in the network's settings: {text!r}"
        )


def _is_a_hosts(address: bytes) -> bool:
    """No network's, loopback's, group's or broadcast's (RFC 1122, 3.2.1.3; RFC 4291)."""
    if len(address) == 4:
        return address[0] not in (0, 127) and address[0] < 224
    return not (addr.is_multicast(address) or addr.is_unspecified(address[:15]))


def _address(text: str) -> bytes:
    try:
        return addr.parse(text)
    except ValueError:
        raise ValueError(f"no IP address: {text!r}") from None


def domain_name(text: str) -> str:
    """The name itself, without a dot at its end. Raises ValueError for what is none."""
    name = text.removesuffix(".")
    if not is_domain_name(name):
        raise ValueError(f"no domain name: {text!r}")
    return name


def _plain(text: str, part: str) -> str:
    if not (0 < len(text) <= 15 and text.isalnum()):
        raise ValueError(f"no interface's name: {part!r}")
    return text


def _ip_mtu(text: str) -> int:
    if not (text.isascii() and text.isdigit() and LEAST_IP_MTU <= int(text) <= 65535):
        raise ValueError(f"no MTU: {text!r}")
    return int(text)
