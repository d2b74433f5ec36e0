"""The texts of /etc/resolv.conf and /etc/hosts, which the C library reads."""

from __future__ import annotations

from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "# ovum keeps this file up to date; without this line it leaves it alone.\n"

WAITING = "/proc/ovum/resolv.conf"
"""Where /etc/resolv.conf leads to in images: whoever opens that waits for the configuration."""

SERVERS_MOST = 3
"""The C library asks no more (MAXNS in resolv.h)."""
DOMAINS_MOST = 6
"""What older readers take (resolv.conf(5))."""

_OPTIONS = "options timeout:2 attempts:3\n"
"""A server that is there answers within 2 seconds; then another one is asked, each three times."""

HOSTS = "127.0.0.1 localhost ovum\n::1 localhost ip6-localhost\n"
"""As images have it, with the mark."""


class Source:
    """What one source says of names: the command line, DHCP, or routers, of one interface."""

    __slots__ = ("domains", "interface", "servers")

    def __init__(self, interface: str, servers: Iterable[bytes], domains: Iterable[str]) -> None:
        self.interface = interface
        self.servers = list(servers)
        self.domains = list(domains)

    def server_texts(self) -> list[str]:
        """As resolv.conf has them: link-local ones with the interface (RFC 4007, 11)."""
        return [
            f"{addr.text(one)}%{self.interface}" if addr.needs_zone(one) else addr.text(one)
            for one in self.servers
        ]


def resolv_conf(sources: Iterable[Source]) -> str:
    """The text for these sources, the most trusted first.

    If there is more than one source, the first does not fill the list (RFC 8106, 5.3.1): its
    servers may all be behind one thing that is broken.
    """
    lists = [texts for source in sources if (texts := source.server_texts())]
    servers: list[str] = []
    for at, texts in enumerate(lists):
        others = 1 if at + 1 < len(lists) else 0
        for text in texts:
            if text not in servers and len(servers) < SERVERS_MOST - others:
                servers.append(text)
    domains = list(dict.fromkeys(domain for source in sources for domain in source.domains))
    lines = [MARK]
    lines += [f"nameserver {server}\n" for server in servers]
    if domains:
        lines.append(f"search {' '.join(domains[:DOMAINS_MOST])}\n")
    lines.append(_OPTIONS)
    return "".join(lines)


def hosts(hostname: str) -> str:
    """The text for a machine with this name."""
    if hostname in ("", "ovum", "localhost"):
        return MARK + HOSTS
    short = hostname.partition(".")[0]
    names = hostname if short == hostname else f"{hostname} {short}"
    return f"{MARK}{HOSTS}127.0.1.1 {names}\n"
