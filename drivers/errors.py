"""What goes wrong with devices."""

from __future__ import annotations


class DeviceError(Exception):
    """A device, or a firmware table, that does not do what its specification says.

    It fails alone: whoever uses the device gets an error, the machine goes on.
    """


class DeviceTimeout(DeviceError):
    """A device has not done something in time.

    `device`: its name. `what`: the register, queue or step waited for. `value`: what it read last.
    """

    def __init__(self, device: str, what: str, value: object = None) -> None:
        self.device = device
        self.what = what
        self.value = value
        last = "" if value is None else f", which was {value!r} last"
        super().__init__(f"{device}: no answer in time: {what}{last}")


class DeviceGone(DeviceError):
    """The device has been taken out, or has failed for good: nothing more can be asked of it."""
