/* Memory and string functions; the compiler may call the mem* ones by itself. */
#pragma once

#include "core/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
/* Clears a page-aligned range of whole pages. */
void clear_pages(void *to, size_t n);
