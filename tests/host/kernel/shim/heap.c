#include "heap.h"

#include <stdlib.h>
#include <string.h>

#include "mm/kmalloc.h"

long heap_objects, heap_left = -1;

void *kmalloc(size_t size) {
    if (!heap_left)
        return NULL;
    if (heap_left > 0)
        heap_left--;
    void *p = malloc(size);
    if (p) {
        heap_objects++;
        memset(p, 0xcc, size);
    }
    return p;
}

void *kzalloc(size_t size) {
    void *p = kmalloc(size);
    return p ? memset(p, 0, size) : NULL;
}

void kfree(void *object) {
    heap_objects -= object != NULL;
    free(object);
}

char *kstrdup(const char *text, size_t length) {
    char *p = kmalloc(length + 1);
    if (p) {
        memcpy(p, text, length);
        p[length] = 0;
    }
    return p;
}
