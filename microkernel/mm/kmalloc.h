/* Kernel objects: size classes cut from pages; larger requests are whole pages. */
#pragma once

#include "core/types.h"

/* NULL when memory is short. Objects are aligned to 16 bytes, those of 64 bytes and more to 64. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *object);
char *kstrdup(const char *text, size_t length);
