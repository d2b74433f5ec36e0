"""fw_cfg against a model of QEMU's: by port and by DMA, and one that lies."""

import pytest

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.fw_cfg import CHUNK, FwCfg, open_fw_cfg

from .machine import Machine


class Model:
    """The device: items by key, an offset into the selected one, and DMA."""

    size = 12

    def __init__(self, machine: Machine, files: dict[str, bytes], *, dma: bool) -> None:
        self.machine = machine
        self.items = {0: b"QEMU", 1: bytes([3 if dma else 1, 0, 0, 0])}
        directory = len(files).to_bytes(4, "big")
        for key, (name, data) in enumerate(files.items(), 0x20):
            self.items[key] = data
            entry = len(data).to_bytes(4, "big") + key.to_bytes(2, "big") + bytes(2)
            directory += entry + name.encode().ljust(56, b"\0")
        self.items[0x19] = directory
        self.selected = b""
        self.offset = 0
        self.high = 0
        self.transfers: list[int] = []
        self.by_port = 0
        self.fails = False
        self.stalls = False

    def select(self, key: int) -> None:
        self.selected = self.items.get(key, b"")
        self.offset = 0

    def take(self, count: int) -> bytes:
        data = self.selected[self.offset : self.offset + count].ljust(count, b"\0")
        self.offset += count
        return data

    def read(self, offset: int, width: int) -> int:
        assert (offset, width) == (1, 1)
        self.by_port += 1
        return self.take(1)[0]

    def write(self, offset: int, width: int, value: int) -> None:
        if offset == 0:
            assert width == 2
            self.select(value)
            return
        assert width == 4
        number = int.from_bytes(value.to_bytes(4, "little"), "big")
        if offset == 4:
            self.high = number
        else:
            assert offset == 8
            self.transfer(self.high << 32 | number)

    def transfer(self, address: int) -> None:
        access = self.machine.view(address, 16)
        control, length = (int.from_bytes(access[at : at + 4], "big") for at in (0, 4))
        if self.stalls:
            return
        if control & 8:
            self.select(control >> 16)
        assert control & 2
        target = int.from_bytes(access[8:16], "big")
        self.machine.view(target, length)[:] = self.take(length)
        self.transfers.append(length)
        access[:4] = (1 if self.fails else 0).to_bytes(4, "big")


FILES = {"opt/org.ovum/greeting": b"hello", "etc/empty": b"", "etc/large": bytes(range(256)) * 600}


def machine(*, dma: bool) -> tuple[Machine, Model]:
    made = Machine()
    model = Model(made, FILES, dma=dma)
    made.add_ports(0x510, model)
    return made, model


@pytest.mark.parametrize("dma", [False, True])
def test_files_and_what_is_in_them(dma: bool) -> None:
    made, model = machine(dma=dma)
    fw_cfg = FwCfg(made)
    assert list(fw_cfg.files) == list(FILES)
    for name, data in FILES.items():
        assert fw_cfg.files[name].size == len(data)
        assert fw_cfg.read(name) == data
        assert fw_cfg.read(name) == data, "again"
    assert bool(model.transfers) == dma
    assert max(model.transfers, default=CHUNK) == CHUNK
    assert (model.by_port < 16) == dma
    assert not made.leaks()
    assert ("DMA" in repr(fw_cfg)) == dma


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match="no file 'etc/other'"):
        FwCfg(machine(dma=True)[0]).read("etc/other")


def test_a_machine_without_it() -> None:
    assert open_fw_cfg(Machine()) is None
    with pytest.raises(DeviceError, match="0x510"):
        FwCfg(Machine())


def test_a_directory_that_is_too_large_to_be_true() -> None:
    made, model = machine(dma=True)
    model.items[0x19] = b"\xff\xff\xff\xff"
    with pytest.raises(DeviceError, match="a directory of 4294967295 files"):
        FwCfg(made)


def test_an_error_of_the_device_gives_the_memory_back() -> None:
    made, model = machine(dma=True)
    fw_cfg = FwCfg(made)
    model.fails = True
    with pytest.raises(DeviceError, match="reports an error"):
        fw_cfg.read("etc/large")
    assert not made.leaks()


def test_a_transfer_that_does_not_end_keeps_its_memory() -> None:
    made, model = machine(dma=True)
    ticks = iter(range(0, 10**12, 10**8))
    fw_cfg = FwCfg(made, now=lambda: next(ticks))
    model.stalls = True
    with pytest.raises(DeviceTimeout, match="the end of a transfer"):
        fw_cfg.read("etc/large")
    # The device may still write there.
    assert len(made.leaks()) == 1
