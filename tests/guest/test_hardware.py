"""The platform's drivers on QEMU's machines, against what QEMU was told and what it says itself."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from . import machine
from .qmp import controlled

INVENTORY = """\
import json
from datetime import datetime, UTC
from ovum.drivers.prompt import *
from ovum.drivers import smbios as s
from ovum.drivers.acpi.root import find_tables
from ovum.drivers.rtc import Rtc
import _kernel

def text(item, *names):
    return [getattr(item, name) for name in names]

found = {"acpi": [row[0] for row in acpi().rows], "notes": acpi().notes}
found["smbios"] = [type(item).NAME for item in smbios()]
if found["smbios"]:
    found["system"] = text(smbios("system"), "manufacturer", "product", "serial", "uuid")
tables = find_tables(hardware, _kernel.boot_info())
found["rtc"] = Rtc(hardware, int(tables.fadt().century)).read().isoformat()
found["time"] = datetime.now(UTC).isoformat()
found["fw_cfg"] = fw_cfg("opt/org.ovum/greeting").decode()
found["clocks"] = [list(row) for row in clocks(0.2).rows]
found["cpu"] = cpuid().vendor
print(json.dumps(found))
"""

OPTIONS = (
    "-rtc base=2031-02-03T04:05:06 -fw_cfg name=opt/org.ovum/greeting,string=hello "
    "-smbios type=1,manufacturer=Nest,product=Egg,serial=42,"
    "uuid=00112233-4455-6677-8899-aabbccddeeff"
)


def inventory(name: str, options: str) -> dict[str, Any]:
    result = machine.code(INVENTORY, "--machine", name, "--qemu", options).expect()
    found: dict[str, Any] = json.loads(result.out.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("pc", ["FACP", "APIC", "HPET", "WAET", "DSDT", "FACS"]),
        ("q35", ["FACP", "APIC", "HPET", "MCFG", "WAET", "DSDT", "FACS"]),
    ],
)
def test_the_platform_of_a_pc(name: str, tables: list[str]) -> None:
    found = inventory(name, OPTIONS)
    assert found["acpi"] == tables
    assert found["notes"] == ["power off: sleep types 0 and 0"]
    assert found["system"] == ["Nest", "Egg", "42", "00112233-4455-6677-8899-aabbccddeeff"]
    assert found["rtc"].startswith("2031-02-03T04:05:")
    # The kernel has its time from there, too.
    assert found["time"].startswith("2031-02-03T04:05:")
    assert found["fw_cfg"] == "hello"
    rows = {row[0]: row for row in found["clocks"]}
    assert set(rows) == {"TSC", "HPET", "ACPI timer", "PIT", "RTC"}
    for counter in ("HPET", "ACPI timer", "PIT"):
        # The rate that `ovum run` tells the kernel is rounded, and the host is busy.
        assert abs(float(rows[counter][4])) < 5000 + float(rows[counter][5]), rows[counter]


def test_the_platform_of_microvm() -> None:
    options = OPTIONS.split(" -smbios", maxsplit=1)[0]
    found = inventory("microvm,acpi=on,rtc=on,pit=on", options)
    assert found["acpi"] == ["FACP", "APIC", "DSDT"]
    assert found["notes"] == ["power off: sleep types 5 and 0"]
    assert found["smbios"] == []
    assert found["rtc"].startswith("2031-02-03T04:05:")
    assert found["fw_cfg"] == "hello"
    assert [row[0] for row in found["clocks"]] == ["TSC", "PIT", "RTC"]


SETTING = """\
from datetime import datetime, UTC
from ovum.drivers.prompt import hardware
from ovum.drivers.rtc import Rtc
rtc = Rtc(hardware, 0x32)
rtc.set(datetime(2099, 12, 31, 23, 59, 58, tzinfo=UTC))
print(rtc.read().isoformat())
before = rtc.next_second()
rtc.next_second()
print(rtc.read().year, rtc.battery_good)
"""


def test_the_real_time_clock_is_set_and_goes_on_into_the_next_century() -> None:
    lines = machine.code(SETTING).expect().out.split()
    assert lines == ["2099-12-31T23:59:58+00:00", "2100", "True"]


SERIAL = """\
from ovum.drivers.prompt import hardware, interrupts, serial_ports
from ovum.drivers.uart import start_ports
from ovum.services.main import here_or_call

def start(machine):
    return start_ports(hardware, lambda name, line: machine.services.start(name, line.listen))

ports = here_or_call(start)
print([port.name for port in ports])
with open("/dev/ttyS1", "r+b", buffering=0) as port:
    port.write(b"ready\\n")
    received = b""
    while not received.endswith(b"end\\n"):
        received += port.read(4096)
    port.write(received.upper())
    import os
    os.fsync(port.fileno())
