"""Addresses that a machine takes by itself (RFC 3927)."""

from ovum.net.clients.linklocal import PAUSE_NS, LinkLocal

MAC = bytes.fromhex("525400123456")


class Link:
    """The user, and whoever has addresses already."""

    def __init__(self, mac: bytes = MAC) -> None:
        self.now = 1
        self.probes: list[bytes] = []
        self.told: list[str] = []
        self.machine = LinkLocal(mac, self)

    def probe(self, now: int, address: bytes) -> None:
        self.probes.append(address)

    def claimed(self, now: int, address: bytes) -> None:
        self.told.append(f"claimed {address.hex()}")

    def given_up(self, now: int, address: bytes) -> None:
        self.told.append(f"given up {address.hex()}")

    def answer(self, free: bool) -> bytes:
        address = self.probes[-1]
        self.machine.probed(self.now, address, free)
        return address


def test_a_free_address_is_taken() -> None:
    link = Link()
    link.machine.start(1)
    link.machine.start(1)
    assert len(link.probes) == 1
    assert link.told == []
    address = link.answer(True)
    assert link.told == [f"claimed {address.hex()}"]
    assert link.machine.address == address
    assert link.machine.deadline is None


def test_addresses_are_in_the_range_and_differ_by_card_and_turn() -> None:
    first = []
    for card in range(300):
        link = Link(MAC[:4] + card.to_bytes(2, "big"))
        link.machine.start(1)
        for _ in range(9):
            link.answer(False)
        assert len(set(link.probes)) == len(link.probes)
        for address in link.probes:
            assert b"\xa9\xfe\x01\x00" <= address <= b"\xa9\xfe\xfe\xff"
        first.append(link.probes[0])
    assert len(set(first)) > 290
    assert len({address[2] for address in first}) > 100


def test_a_card_gets_the_address_that_it_had() -> None:
    one, other = Link(), Link()
    one.machine.start(1)
    other.machine.start(1)
    assert one.probes == other.probes


def test_after_ten_conflicts_there_is_one_address_a_minute() -> None:
    link = Link()
    link.machine.start(1)
    for _ in range(10):
        link.answer(False)
    assert len(link.probes) == 10
    for turn in range(1, 4):
        assert link.machine.deadline == link.now + PAUSE_NS
        link.machine.poll(link.now)
        assert len(link.probes) == 9 + turn
        link.now += PAUSE_NS
        link.machine.poll(link.now)
        assert len(link.probes) == 10 + turn
        link.answer(False)
    assert link.told == []


def test_an_address_that_another_insists_on_is_left_to_it() -> None:
    link = Link()
    link.machine.start(1)
    first = link.answer(True)
    link.machine.conflict(2)
    second = link.answer(True)
    assert first != second
    words = ("claimed", first), ("given up", first), ("claimed", second)
    assert link.told == [f"{word} {address.hex()}" for word, address in words]


def test_it_ends_when_somebody_gives_an_address() -> None:
    link = Link()
    link.machine.start(1)
    address = link.answer(True)
    link.machine.stop(2)
    link.machine.stop(2)
    assert link.told[1:] == [f"given up {address.hex()}"]
    link.machine.conflict(3)
    assert len(link.probes) == 1


def test_what_a_probe_finds_out_after_the_end_is_nothing() -> None:
    link = Link()
    link.machine.start(1)
    link.machine.stop(2)
    link.answer(True)
    assert link.told == []
    link.machine.start(3)
    link.machine.probed(3, link.probes[0], True)
    assert link.told == []
    link.answer(True)
    assert len(link.told) == 1
