#include "mm/kmalloc.h"

#include "core/list.h"
#include "core/panic.h"
#include "core/string.h"
#include "mm/pmm.h"

/* Multiples of 64 from 64 on, so that contexts of the vector unit are aligned. */
static const u16 sizes[] = {16, 32, 48, 64, 128, 192, 256, 384, 512, 768, 1024, 1344, 2048};
#define CLASSES ARRAY_SIZE(sizes)

/* At the head of each page of objects. */
struct slab {
    struct list link;                           /* among its class's slabs with room */
    void *free;                                 /* chain through the first words */
    u16 used, capacity, untouched;              /* objects given; in all; never given yet (at the end) */
    u8 size_class;
};
#define SLAB_HEADER 64

static struct list partial[CLASSES];
static u8 class_of_size[2048 / 16 + 1];

static void classes_init(void) {
    size_t c = 0;
    for (size_t s = 0; s <= 2048; s += 16) {
        if (s > sizes[c])
            c++;
        class_of_size[s / 16] = (u8)c;
    }
    for (c = 0; c < CLASSES; c++)
        list_init(&partial[c]);
}

static struct slab *slab_new(unsigned c) {
    paddr_t frame = pmm_alloc(0, 0);
    if (!frame)
        return NULL;
    struct slab *s = phys_to_virt(frame);
    struct page *p = page_of(frame);
    p->state = PAGE_SLAB;
    p->slab = s;
    *s = (struct slab){.size_class = (u8)c, .capacity = (u16)((PAGE_SIZE - SLAB_HEADER) / sizes[c])};
    s->untouched = s->capacity;
    list_append(&partial[c], &s->link);
    return s;
}

static void *large(size_t size) {
    unsigned order = 0;
    if (size > (u64)PAGE_SIZE << PMM_MAX_ORDER)
        return NULL;
    while ((u64)PAGE_SIZE << order < size)
        order++;
    paddr_t frames = pmm_alloc(order, 0);
    return frames ? phys_to_virt(frames) : NULL;
}

void *kmalloc(size_t size) {
    if (size > 2048)
        return large(size);
    if (unlikely(!partial[0].next))
        classes_init();
    unsigned c = class_of_size[(size + 15) / 16];
    struct slab *s = list_empty(&partial[c]) ? slab_new(c) : list_first(&partial[c], struct slab, link);
    if (!s)
        return NULL;
    void *object = s->free;
    if (object)
        s->free = *(void **)object;
    else
        object = (u8 *)s + PAGE_SIZE - (size_t)s->untouched-- * sizes[c];
    if (++s->used == s->capacity)
        list_remove(&s->link);
    return object;
}

void *kzalloc(size_t size) {
    void *p = kmalloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void kfree(void *object) {
    if (!object)
        return;
    struct page *p = page_of(virt_to_phys(object));
    if (p->state != PAGE_SLAB) {
        pmm_free(virt_to_phys(object), p->order);
        return;
    }
    struct slab *s = p->slab;
    *(void **)object = s->free;
    s->free = object;
    if (s->used-- == s->capacity)
        list_prepend(&partial[s->size_class], &s->link);
    /* One empty slab per class stays, against taking and giving the same page in turn. */
    if (!s->used && !(partial[s->size_class].next == &s->link && partial[s->size_class].prev == &s->link)) {
        list_remove(&s->link);
        pmm_free(virt_to_phys(s), 0);
    }
}

char *kstrdup(const char *text, size_t length) {
    char *p = kmalloc(length + 1);
    if (p) {
        memcpy(p, text, length);
        p[length] = 0;
    }
    return p;
}
