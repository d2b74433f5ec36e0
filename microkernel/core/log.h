/* The kernel log: messages with a level, and formatting. */
#pragma once

#include <stdarg.h>

#include "core/types.h"

enum log_level { LOG_ERROR = 1, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Messages up to this level are shown; all are kept, until newer ones need the room. */
extern int log_show_level;

void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Copies what was kept, from a position in the stream on: whole records, each `<level>seconds text\n`. The
 * number of bytes; the position is moved behind them. What is too old is left out. */
size_t log_read(u64 *position, char *to, size_t size);
/* Called once, at the next message, if it is set: somebody has read everything and waits. */
extern void (*log_follower)(void);

/* %d %u %x %s %c, with l and ll, width, the flag 0, precision for %s. Always terminates; returns
 * the length the whole text would have. */
size_t format_text(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
size_t format_text_v(char *to, size_t size, const char *format, va_list args);
