/* The first serial port, a 16550: interrupt-driven in both directions, polled only in a panic. */
#pragma once

#include "core/wait.h"

/* Where there is no such port, all output is lost. */
void uart_init(void);
/* From here on received bytes go to `receive` (interrupt context), and output is interrupt-driven. */
void uart_start(void (*receive)(const u8 *bytes, size_t n));
/* Queues all the bytes, or none when there is no room (then wait on uart_writable). */
void uart_write(const void *head, size_t head_size, const void *bytes, size_t n);
size_t uart_room(void);
extern struct waitqueue uart_writable;
/* Sends everything queued and waits until it is gone: for the end of the machine. */
void uart_drain(void);
/* While not accepted, received bytes stay in the port and its sender is held back. */
void uart_accept(bool accept);
