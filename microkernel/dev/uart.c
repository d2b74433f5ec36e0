/* National Semiconductor PC16550D data sheet; register names as there. */
#include "dev/uart.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "core/log.h"
#include "core/string.h"

#define BASE 0x3f8
#define IRQ 4
enum { RBR = BASE, THR = BASE, IER = BASE + 1, IIR = BASE + 2, FCR = BASE + 2, LCR = BASE + 3, MCR = BASE + 4, LSR = BASE + 5, MSR = BASE + 6, SCR = BASE + 7 };
enum { IER_RECEIVED = 1, IER_EMPTY = 2, LSR_READY = 1, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
#define FIFO 16

/* What waits to be sent. Power of two. */
#define RING 32768
static u8 ring[RING];
static u32 head, tail;                          /* free-running */
static bool present, started, accepting = true;
static u8 enabled;
static void (*receiver)(const u8 *bytes, size_t n);
struct waitqueue uart_writable = {LIST_INIT(uart_writable.entries)};

void uart_init(void) {
    out8(SCR, 0x5a);
    present = in8(SCR) == 0x5a;
    if (!present)
        return;
    out8(IER, 0);
    out8(LCR, 0x80);                            /* divisor latch: 115200 baud */
    out8(BASE, 1);
    out8(BASE + 1, 0);
    out8(LCR, 3);                               /* 8 data bits, no parity, 1 stop bit */
    out8(FCR, 0xc7);                            /* FIFOs on and cleared, receive trigger at 14 bytes */
    out8(MCR, 0x0b);                            /* DTR, RTS, OUT2 (interrupt gate) */
}

static void set_enabled(u8 bits) {
    if (bits != enabled) {
        enabled = bits;
        out8(IER, bits);
    }
}

static void pump(void) {
    bool was_low = uart_room() <= RING / 2;
    while (head != tail && in8(LSR) & LSR_THR_EMPTY)
        for (int i = 0; i < FIFO && head != tail; i++)
            out8(THR, ring[tail++ % RING]);
    u8 bits = (u8)((accepting ? IER_RECEIVED : 0) | (head != tail ? IER_EMPTY : 0));
    if (started)
        set_enabled(bits);
    if (was_low && uart_room() > RING / 2)
        waitqueue_wake(&uart_writable, POLLOUT);
}

static void receive(void) {
    u8 bytes[64];
    size_t n = 0;
    while (accepting && in8(LSR) & LSR_READY) {
        bytes[n++] = in8(RBR);
        if (n == sizeof bytes) {
            receiver(bytes, n);
            n = 0;
        }
    }
    if (n)
        receiver(bytes, n);
}

static void interrupt(unsigned irq) {
    /* Edge-triggered line: leave only when the port has nothing more to say. */
    while (!(in8(IIR) & 1)) {
        receive();
        pump();
        if (!accepting && head == tail)
            break;
    }
}

void uart_start(void (*r)(const u8 *bytes, size_t n)) {
    receiver = r;
    if (!present)
        return;
    started = true;
    if (!irq_install(IRQ, interrupt))
        log_error("interrupt %u: the machine has no such line", IRQ);
    pump();
}

size_t uart_room(void) { return RING - (head - tail); }

static void queue(const u8 *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        ring[head++ % RING] = bytes[i];
}

void uart_write(const void *first, size_t first_size, const void *bytes, size_t n) {
    if (!present || uart_room() < first_size + n)
        return;
    queue(first, first_size);
    queue(bytes, n);
    pump();
}

void uart_drain(void) {
    if (!present)
        return;
    while (head != tail)
        if (in8(LSR) & LSR_THR_EMPTY)
            out8(THR, ring[tail++ % RING]);
    while (!(in8(LSR) & LSR_IDLE))
        cpu_relax();
}

void uart_accept(bool accept) {
    accepting = accept;
    if (started)
        pump();
}
