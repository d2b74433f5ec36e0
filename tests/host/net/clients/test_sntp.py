"""The client of SNTP against servers that are right, wrong, silent and hostile."""

import random
from collections.abc import Callable

import pytest

from ovum.net.clients.sntp import SECOND, SLEW_NS, SntpClient
from ovum.net.counters import Counters
from ovum.net.wire import addr, ntp

SERVER = addr.parse("192.0.2.1")
OTHERS = [addr.parse(f"192.0.2.{host}") for host in (2, 3, 4, 5)]
TODAY = 1_800_000_000 * SECOND
"""2027."""

Change = Callable[[ntp.Packet], ntp.Packet | None]


class Server:
    """Its clock is `wrong_ns` fast."""

    def __init__(self, wrong_ns: int = 0, change: Change = lambda packet: packet) -> None:
        self.wrong_ns = wrong_ns
        self.change = change
        self.asked: list[float] = []


class World:
    """True time, a clock that is `off_ns` slow and drifts, and servers."""

    def __init__(self, servers: dict[bytes, Server], off_ns: int = 0, seed: int = 1) -> None:
        self.now = 50 * SECOND
        self.begun = self.now
        self.true = TODAY - self.now
        self.offset = self.true - off_ns
        self.servers = servers
        self.way = SECOND // 100
        self.moves: list[int] = []
        self.told: list[int] = []
        self.counters = Counters()
        self._coming: list[tuple[int, bytes, bytes]] = []
        self.client = SntpClient(random.Random(seed), self.counters, self)

    def send_ntp(self, now: int, data: bytes, server: bytes) -> None:
        assert now == self.now
        one = self.servers[server]
        request = ntp.parse(data)
        assert (request.mode, request.version) == (ntp.CLIENT, 4)
        one.asked.append((now - self.begun) / SECOND)
        there = now + self.way
        time = ntp.from_unix_ns(there + self.true + one.wrong_ns)
        reply = one.change(
            ntp.Packet(
                ntp.SERVER, time, origin=request.transmit, receive=time, stratum=2,
                root_delay=1 << 10, root_dispersion=1 << 10,
            )
        )  # fmt: skip
        if reply is not None:
            self._coming.append((there + self.way, ntp.emit(reply), server))

    def wall_ns(self, now: int) -> int:
        return now + self.offset

    def move_clock(self, now: int, by_ns: int) -> None:
        self.moves.append(by_ns)
        self.offset += by_ns

    def clock_told(self, now: int, server: bytes, off_ns: int) -> None:
        self.told.append(off_ns)

    def start(self) -> None:
        self.client.use(self.now, list(self.servers))

    def run(self, seconds: float) -> None:
        end = self.now + int(seconds * SECOND)
        steps = 0
        while True:
            times = [at for at, *_ in self._coming]
            if self.client.deadline is not None:
                times.append(self.client.deadline)
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            due = [one for one in self._coming if one[0] <= self.now]
            self._coming = [one for one in self._coming if one[0] > self.now]
            for _, data, source in due:
                self.client.receive(self.now, data, source)
            self.client.poll(self.now)
            steps += 1
            assert steps < 100_000
        self.now = end

    @property
    def wrong_ns(self) -> int:
        """How far the machine's clock is off now."""
        return self.true - self.offset


def world(*servers: Server, off_ns: int = 0) -> World:
    named = dict(zip([SERVER, *OTHERS], servers, strict=False))
    one = World(named, off_ns)
    one.start()
    return one


@pytest.mark.parametrize("off_ns", [SECOND, -SECOND, 40 * 365 * 86400 * SECOND, 128_000_000])
def test_a_clock_that_is_far_off_is_set_at_once(off_ns: int) -> None:
    one = world(Server(), off_ns=off_ns)
    one.run(1)
    assert len(one.moves) == 1
    assert abs(one.wrong_ns) < 1000
    assert one.client.synchronized


@pytest.mark.parametrize("off_ns", [20_000_000, -20_000_000])
def test_a_clock_that_is_a_little_off_is_moved_in_small_steps(off_ns: int) -> None:
    one = world(Server(), off_ns=off_ns)
    one.run(10)
    assert len(one.moves) == 10
    assert {abs(move) for move in one.moves} == {SLEW_NS}
    one.run(60)
    assert abs(one.wrong_ns) < 1000
    assert sum(map(abs, one.moves)) == pytest.approx(abs(off_ns), abs=2000)


def test_it_asks_less_and_less_often() -> None:
    server = Server()
    one = world(server)
    one.run(20_000)
    gaps = [later - earlier for earlier, later in zip(server.asked, server.asked[1:], strict=False)]
    assert all(gap >= 60 for gap in gaps)
    assert 970 <= max(gaps) <= 1080
    assert len(server.asked) < 30


def test_a_clock_that_drifts_is_kept_right() -> None:
    server = Server()
    one = world(server, off_ns=3 * SECOND)
    for _ in range(500):
        one.run(60)
        one.offset -= 60 * 100_000  # 100 ppm
    assert abs(one.wrong_ns) < 128_000_000
    assert all(abs(move) <= SLEW_NS for move in one.moves[1:])


def test_nobody_is_asked_twice_within_15_seconds() -> None:
    server = Server(change=lambda packet: None)
    one = world(server)
    one.run(10_000)
    gaps = [later - earlier for earlier, later in zip(server.asked, server.asked[1:], strict=False)]
    assert min(gaps) >= 15
    assert max(gaps) > 900
    assert one.counters["ntp_unanswered"] == len(server.asked)
    assert not one.client.synchronized


