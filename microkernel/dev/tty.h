/* The one terminal: line discipline (termios(3)) between the console and readers and writers. */
#pragma once

#include "core/types.h"

#define TTY_CAPACITY 65536

struct file;

/* Bytes typed (interrupt context). */
void tty_input(const u8 *bytes, size_t n);
void tty_set_size(u16 columns, u16 rows);
struct file *tty_open(u32 flags);
