"""The platform's drivers on QEMU's machines, against what QEMU was told and what it says itself."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from . import machine
from .prompt import prompt
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


RAW = """\
import pydoc
from ovum.drivers import prompt
from ovum.drivers.prompt import *

def refused(error, function, *words):
    try:
        function(*words)
    except error as raised:
        return getattr(raised, "errno", None) or type(raised).__name__

# The timer's capabilities: vendor 8086, and its period of 10 ns.
window = mmio(0xFED00000, 1024)
print(hex(window.read32(0) >> 16), window.read32(4), window)
dump(window, 8)
dump(b"any bytes")
# A register of the processor that is the program's to use: IA32_TSC_AUX.
before = msr(0xC0000103)
set_msr(0xC0000103, 7)
print(msr(0xC0000103))
set_msr(0xC0000103, before)
# The kernel's memory can be looked at, and is no device.
buffer = dma(4096)
buffer.view[:4] = b"here"
print(bytes(memory(buffer.address, 4)), memory(buffer.address, 4).readonly)
print(refused(OSError, mmio, buffer.address, 4096), refused(ValueError, in8, 0x10000))
out8(0x80, 1)
out8(0x70, 0x0D)
print(in8(0x71) & 0x80)
print(refused(LookupError, pci, "dead:beef"), refused(LookupError, acpi, "NONE"))
line = interrupt(5)
print(line, refused(OSError, interrupt, 5))
print(refused(TimeoutError, wait_interrupt, line, 0.01))
release(line)
release(interrupt(5))

async def add(a, b):
    return a + b

print(run(add, 2, 3))
things = {name: getattr(prompt, name) for name in prompt.__all__}
print([name for name, thing in things.items() if not thing.__doc__])
# The overview has all of them; of the ports it names the first and the last.
print([name for name in things if name not in prompt.__doc__])
print(pydoc.plain(pydoc.render_doc(pci)).splitlines()[2])
"""


def test_raw_access() -> None:
    lines = machine.code(RAW, "--machine", "q35").expect().out.splitlines()
    assert lines == [
        "0x8086 10000000 <0x400 bytes of a device at 0xfed00000>",
        "fed00000  01 a2 86 80 80 96 98 00                           ........",
        "0000  61 6e 79 20 62 79 74 65  73                       any bytes",
        "0x7",
        "b'here' True",
        "1 ValueError",
        "128",
        "LookupError LookupError",
        "interrupt 5 16",
        "TimeoutError",
        "5",
        "[]",
        "['in16', 'in32', 'out8', 'out16']",
        "pci(which: 'str | None' = None) -> 'Any'",
    ]


def test_tables_at_the_prompt() -> None:
    with prompt("--machine", "pc") as conversation:
        assert conversation.enter("from ovum.drivers.prompt import *").strip() == ""
        shown = conversation.enter("pci()")
        assert "0000:00:00.0   8086:1237  host bridge" in shown
        assert "LookupError: there is no PCI function 1:2" in conversation.enter("pci('1:2')")


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
from ovum.drivers import manager
from ovum.drivers.prompt import interrupts
manager.start()
ports = manager.find("serial")
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
