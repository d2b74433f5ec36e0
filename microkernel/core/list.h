/* Circular doubly linked lists, embedded in their elements. */
#pragma once

#include "core/types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert(struct list *item, struct list *before) {
    item->next = before;
    item->prev = before->prev;
    before->prev->next = item;
    before->prev = item;
}

static inline void list_append(struct list *head, struct list *item) { list_insert(item, head); }
static inline void list_prepend(struct list *head, struct list *item) { list_insert(item, head->next); }

/* Leaves the element pointing at itself: removing twice is harmless. */
static inline void list_remove(struct list *item) {
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define list_item(ptr, type, member) container_of(ptr, type, member)
#define list_first(head, type, member) list_item((head)->next, type, member)
#define list_for(pos, head) for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_safe(pos, head) \
    for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head); pos = pos##_next, pos##_next = pos->next)
