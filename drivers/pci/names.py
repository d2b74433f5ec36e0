"""Names of what PCI functions are: classes in full, vendors and devices that machines here have.

Classes are of the PCI Code and ID Assignment Specification 1.11, section 1; vendors and devices of
their makers' documents and of QEMU's docs/specs/pci-ids.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.pci.function import PciFunction

CLASSES = {
    0x00: "unclassified", 0x01: "mass storage", 0x02: "network", 0x03: "display",
    0x04: "multimedia", 0x05: "memory", 0x06: "bridge", 0x07: "communication",
    0x08: "system peripheral", 0x09: "input", 0x0A: "docking station", 0x0B: "processor",
    0x0C: "serial bus", 0x0D: "wireless", 0x0E: "intelligent I/O", 0x0F: "satellite",
    0x10: "encryption", 0x11: "signal processing", 0x12: "accelerator", 0x13: "instrumentation",
    0x40: "coprocessor", 0xFF: "unassigned class",
}  # fmt: skip
"""By base class."""

SUBCLASSES = {
    0x0000: "legacy device", 0x0001: "legacy VGA", 0x0005: "image coprocessor",
    0x0100: "SCSI controller", 0x0101: "IDE controller", 0x0102: "floppy controller",
    0x0103: "IPI controller", 0x0104: "RAID controller", 0x0105: "ATA controller",
    0x0106: "SATA controller", 0x0107: "SAS controller", 0x0108: "NVM controller",
    0x0109: "UFS controller", 0x0180: "storage controller",
    0x0200: "Ethernet controller", 0x0201: "token ring controller", 0x0202: "FDDI controller",
    0x0203: "ATM controller", 0x0204: "ISDN controller", 0x0205: "WorldFip controller",
    0x0206: "PICMG controller", 0x0207: "InfiniBand controller", 0x0208: "fabric controller",
    0x0280: "network controller",
    0x0300: "VGA controller", 0x0301: "XGA controller", 0x0302: "3D controller",
    0x0380: "display controller",
    0x0400: "video device", 0x0401: "audio device", 0x0402: "telephony device",
    0x0403: "HD audio device", 0x0480: "multimedia device",
    0x0500: "RAM", 0x0501: "flash memory", 0x0502: "CXL memory", 0x0580: "memory controller",
    0x0600: "host bridge", 0x0601: "ISA bridge", 0x0602: "EISA bridge", 0x0603: "MCA bridge",
    0x0604: "PCI bridge", 0x0605: "PCMCIA bridge", 0x0606: "NuBus bridge",
    0x0607: "CardBus bridge", 0x0608: "RACEway bridge", 0x0609: "semi-transparent PCI bridge",
    0x060A: "InfiniBand host bridge", 0x060B: "advanced switching bridge", 0x0680: "bridge",
    0x0700: "serial controller", 0x0701: "parallel controller", 0x0702: "multiport serial",
    0x0703: "modem", 0x0704: "GPIB controller", 0x0705: "smart card controller",
    0x0780: "communication controller",
    0x0800: "interrupt controller", 0x0801: "DMA controller", 0x0802: "timer",
    0x0803: "real-time clock", 0x0804: "hot-plug controller", 0x0805: "SD host controller",
    0x0806: "IOMMU", 0x0807: "root complex event collector", 0x0880: "system peripheral",
    0x0900: "keyboard controller", 0x0901: "digitizer", 0x0902: "mouse controller",
    0x0903: "scanner controller", 0x0904: "game port", 0x0980: "input controller",
    0x0A00: "docking station", 0x0A80: "docking station",
    0x0B00: "386", 0x0B01: "486", 0x0B02: "Pentium", 0x0B10: "Alpha", 0x0B20: "PowerPC",
    0x0B30: "MIPS", 0x0B40: "coprocessor", 0x0B80: "processor",
    0x0C00: "FireWire controller", 0x0C01: "ACCESS bus", 0x0C02: "SSA", 0x0C03: "USB controller",
    0x0C04: "Fibre Channel", 0x0C05: "SMBus", 0x0C06: "InfiniBand", 0x0C07: "IPMI",
    0x0C08: "SERCOS", 0x0C09: "CAN bus", 0x0C0A: "I3C controller", 0x0C80: "serial bus controller",
    0x0D00: "iRDA controller", 0x0D01: "infrared controller", 0x0D10: "RF controller",
    0x0D11: "Bluetooth", 0x0D12: "broadband", 0x0D20: "802.11a controller",
    0x0D21: "802.11b controller", 0x0D40: "cellular modem", 0x0D80: "wireless controller",
    0x0E00: "I2O controller",
    0x0F01: "satellite TV", 0x0F02: "satellite audio", 0x0F03: "satellite voice",
    0x0F04: "satellite data",
    0x1000: "network encryption", 0x1010: "entertainment encryption", 0x1080: "encryption",
    0x1100: "DPIO module", 0x1101: "performance counters", 0x1110: "communication synchronizer",
    0x1120: "signal processing management", 0x1180: "signal processing controller",
    0x1200: "processing accelerator", 0x1300: "non-essential instrumentation",
}  # fmt: skip
"""By base class and subclass."""

INTERFACES = {
    0x010180: "bus master", 0x010601: "AHCI", 0x010602: "serial storage bus", 0x010802: "NVMe",
    0x060401: "subtractive", 0x070002: "16550", 0x0C0300: "UHCI", 0x0C0310: "OHCI",
    0x0C0320: "EHCI", 0x0C0330: "xHCI", 0x0C0340: "USB4", 0x0C03FE: "USB device",
    0x080020: "I/O APIC", 0x080501: "with DMA",
}  # fmt: skip
"""By the whole class code, where the programming interface matters."""

VENDORS = {
    0x1000: "Broadcom / LSI", 0x1002: "AMD", 0x100B: "National Semiconductor", 0x1013: "Cirrus",
    0x1022: "AMD", 0x102B: "Matrox", 0x1033: "NEC", 0x104C: "Texas Instruments",
    0x106B: "Apple", 0x1077: "QLogic", 0x10DE: "NVIDIA", 0x10EC: "Realtek", 0x1106: "VIA",
    0x111D: "IDT", 0x1179: "Toshiba", 0x11AB: "Marvell", 0x1234: "QEMU", 0x1274: "Ensoniq",
    0x1344: "Micron", 0x1414: "Microsoft", 0x144D: "Samsung", 0x14E4: "Broadcom",
    0x15AD: "VMware", 0x15B3: "Mellanox", 0x15B7: "SanDisk", 0x168C: "Qualcomm Atheros",
    0x1912: "Renesas", 0x1969: "Qualcomm Atheros", 0x197B: "JMicron", 0x1987: "Phison",
    0x19A2: "Emulex", 0x1A03: "ASPEED", 0x1AE0: "Google", 0x1AF4: "Red Hat (virtio)",
    0x1B21: "ASMedia", 0x1B36: "Red Hat (QEMU)", 0x1B4B: "Marvell", 0x1C5C: "SK hynix",
    0x1D0F: "Amazon", 0x108E: "Oracle", 0x1E0F: "KIOXIA", 0x2646: "Kingston", 0x5853: "XenSource",
    0x8086: "Intel", 0x80EE: "InnoTek (VirtualBox)",
}  # fmt: skip

DEVICES = {
    (0x1013, 0x00B8): "Cirrus GD5446 display",
    (0x1022, 0x2000): "PCnet Ethernet",
    (0x10EC, 0x8029): "RTL8029 Ethernet", (0x10EC, 0x8139): "RTL8139 Ethernet",
    (0x10EC, 0x8168): "RTL8111/8168 Ethernet",
    (0x1234, 0x1111): "standard VGA", (0x1234, 0x11E8): "edu",
    (0x15AD, 0x0405): "SVGA II display", (0x15AD, 0x07B0): "VMXNET3 Ethernet",
    (0x15AD, 0x07C0): "PVSCSI",
    (0x1AE0, 0x0042): "gVNIC Ethernet",
    (0x1AF4, 0x1000): "virtio network (transitional)",
    (0x1AF4, 0x1001): "virtio block (transitional)",
    (0x1AF4, 0x1002): "virtio balloon (transitional)",
    (0x1AF4, 0x1003): "virtio console (transitional)",
    (0x1AF4, 0x1004): "virtio SCSI (transitional)",
    (0x1AF4, 0x1005): "virtio entropy (transitional)",
    (0x1AF4, 0x1009): "virtio 9P (transitional)",
    (0x1AF4, 0x1041): "virtio network", (0x1AF4, 0x1042): "virtio block",
    (0x1AF4, 0x1043): "virtio console", (0x1AF4, 0x1044): "virtio entropy",
    (0x1AF4, 0x1045): "virtio balloon", (0x1AF4, 0x1048): "virtio SCSI",
    (0x1AF4, 0x1049): "virtio 9P", (0x1AF4, 0x1050): "virtio GPU",
    (0x1AF4, 0x1052): "virtio input", (0x1AF4, 0x1053): "virtio socket",
    (0x1AF4, 0x1054): "virtio crypto", (0x1AF4, 0x1058): "virtio memory",
    (0x1AF4, 0x1059): "virtio sound", (0x1AF4, 0x105A): "virtio file system",
    (0x1AF4, 0x105B): "virtio persistent memory", (0x1AF4, 0x1110): "shared memory (ivshmem)",
    (0x1B36, 0x0001): "PCI bridge", (0x1B36, 0x0002): "16550 serial port",
    (0x1B36, 0x0003): "16550 serial ports (2)", (0x1B36, 0x0004): "16550 serial ports (4)",
    (0x1B36, 0x0005): "PCI test device", (0x1B36, 0x0006): "Rocker switch",
    (0x1B36, 0x0007): "SD host controller", (0x1B36, 0x0008): "PCI Express host bridge",
    (0x1B36, 0x0009): "PCI expander bridge", (0x1B36, 0x000B): "PCI Express expander bridge",
    (0x1B36, 0x000C): "PCI Express root port", (0x1B36, 0x000D): "xHCI USB controller",
    (0x1B36, 0x000E): "PCI Express to PCI bridge", (0x1B36, 0x0010): "NVMe controller",
    (0x1B36, 0x0011): "PVPanic", (0x1B36, 0x0013): "UFS controller",
    (0x1B36, 0x0100): "QXL display",
    (0x1D0F, 0x8061): "NVMe EBS controller", (0x1D0F, 0xEC20): "ENA Ethernet",
    (0x8086, 0x100E): "82540EM Ethernet (e1000)", (0x8086, 0x100F): "82545EM Ethernet",
    (0x8086, 0x1209): "82551IT Ethernet", (0x8086, 0x1229): "82557 Ethernet",
    (0x8086, 0x10C9): "82576 Ethernet (igb)", (0x8086, 0x10D3): "82574L Ethernet (e1000e)",
    (0x8086, 0x10FB): "82599 Ethernet (ixgbe)", (0x8086, 0x1237): "440FX host bridge",
    (0x8086, 0x1533): "I210 Ethernet", (0x8086, 0x2415): "82801AA AC'97 audio",
    (0x8086, 0x244E): "82801 PCI bridge", (0x8086, 0x2668): "ICH6 HD audio",
    (0x8086, 0x2918): "ICH9 ISA bridge", (0x8086, 0x2922): "ICH9 SATA (AHCI)",
    (0x8086, 0x2930): "ICH9 SMBus",
    (0x8086, 0x2934): "ICH9 UHCI 1", (0x8086, 0x2935): "ICH9 UHCI 2",
    (0x8086, 0x2936): "ICH9 UHCI 3", (0x8086, 0x293A): "ICH9 EHCI 1",
    (0x8086, 0x293E): "ICH9 HD audio", (0x8086, 0x29C0): "Q35 host bridge",
    (0x8086, 0x3420): "PCI Express root port", (0x8086, 0x7000): "PIIX3 ISA bridge",
    (0x8086, 0x7010): "PIIX3 IDE", (0x8086, 0x7020): "PIIX3 UHCI",
    (0x8086, 0x7110): "PIIX4 ISA bridge", (0x8086, 0x7111): "PIIX4 IDE",
    (0x8086, 0x7112): "PIIX4 UHCI", (0x8086, 0x7113): "PIIX4 power management",
    (0x8086, 0x7190): "440BX host bridge", (0x8086, 0x1528): "X540 Ethernet",
    (0x80EE, 0xBEEF): "VirtualBox display", (0x80EE, 0xCAFE): "VirtualBox guest service",
}  # fmt: skip


def class_name(code: int) -> str:
    """A class code of 24 bits in words."""
    base = CLASSES.get(code >> 16, f"class {code >> 16:#04x}")
    name = SUBCLASSES.get(code >> 8, f"{base}, subclass {code >> 8 & 0xFF:#04x}")
    interface = INTERFACES.get(code)
    return f"{name} ({interface})" if interface else name


def vendor_name(vendor: int) -> str:
    """A vendor's name; its number if that is not known here."""
    return VENDORS.get(vendor, f"vendor {vendor:04x}")


def device_name(function: PciFunction) -> str:
    """Vendor and device in words."""
    name = DEVICES.get((function.vendor_id, function.device_id), f"device {function.device_id:04x}")
    return f"{vendor_name(function.vendor_id)} {name}"
