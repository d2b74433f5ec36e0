"""A domain for libvirt that starts the image as its kernel, without firmware's and a boot loader's
time; https://libvirt.org/formatdomain.html."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ovum.atomic import replaced
from ovum.pack.payload import Payload, image_beside


def write_libvirt(payload: Payload, out: Path) -> None:
    """Writes the domain's XML, and beside it the image, `.elf`. Raises PackError, OSError."""
    image = image_beside(payload, out)
    with replaced(out) as file:
        # libvirt's daemon has another working folder.
        file.write(domain(payload, out.stem, image.resolve()))


def domain(payload: Payload, name: str, image: Path) -> bytes:
    """The XML of a domain of this name."""
    root = Element("domain", type="kvm")
    _text(root, "name", name)
    _text(root, "uuid", str(payload.guid(f"domain {name}")))
    _text(root, "memory", str(payload.memory_mib), unit="MiB")
    _text(root, "vcpu", "1")
    start = SubElement(root, "os")
    _text(start, "type", "hvm", arch="x86_64", machine="q35")
    _text(start, "kernel", str(image))
    if payload.words:
        _text(start, "cmdline", payload.words)
    SubElement(SubElement(root, "features"), "acpi")
    SubElement(root, "cpu", mode="host-passthrough")
    SubElement(root, "clock", offset="utc")
    _text(root, "on_poweroff", "destroy")
    _text(root, "on_reboot", "restart")
    _text(root, "on_crash", "destroy")
    _devices(SubElement(root, "devices"), payload)
    indent(root)
    return tostring(root) + b"\n"


def _devices(devices: Element, payload: Payload) -> None:
    SubElement(devices, "controller", type="usb", model="none")
    network = payload.network
    if network.kind != "none":
        tap = network.kind == "tap"
        card = SubElement(devices, "interface", type="ethernet" if tap else "network")
        if tap:
            SubElement(card, "mac", address=network.mac)
            SubElement(card, "target", dev=network.tap, managed="no")
        else:
            SubElement(card, "source", network="default")
        SubElement(card, "model", type="virtio")
    serial = SubElement(devices, "serial", type="pty")
    SubElement(serial, "target", type="isa-serial", port="0")
    console = SubElement(devices, "console", type="pty")
    SubElement(console, "target", type="serial", port="0")
    SubElement(devices, "memballoon", model="none")
    entropy = SubElement(devices, "rng", model="virtio")
    _text(entropy, "backend", "/dev/urandom", model="random")


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = text