def packet(**fields: object) -> Change:
    def change(one: ntp.Packet) -> ntp.Packet:
        for name, value in fields.items():
            setattr(one, name, value)
        return one

    return change


@pytest.mark.parametrize(
    ("change", "counter"),
    [
        (packet(origin=1), "ntp_origin_other"),
        (packet(mode=ntp.CLIENT), "ntp_mode_bad"),
        (packet(mode=ntp.BROADCAST), "ntp_mode_bad"),
        (packet(leap=3), "ntp_not_synchronized"),
        (packet(stratum=16), "ntp_not_synchronized"),
        (packet(transmit=0), "ntp_time_missing"),
        (packet(receive=0), "ntp_time_missing"),
        (packet(receive=1 << 63), "ntp_times_bad"),
        (packet(root_delay=0xFFFFFFFF), "ntp_times_bad"),
        (packet(root_dispersion=2 << 16), "ntp_times_bad"),
        (packet(version=7), "ntp_version_bad"),
        (packet(stratum=0, reference_id=b"DENY"), "ntp_denied"),
        (packet(stratum=0, reference_id=b"RATE"), "ntp_rate"),
        (packet(stratum=0, reference_id=b"\0\xff%s"), "ntp_kiss_other"),
    ],
)
def test_what_is_no_answer_moves_nothing(change: Change, counter: str) -> None:
    one = world(Server(change=change), off_ns=SECOND)
    one.run(3)
    assert one.counters[counter] == 1
    assert one.moves == one.told == []


def test_a_server_that_says_no_is_not_asked_again() -> None:
    server = Server(change=packet(stratum=0, reference_id=b"RSTR"))
    one = world(server)
    one.run(10_000)
    assert len(server.asked) == 1
    assert one.client.deadline is None


def test_a_server_that_wants_to_be_asked_less_often_is() -> None:
    server = Server(change=packet(stratum=0, reference_id=b"RATE"))
    one = world(server)
    one.run(20_000)
    gaps = [later - earlier for earlier, later in zip(server.asked, server.asked[1:], strict=False)]
    assert len(gaps) < 30
    server.change = lambda one: one
    one.run(2000)
    before = len(server.asked)
    one.run(10_000)
    assert len(server.asked) - before <= 11


def test_one_liar_among_three_moves_nothing() -> None:
    one = world(Server(), Server(3600 * SECOND), Server(1_000_000), off_ns=SECOND)
    one.run(3)
    assert abs(one.wrong_ns) <= 1_001_000


def test_a_silent_server_among_others_costs_two_seconds() -> None:
    one = world(Server(change=lambda packet: None), Server(), off_ns=SECOND)
    one.run(1.9)
    assert one.moves == []
    one.run(0.2)
    assert len(one.moves) == 1


def test_a_jump_of_an_hour_is_not_believed_later() -> None:
    server = Server()
    one = world(server)
    one.run(10)
    server.wrong_ns = 3600 * SECOND
    one.run(5000)
    assert abs(one.wrong_ns) < SECOND
    assert one.counters["ntp_too_far"] >= 4


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    server = Server()
    one = world(server, off_ns=SECOND)
    reply = ntp.Packet(ntp.SERVER, ntp.from_unix_ns(0), origin=0, receive=1, stratum=1)
    for source in (SERVER, OTHERS[0]):
        one.client.receive(one.now, ntp.emit(reply), source)
    assert one.counters == {"ntp_not_asked_for": 2}
    one.client.poll(one.now)
    one.client.receive(one.now, ntp.emit(reply), SERVER)
    assert one.counters["ntp_origin_other"] == 1
    one.run(1)
    assert abs(one.wrong_ns) < 1000


def test_an_answer_counts_once() -> None:
    one = world(Server(), Server(change=lambda packet: None), off_ns=SECOND)
    one.run(0.01)
    data = one._coming[0]
    one._coming *= 3
    one.run(0.02)
    assert data[2] == SERVER
    assert one.counters == {"ntp_not_asked_for": 2}


def test_other_servers_are_asked_at_once_and_none_is_the_end() -> None:
    first, second = Server(), Server()
    one = World({SERVER: first, OTHERS[0]: second})
    one.client.use(one.now, [SERVER])
    one.run(1)
    one.client.use(one.now, [SERVER])
    one.run(1)
    one.client.use(one.now, [OTHERS[0], OTHERS[0]])
    one.run(1)
    assert (len(first.asked), len(second.asked)) == (1, 1)
    one.client.use(one.now, [])
    assert one.client.deadline is None
    one.run(5000)
    assert (len(first.asked), len(second.asked)) == (1, 1)


def test_whatever_comes_nothing_escapes() -> None:
    chance = random.Random(5)
    one = world(Server(), off_ns=SECOND)
    one.client.poll(one.now)
    number = one.client._asked[SERVER][0]
    good = ntp.emit(ntp.Packet(ntp.SERVER, 1 << 63, origin=number, receive=1 << 63, stratum=1))
    for _ in range(5000):
        data = bytearray(good)
        data[chance.randint(0, 23)] = chance.getrandbits(8)
        data[chance.randint(24, 47)] = chance.getrandbits(8)
        del data[chance.choice((48, 48, chance.randint(0, 48))) :]
        one.client.receive(one.now, data, SERVER)
        if not one.client._asked:
            one.client._begin_round(one.now)
            good = good[:24] + one.client._asked[SERVER][0].to_bytes(8, "big") + good[32:]
    assert sum(one.counters.values()) > 1000
