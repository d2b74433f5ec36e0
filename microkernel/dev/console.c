#include "dev/console.h"

#include "arch/x86_64/cpu.h"
#include "core/boot_info.h"
#include "core/log.h"
#include "core/string.h"
#include "dev/acpi.h"
#include "dev/stdio.h"
#include "dev/tty.h"
#include "dev/uart.h"
#include "sys/request.h"
#include "sys/signal.h"

static bool is_link;
static unsigned terminals = 7;

/* Frames from the host (docs/boot-protocol.md, section 4). */
enum { HOST_STDIN = 1, HOST_TTY, HOST_WINSIZE, HOST_SIGNAL };

bool console_is_link(void) { return is_link; }
unsigned console_terminals(void) { return terminals; }

void console_init(void) {
    size_t n;
    const char *v;
    is_link = boot_option_is("ovum.link", "mux");
    if (is_link && (v = boot_option("ovum.tty", &n))) {
        terminals = 0;
        for (size_t i = 0; i < n; i++)
            if (v[i] >= '0' && v[i] <= '2')
                terminals |= 1u << (v[i] - '0');
    }
    if ((v = boot_option("ovum.size", &n))) {
        u16 columns = (u16)parse_number(v, n);
        while (n && *v != 'x')
            v++, n--;
        if (n > 1 && columns)
            tty_set_size(columns, (u16)parse_number(v + 1, n - 1));
    }
    log_show_level = (int)boot_option_number("ovum.log", LOG_ERROR);
    uart_init();
    if (is_link)
        uart_write("\x1bovum\x01\n", 7, NULL, 0);
}

/* The host is told of so much room at a time. */
#define CREDIT_STEP (TTY_CAPACITY / 4)
_Static_assert(TTY_CAPACITY == STDIN_CAPACITY, "one step for both");
/* Room that only credit frames use, so that they are never lost: each is for a quarter of a channel's
 * capacity or more, so at most four of each of two channels (8 bytes) and one header are on their way. */
#define CREDIT_RESERVE 96

/* The last that was shown, for a screen: one endless stream of bytes. */
#define SHOWN 16384
static u8 shown[SHOWN];
static u64 shown_end;
static bool shown_followed;

static void show(const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        shown[shown_end++ % SHOWN] = ((const u8 *)bytes)[i];
    if (shown_followed && n) {
        shown_followed = false;
        services_screen_grown();
    }
}

size_t console_shown(u64 *position, u8 *to, size_t size) {
    u64 from = max_u64(min_u64(*position, shown_end), shown_end - min_u64(shown_end, SHOWN));
    size = min_u64(size, shown_end - from);
    for (size_t i = 0; i < size; i++)
        to[i] = shown[(from + i) % SHOWN];
    *position = from + size;
    shown_followed = !size;
    return size;
}

static void send(u8 channel, const void *payload, size_t n) {
    u8 header[3] = {channel, (u8)n, (u8)(n >> 8)};
    uart_write(header, sizeof header, payload, n);
}

size_t console_write(enum console_channel channel, const void *bytes, size_t n) {
    size_t room = uart_room();
    if (!is_link) {
        n = min_u64(n, room);
        uart_write(NULL, 0, bytes, n);
    } else {
        n = room > CREDIT_RESERVE ? min_u64(n, min_u64(room - CREDIT_RESERVE, UINT16_MAX)) : 0;
        if (n)
            send((u8)channel, bytes, n);
    }
    show(bytes, n);
    return n;
}

void console_log(const char *line, size_t n) {
    if (is_link) {
        /* A log line is one frame or nothing. */
        if (uart_room() > n + CREDIT_RESERVE)
            send(CONSOLE_LOG, line, n);
    } else {
        uart_write(line, n, "\r\n", 2);
    }
    show(line, n);
    show("\r\n", 2);
}

void console_panic(const char *text, size_t n) {
    uart_drain();
    if (is_link) {
        console_write(CONSOLE_PANIC, text, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            if (text[i] == '\n')
                uart_write("\r", 1, NULL, 0);
            uart_write(text + i, 1, NULL, 0);
        }
    }
    uart_drain();
}

void console_credit(u8 channel, u32 bytes) {
    static u32 owed[3];
    owed[channel] += bytes;
    u32 n = owed[channel];
    if (!is_link || n < CREDIT_STEP)
        return;
    owed[channel] = 0;
    u8 payload[5] = {channel, (u8)n, (u8)(n >> 8), (u8)(n >> 16), (u8)(n >> 24)};
    send(CONSOLE_CREDIT, payload, sizeof payload);
}

/* ---- input ---- */

static u8 header[3];
static u8 header_got;
static u16 payload_left;
static u8 small[4];                             /* payload of WINSIZE and SIGNAL */
static u8 small_got;

static void frame_done(void) {
    if (header[0] == HOST_WINSIZE && small_got == 4) {
        tty_set_size((u16)(small[0] | small[1] << 8), (u16)(small[2] | small[3] << 8));
        signal_process(SIGWINCH);
    } else if (header[0] == HOST_SIGNAL && small_got >= 1) {
        signal_process(small[0]);
    }
}

static void link_receive(const u8 *p, size_t n) {
    while (n) {
        if (header_got < 3) {
            header[header_got++] = *p++;
            n--;
            if (header_got < 3)
                continue;
            payload_left = (u16)(header[1] | header[2] << 8);
            small_got = 0;
            if (!payload_left) {
                header_got = 0;
                if (header[0] == HOST_STDIN)
                    stdin_end();
            }
            continue;
        }
        size_t take = min_u64(n, payload_left);
        if (header[0] == HOST_STDIN)
            stdin_input(p, take);
        else if (header[0] == HOST_TTY)
            tty_input(p, take);
        else
            for (size_t i = 0; i < take && small_got < sizeof small; i++)
                small[small_got++] = p[i];
        p += take;
        n -= take;
        payload_left = (u16)(payload_left - take);
        if (!payload_left) {
            header_got = 0;
            frame_done();
        }
    }
}

void console_start(void) {
    uart_start(is_link ? link_receive : tty_input);
    if (terminals)
        console_credit(2, TTY_CAPACITY);
}

/* ---- the way out ---- */

void machine_halt(void) {
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_reboot(void) {
    uart_drain();
    acpi_reset();
    out8(0xcf9, 0x06);                          /* reset control register of PCI chipsets */
    out8(0x64, 0xfe);                           /* keyboard controller pulses the reset line */
    struct { u16 limit; u64 base; } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; int3" : : "m"(none));    /* triple fault */
    machine_halt();
}

void console_exit(u8 status) {
    uart_drain();
    if (is_link)
        send(CONSOLE_EXIT, &status, 1);
    uart_drain();
    u64 port = boot_option_number("ovum.exit", 0);
    if (port)
        out8((u16)port, status);
    acpi_power_off();
    /* Machines without ACPI or its way to power off (small QEMU ones, Firecracker) take a reset for the end; on
     * others it would start everything again. */
    if (!boot_info.has_rsdp || acpi_without_power_off())
        machine_reboot();
    machine_halt();
}
