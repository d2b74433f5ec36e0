"""The fixed description of power management, and what firmware and system share (5.2.9, 5.2.10)."""

from __future__ import annotations

from ovum.drivers.acpi.table import Place, Table
from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Structure, Text

PROFILES = {
    0: "unspecified", 1: "desktop", 2: "mobile", 3: "workstation", 4: "enterprise server",
    5: "small office server", 6: "appliance", 7: "performance server", 8: "tablet",
}  # fmt: skip


class Fadt(Table):
    """Where power management's registers are (5.2.9, table 5.9).

    The fields whose names begin with `x_` are of ACPI 2.0 and later, and win over the older ones
    where they are not 0.
    """

    SIZE = 276
    LEAST = 116

    firmware_control = Register(36, 32)
    dsdt = Register(40, 32)
    profile = Register(45, 8)
    sci_interrupt = Register(46, 16)
    smi_command = Register(48, 32)
    acpi_enable = Register(52, 8)
    acpi_disable = Register(53, 8)
    s4bios_request = Register(54, 8)
    processor_state_control = Register(55, 8)
    pm1a_event = Register(56, 32)
    pm1b_event = Register(60, 32)
    pm1a_control = Register(64, 32)
    pm1b_control = Register(68, 32)
    pm2_control = Register(72, 32)
    pm_timer = Register(76, 32)
    gpe0 = Register(80, 32)
    gpe1 = Register(84, 32)
    pm1_event_length = Register(88, 8)
    pm1_control_length = Register(89, 8)
    pm2_control_length = Register(90, 8)
    pm_timer_length = Register(91, 8)
    gpe0_length = Register(92, 8)
    gpe1_length = Register(93, 8)
    gpe1_base = Register(94, 8)
    c_state_control = Register(95, 8)
    c2_latency = Register(96, 16)
    c3_latency = Register(98, 16)
    flush_size = Register(100, 16)
    flush_stride = Register(102, 16)
    duty_offset = Register(104, 8)
    duty_width = Register(105, 8)
    day_alarm = Register(106, 8)
    month_alarm = Register(107, 8)
    century = Register(108, 8)
    """The index of the century in the real-time clock's memory; 0: it keeps none."""
    boot_architecture = Register(
        109, 16, "5.2.9.3", legacy_devices=0, keyboard_8042=1, no_vga=2, no_msi=3, no_aspm=4,
        no_cmos_clock=5,
    )  # fmt: skip
    flags = Register(
        112, 32, "5.2.9, table 5.10", wbinvd=0, wbinvd_flush=1, c1=2, c2_multiprocessor=3,
        power_button_is_device=4, sleep_button_is_device=5, no_fixed_rtc_wake=6, rtc_wakes_s4=7,
        pm_timer_32=8, dock=9, reset_register=10, sealed_case=11, headless=12, sleep_by_cpu=13,
        pcie_wake=14, platform_clock=15, s4_rtc_status=16, remote_power_on=17,
        apic_cluster=18, apic_physical=19, hardware_reduced=20, low_power_s0=21,
    )  # fmt: skip
    reset_register = Place(116)
    reset_value = Register(128, 8)
    arm_boot_architecture = Register(129, 16)
    minor_revision = Register(131, 8, minor=(3, 0), errata=(7, 4))
    x_firmware_control = Register(132, 64)
    x_dsdt = Register(140, 64)
    x_pm1a_event = Place(148)
    x_pm1b_event = Place(160)
    x_pm1a_control = Place(172)
    x_pm1b_control = Place(184)
    x_pm2_control = Place(196)
    x_pm_timer = Place(208)
    x_gpe0 = Place(220)
    x_gpe1 = Place(232)
    sleep_control = Place(244)
    sleep_status = Place(256)
    hypervisor_vendor = Text(268, 8)

    @property
    def dsdt_address(self) -> int:
        """Where the DSDT is; 0: there is none."""
        return int(self.x_dsdt or self.dsdt)

    @property
    def facs_address(self) -> int:
        """Where the FACS is; 0: there is none, as on hardware-reduced machines."""
        return int(self.x_firmware_control or self.firmware_control)

    @property
    def profile_name(self) -> str:
        """What the machine is meant for."""
        return PROFILES.get(self.profile, f"profile {int(self.profile)}")


class Facs(Structure):
    """The firmware's control structure, which has no checksum. Raises DeviceError."""

    SIZE = 64

    signature = Text(0, 4)
    length = Register(4, 32)
    hardware_signature = Register(8, 32)
    waking_vector = Register(12, 32)
    global_lock = Register(16, 32, pending=0, owned=1)
    flags = Register(20, 32, s4bios=0, wake_64bit=1)
    x_waking_vector = Register(24, 64)
    version = Register(32, 8)
    ospm_flags = Register(36, 32, wake_64bit=0)

    def __init__(self, data: bytes, address: int = 0) -> None:
        self.address = address
        length = int.from_bytes(data[4:8], "little")
        if data[:4] != b"FACS" or not 64 <= length <= 4096:
            raise DeviceError(
                f"ACPI table FACS: at {address:#x} are {data[:4]!r} and a length of {length} bytes"
            )
        super().__init__(data)
