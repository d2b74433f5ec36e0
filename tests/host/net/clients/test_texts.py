"""The files that the C library reads, and that it reads them as they are meant."""

from ovum.net.clients.texts import MARK, Source, hosts, resolv_conf
from ovum.net.wire import addr


def source(*servers: str, domains: tuple[str, ...] = (), interface: str = "eth0") -> Source:
    return Source(interface, map(addr.parse, servers), domains)


def words(text: str) -> list[str]:
    assert text.startswith(MARK)
    assert text.endswith("options timeout:2 attempts:3\n")
    return text.removeprefix(MARK).splitlines()[:-1]


def test_servers_and_domains_are_in_order_and_once() -> None:
    command_line = source("192.0.2.1", domains=("a.example",))
    dhcp = source("192.0.2.1", "192.0.2.2", domains=("b.example", "a.example"))
    assert words(resolv_conf([command_line, dhcp])) == [
        "nameserver 192.0.2.1", "nameserver 192.0.2.2", "search a.example b.example"
    ]  # fmt: skip


def test_three_servers_are_taken_and_not_all_of_one_source() -> None:
    four = source("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
    assert len(words(resolv_conf([four]))) == 3
    router = source("fe80::1", "2001:db8::1")
    assert words(resolv_conf([four, router])) == [
        "nameserver 192.0.2.1", "nameserver 192.0.2.2", "nameserver fe80::1%eth0"
    ]  # fmt: skip
    assert words(resolv_conf([source(), router]))[1] == "nameserver 2001:db8::1"


def test_without_servers_there_is_none() -> None:
    assert words(resolv_conf([])) == []


def test_a_machines_own_name_is_an_address_of_its_own() -> None:
    assert hosts("").startswith(f"{MARK}127.0.0.1 localhost ovum\n")
    assert hosts("egg").endswith("\n127.0.1.1 egg\n")
    assert hosts("egg.example.org").endswith("\n127.0.1.1 egg.example.org egg\n")
    assert "127.0.1.1" not in hosts("ovum")