print(len(received), ports[0].errors)
print([row[3] for row in interrupts().rows if row[0] == "3"])
"""


def test_the_second_serial_port_is_a_file(tmp_path: Path) -> None:
    async def main() -> None:
        answers: list[bytes] = []
        sent = b"".join(b"line %d of many\n" % k for k in range(300)) + b"end\n"

        async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # What comes before the port is brought up is lost, as on a real one.
            assert await reader.readline() == b"ready\n"
            writer.write(sent)
            await writer.drain()
            answers.append(await reader.readexactly(len(sent)))
            writer.close()

        path = str(tmp_path / "serial")
        server = await asyncio.start_unix_server(host, path)
        async with server:
            result = await asyncio.to_thread(
                machine.code, SERIAL, "--machine", "pc", "--qemu", f"-serial unix:{path}"
            )
        lines = result.expect().out.splitlines()
        assert lines[0] == "['ttyS1']"
        assert lines[1] == f"{len(sent)} 0"
        assert lines[2] == "['interrupt 3']"
        assert answers == [sent.upper()]

    asyncio.run(main())


@pytest.mark.parametrize(("memory", "above_mib"), [("3G", 0), ("6G", 3072)])
def test_memory_above_the_hole(memory: str, above_mib: int) -> None:
    program = "from ovum.drivers.prompt import *; print([list(one) for one in memory_map()])"
    found = machine.code(program, "--machine", "q35", "--memory", memory).expect()
    regions = json.loads(found.out.replace("'", '"'))
    usable = [(start, end) for start, end, kind in regions if kind == "ram"]
    whole = int(memory[0]) << 30
    assert whole - (1 << 20) < sum(end - start for start, end in usable) <= whole
    above = sum(end - start for start, end in usable if start >= 1 << 32)
    # q35 puts what is above 2 GiB there (QEMU, hw/i386/pc_q35.c).
    assert above == (whole - (2 << 30) if memory == "6G" else 1 << 30), regions
    assert above >= above_mib << 20


TREE = """\
import json, sys
from ovum.drivers.prompt import *
found = []
for f in pci():
    bars = {k: [bar.address, bar.size, bar.io] for k, bar in f.bars.items()}
    found.append([f.bus, f.device, f.function, f.vendor_id, f.device_id, f.class_code >> 8, bars])
print("tree " + json.dumps(found), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def tree_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    (folder / "tree.py").write_text(TREE)
    machine.command("build", folder / "tree.py", "-o", folder / "tree.elf").expect()
    return folder / "tree.elf"


def _buses(answer: object) -> list[dict[str, Any]]:
    assert isinstance(answer, list)
    return answer


def _by_qemu(buses: list[dict[str, Any]]) -> dict[tuple[int, int, int], Any]:
    found = {}
    for bus in buses:
        for device in bus["devices"]:
            place = device["bus"], device["slot"], device["function"]
            bars = {
                str(region["bar"]): [region["address"], region["size"], region["type"] == "io"]
                for region in device["regions"]
                # An expansion ROM has its own register.
                if region["bar"] < 6 and region["address"] >= 0
            }
            identity = device["id"]
            found[place] = [
                identity["vendor"], identity["device"], device["class_info"]["class"], bars,
            ]  # fmt: skip
            found |= _by_qemu(
                [device["pci_bridge"]] if "devices" in device.get("pci_bridge", {}) else []
            )
    return found


@pytest.mark.parametrize(
    ("name", "devices"),
    [
        ("pc", ("-device", "pci-bridge,id=b,chassis_nr=1", "-device", "e1000,bus=b,addr=3")),
        ("q35", ("-device", "pcie-root-port,id=r", "-device", "virtio-net-pci,bus=r")),
    ],
)
def test_the_pci_tree_is_qemus(name: str, devices: tuple[str, ...], tree_image: Path) -> None:
    async def main() -> None:
        async with controlled(tree_image, "-M", name, "-device", "edu", *devices) as guest:
            await guest.read_until("tree ")
            ours = {
                (bus, device, function): rest
                for bus, device, function, *rest in json.loads(await guest.read_until("\n"))
            }
            theirs = _by_qemu(_buses(await guest.control.execute("query-pci")))
            assert max(bus for bus, _, _ in ours) == 1, "something is behind a bridge"
            assert set(ours) == set(theirs)
            for place, (vendor, device, code, bars) in theirs.items():
                assert ours[place][:3] == [vendor, device, code], place
                shown = {k: bar for k, bar in ours[place][3].items() if bar[0]}
                assert shown == bars, place

    asyncio.run(main())
