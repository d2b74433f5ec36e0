/* Where text and bytes go: the link to the host tool, or a plain terminal on the serial port; and the way
 * out of the machine. */
#pragma once

#include "core/wait.h"

enum console_channel { CONSOLE_STDOUT = 1, CONSOLE_STDERR, CONSOLE_TTY, CONSOLE_LOG, CONSOLE_PANIC, CONSOLE_EXIT, CONSOLE_CREDIT };

/* Port and options; output works from here on (queued until interrupts do). */
void console_init(void);
/* Input begins: needs interrupts and threads. */
void console_start(void);

bool console_is_link(void);
/* Bits 0, 1, 2: descriptor is the terminal (otherwise a stream of the link). */
unsigned console_terminals(void);

/* As many of the n bytes as there is room for now: wait on uart_writable when 0. */
size_t console_write(enum console_channel channel, const void *bytes, size_t n);
void console_log(const char *line, size_t n);
/* What was shown from a position on, on whatever terminal, streams and the log included: how many bytes;
 * moves *position. What is too old is left out. At the end services are told when there is more. */
size_t console_shown(u64 *position, u8 *to, size_t size);
void console_panic(const char *text, size_t n);
/* The host may send this many more bytes of channel 1 (stdin) or 2 (terminal). */
void console_credit(u8 channel, u32 bytes);

/* Tells the status and powers off. */
__attribute__((noreturn)) void console_exit(u8 status);
__attribute__((noreturn)) void machine_reboot(void);
__attribute__((noreturn)) void machine_halt(void);
