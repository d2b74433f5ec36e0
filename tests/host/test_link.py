"""ovum.link: frames in every cut, credit, and what a broken guest may send."""

import pytest

from ovum.link import GREETING, Channel, Decoder, Encoder, Frame, FromGuest, LinkError

STREAM = (
    GREETING
    + b"\x01\x03\x00out"
    + b"\x03\x00\x00"
    + b"\x07\x05\x00\x01\x00\x10\x00\x00"
    + b"\x06\x01\x00\x07"
)
FRAMES = [
    Frame(FromGuest.STDOUT, b"out"),
    Frame(FromGuest.TTY, b""),
    Frame(FromGuest.CREDIT, b"\x01\x00\x10\x00\x00"),
    Frame(FromGuest.EXIT, b"\x07"),
]


def test_frames_come_out_of_one_piece() -> None:
    assert Decoder().feed(STREAM) == FRAMES


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11])
def test_frames_come_out_of_any_pieces(size: int) -> None:
    decoder = Decoder()
    found = []
    for at in range(0, len(STREAM), size):
        found += decoder.feed(STREAM[at : at + size])
    assert found == FRAMES
    decoder.finish()


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_noise_before_the_greeting_is_dropped_and_kept_for_reports(size: int) -> None:
    decoder = Decoder()
    text = b"SeaBIOS (version)\r\n\x1bovum\x02\n\x1b\x1bovu" + STREAM
    found = []
    for at in range(0, len(text), size):
        found += decoder.feed(text[at : at + size])
    assert found == FRAMES
    assert decoder.noise == b"SeaBIOS (version)\r\n\x1bovum\x02\n\x1b\x1bovu"


def test_without_a_greeting_nothing_is_a_frame() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x01\x03\x00out" * 3) == []
    assert not decoder.greeted
    decoder.finish()


def test_endless_noise_takes_no_endless_memory() -> None:
    decoder = Decoder()
    for _ in range(100):
        decoder.feed(b"x" * 1000)
    assert len(decoder.noise) == 4096


def test_an_unknown_frame_is_an_error() -> None:
    with pytest.raises(LinkError, match="unknown type 99"):
        Decoder().feed(GREETING + b"\x63\x00\x00")


def test_a_frame_that_is_cut_off_is_an_error() -> None:
    decoder = Decoder()
    decoder.feed(GREETING + b"\x01\x03\x00ou")
    with pytest.raises(LinkError, match="cut off"):
        decoder.finish()


def test_the_longest_frame_comes_through() -> None:
    payload = bytes(range(256)) * 255 + bytes(255)
    assert Decoder().feed(GREETING + b"\x02\xff\xff" + payload) == [
        Frame(FromGuest.STDERR, payload)
    ]


def test_status_and_credit_are_read() -> None:
    assert FRAMES[3].status() == 7
    assert FRAMES[2].credit() == (Channel.STDIN, 4096)


@pytest.mark.parametrize("payload", [b"", b"\x00\x00"])
def test_a_malformed_exit_is_an_error(payload: bytes) -> None:
    with pytest.raises(LinkError, match="EXIT"):
        Frame(FromGuest.EXIT, payload).status()


@pytest.mark.parametrize("payload", [b"", b"\x01\x00", b"\x03\x00\x10\x00\x00"])
def test_malformed_credit_is_an_error(payload: bytes) -> None:
    with pytest.raises(LinkError, match="CREDIT"):
        Frame(FromGuest.CREDIT, payload).credit()


def test_nothing_may_be_sent_without_credit() -> None:
    encoder = Encoder()
    assert encoder.credit(Channel.STDIN) == 0
    with pytest.raises(ValueError, match="credit for 0"):
        encoder.data(Channel.STDIN, b"x")


def test_credit_is_used_up_per_channel_and_added_up() -> None:
    encoder = Encoder()
    encoder.grant(Channel.STDIN, 3)
    encoder.grant(Channel.TTY, 10)
    encoder.grant(Channel.STDIN, 2)
    assert encoder.data(Channel.STDIN, b"abcd") == b"\x01\x04\x00abcd"
    assert encoder.credit(Channel.STDIN) == 1
    assert encoder.data(Channel.TTY, b"ls") == b"\x02\x02\x00ls"


def test_one_frame_carries_at_most_what_its_length_can_say() -> None:
    encoder = Encoder()
    encoder.grant(Channel.STDIN, 1_000_000)
    assert encoder.credit(Channel.STDIN) == 0xFFFF


def test_an_empty_frame_is_end_of_file_and_nothing_else() -> None:
    encoder = Encoder()
    encoder.grant(Channel.STDIN, 1)
    with pytest.raises(ValueError, match="end of file"):
        encoder.data(Channel.STDIN, b"")
    assert encoder.end_of_input() == b"\x01\x00\x00"


def test_size_and_signal_need_no_credit() -> None:
    encoder = Encoder()
    assert encoder.window_size(132, 50) == b"\x03\x04\x00\x84\x00\x32\x00"
    assert encoder.signal(15) == b"\x04\x01\x00\x0f"
