/* The end: says why, from where, and what every Python thread was doing. */
#pragma once

#include "arch/x86_64/cpu.h"

/* With the registers of the trap that caused it (may be NULL). */
__attribute__((noreturn)) void panic_at(const struct frame *f, const char *format, ...) PRINTF_LIKE(2, 3);

#define panic(...) panic_at(NULL, __VA_ARGS__)

#define KASSERT(condition) \
    do { \
        if (unlikely(!(condition))) \
            panic("assertion failed: %s (%s:%d)", #condition, __FILE__, __LINE__); \
    } while (0)

/* Called in a panic (or when a signal kills the program) to print the Python tracebacks to a descriptor
 * that the kernel routes to the report. */
void panic_set_hook(void (*hook)(int fd));

/* A fatal signal of the program, if it tells of an error: a short report to standard error, with the Python
 * tracebacks unless a handler has printed them already. */
void report_fatal_signal(int signal, const struct frame *f, vaddr_t address, bool with_tracebacks);

/* True while the report is made: write() then goes to it whatever the descriptor. */
extern bool panicking;

/* The hook's write(): its buffers may lie on the kernel's stack, so any readable address will do. */
void panic_write(u64 from, size_t n);
