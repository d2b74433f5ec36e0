/* Descriptors 0, 1 and 2 where they are not the terminal: byte streams of the link. */
#pragma once

#include "core/types.h"

#define STDIN_CAPACITY 65536

struct file;

/* From the link (interrupt context): never more than the credit given. */
void stdin_input(const u8 *bytes, size_t n);
void stdin_end(void);
/* A file for descriptor 0, 1 or 2; NULL without memory. Opening 0 lets the host send. */
struct file *stdio_open(int fd);
