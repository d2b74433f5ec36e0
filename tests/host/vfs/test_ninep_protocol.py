"""The messages of 9P2000.L: packed and unpacked, bytes as they were recorded, lengths checked."""

import errno

import pytest

from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.ninep.protocol import Form, ProtocolError

_EXAMPLES = {"1": 7, "2": 500, "4": 70_000, "8": 1 << 40, "s": b"a name", "s*": [b"a", b"", b"bc"]}


def _values(form: Form) -> tuple[object, ...]:
    values: list[object] = []
    for field in form.fields.split():
        kind = field.partition("[")[2].rstrip("]")
        if kind == "q":
            values += (0x80, 5, 1 << 50)
        elif kind == "q*":
            values.append([(0, 1, 2), (2, 3, 4)])
        else:
            values.append(_EXAMPLES[kind])
    return tuple(values)


FORMS = [
    pytest.param(form, id=f"{letter}{operation.name}")
    for operation in p.OPERATIONS.values()
    for letter, form in (("T", operation.request), ("R", operation.answer))
]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_packed_is_unpacked(form: Form) -> None:
    values = _values(form)
    assert form.unpack(bytes(7) + form.pack(values)) == values


@pytest.mark.parametrize("form", FORMS)
def test_every_length_is_checked(form: Form) -> None:
    message = bytes(7) + form.pack(_values(form))
    for size in range(7, len(message)):
        with pytest.raises(ProtocolError):
            form.unpack(message[:size])
    with pytest.raises(ProtocolError):
        form.unpack(message + b"\0")


def test_messages_are_what_others_send() -> None:
    version = p.pack(100, p.NO_TAG, p.TVERSION.request.pack((8192, p.VERSION)))
    assert version.hex() == "1500000064ffff002000000800" + b"9P2000.L".hex()
    walk = p.pack(110, 1, p.TWALK.request.pack((1, 2, [b"etc", b"x"])))
    assert walk.hex() == "190000006e0100010000000200000002000300657463010078"
    write = p.pack(118, 2, p.TWRITE.request.pack((3, 1 << 32, 5)), 5)
    assert write.hex() == "1c00000076020003000000000000000100000005000000"


def test_numbers_of_requests_are_even_and_their_answers_follow() -> None:
    assert all(number % 2 == 0 for number in p.OPERATIONS)
    assert p.TGETATTR.number == 24
    assert p.TRENAMEAT.number == 74


def test_errors_are_those_of_linux() -> None:
    answer = p.pack(7, 3, errno.ENOSPC.to_bytes(4, "little"))
    with pytest.raises(OSError, match="No space left"):
        p.unpack_answer(p.TWRITE, 3, answer, len(answer))
    assert isinstance(p.error_of(errno.ENOENT, p.TWALK), FileNotFoundError)
    assert isinstance(p.error_of(12345, p.TWALK), ProtocolError)


def test_texts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ProtocolError, match="65536 bytes"):
        p.TSYMLINK.request.pack((1, b"x", b"y" * 65536, 0))


def test_a_listing_is_read_entry_by_entry() -> None:
    data = p.pack_entry((0x80, 1, 99), 1, 4, b"folder") + p.pack_entry((0, 0, 5), 2, 8, b"f\xff")
    assert p.unpack_entries(data) == [(99, 1, 4, b"folder"), (5, 2, 8, b"f\xff")]
