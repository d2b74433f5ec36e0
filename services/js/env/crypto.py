"""Random numbers and hashes for JavaScript: what hashlib and hmac have."""

from __future__ import annotations

import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.objects import JSObject


def _name(algorithm: str) -> str | None:
    """hashlib's name for one of OpenSSL's, None if there is none."""
    name = algorithm.lower().removeprefix("rsa-")
    name = {"sha-1": "sha1", "sha512-256": "sha512_256", "sha512-224": "sha512_224"}.get(name, name)
    name = name.replace("sha-", "sha").replace("sha3-", "sha3_")
    return name if name in hashlib.algorithms_available else None


class Digest:
    """A hash that is being computed; `length` is for those that may have any."""

    def __init__(self, state: Any, length: int = 0) -> None:
        self.state = state
        self.length = length

    def update(self, data: bytes) -> None:
        """Adds bytes."""
        self.state.update(data)

    def finish(self) -> bytes:
        """The hash."""
        if self.state.digest_size == 0:
            shake: bytes = self.state.digest(self.length or 32)
            return shake
        digest: bytes = self.state.digest()
        return digest

    def copy(self) -> Digest:
        """The same so far."""
        return Digest(self.state.copy(), self.length)


def digest(algorithm: str, data: bytes) -> bytes:
    """The hash of bytes. Raises ValueError for a name that is none."""
    return hashlib.new(algorithm, data).digest()


def pbkdf2(
    algorithm: str, password: bytes, salt: bytes, iterations: int, length: int
) -> bytes | None:
    """A key from a password (RFC 8018, 5.2), None for an unknown hash."""
    name = _name(algorithm)
    if name is None:
        return None
    return hashlib.pbkdf2_hmac(name, password, salt, iterations, length) if length else b""


def scrypt(password: bytes, salt: bytes, length: int, n: int, r: int, p: int) -> bytes:
    """A key from a password (RFC 7914)."""
    room = 128 * n * r + 128 * r * p + (1 << 20)
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=length, maxmem=room)


def below(limit: int) -> int:
    """A random number from 0 up to, but not, `limit`."""
    from secrets import randbelow

    return randbelow(limit)


def uuid() -> str:
    """A random UUID (RFC 9562, version 4)."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    from hmac import compare_digest, new

    def hash_of(algorithm: str, length: int) -> JSObject | None:
        name = _name(algorithm)
        return None if name is None else context.opaque(Digest(hashlib.new(name), length))

    def hmac_of(algorithm: str, key: bytes) -> JSObject | None:
        name = _name(algorithm)
        return None if name is None else context.opaque(Digest(new(key, digestmod=name)))

    return {
        "below": below,
        "copy": lambda state: context.opaque(state.copy()),
        "digest": digest,
        "equal": compare_digest,
        "finish": Digest.finish,
        "hash": hash_of,
        "hmac": hmac_of,
        "names": lambda: sorted(hashlib.algorithms_available),
        "pbkdf2": pbkdf2,
        "random": os.urandom,
        "scrypt": scrypt,
        "update": Digest.update,
        "uuid": uuid,
    }
