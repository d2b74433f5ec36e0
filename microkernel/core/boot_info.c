#include "core/boot_info.h"

#include "arch/x86_64/layout.h"
#include "core/log.h"
#include "core/string.h"

struct boot_info boot_info;

extern const u8 kernel_headers[];

static void add_region(paddr_t start, u64 size, bool usable) {
    if (size && boot_info.region_count < BOOT_MAX_REGIONS)
        boot_info.regions[boot_info.region_count++] = (struct boot_region){start, start + size, usable};
}

static void add_archive(paddr_t start, u64 size) {
    if (size && boot_info.archive_count < BOOT_MAX_ARCHIVES)
        boot_info.archives[boot_info.archive_count++] = (struct boot_archive){start, size};
}

static void set_command_line(const char *text, size_t limit) {
    size_t n = 0;
    while (n < limit && n < BOOT_COMMAND_LINE - 1 && text[n])
        n++;
    memcpy(boot_info.command_line, text, n);
    boot_info.command_line[n] = 0;
}

static void set_rsdp(const void *rsdp, size_t n) {
    memcpy(boot_info.rsdp, rsdp, min_u64(n, sizeof boot_info.rsdp));
    boot_info.has_rsdp = true;
}

/* Xen public/arch-x86/hvm/start_info.h, version 1. */
struct hvm_start_info {
    u32 magic, version, flags, nr_modules;
    u64 modlist_paddr, cmdline_paddr, rsdp_paddr;
    u64 memmap_paddr;
    u32 memmap_entries, reserved;
};
struct hvm_modlist_entry { u64 paddr, size, cmdline_paddr, reserved; };
struct hvm_memmap_entry { u64 addr, size; u32 type, reserved; };

static void read_pvh(paddr_t info) {
    const struct hvm_start_info *s = (const void *)info;
    boot_info.door = "pvh";
    const struct hvm_memmap_entry *map = (const void *)s->memmap_paddr;
    if (s->version >= 1)
        for (u32 i = 0; i < s->memmap_entries; i++)
            add_region(map[i].addr, map[i].size, map[i].type == 1);
    const struct hvm_modlist_entry *modules = (const void *)s->modlist_paddr;
    /* QEMU's loader leaves both unset when there is no module: after a reset they are whatever lay there. */
    u32 count = s->nr_modules <= 2 * BOOT_MAX_ARCHIVES ? s->nr_modules : 0;
    for (u32 i = 0; i < count; i++)
        add_archive(modules[i].paddr, modules[i].size);
    if (s->cmdline_paddr)
        set_command_line((const char *)s->cmdline_paddr, SIZE_MAX);
    if (s->rsdp_paddr)
        set_rsdp((const void *)s->rsdp_paddr, 36);
}

/* Multiboot2 specification 2.0, section 3.6. */
struct mb2_tag { u32 type, size; };
enum { MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MMAP = 6, MB2_FRAMEBUFFER = 8, MB2_ACPI_OLD = 14, MB2_ACPI_NEW = 15 };

static void read_multiboot2(paddr_t info) {
    boot_info.door = "multiboot2";
    u32 total = *(const u32 *)info;
    for (paddr_t p = info + 8; p + sizeof(struct mb2_tag) <= info + total;) {
        const struct mb2_tag *tag = (const void *)p;
        const u32 *w = (const u32 *)(p + sizeof *tag);
        if (tag->type == MB2_END || tag->size < sizeof *tag || tag->size > info + total - p)
            break;
        switch (tag->type) {
        case MB2_CMDLINE:
            set_command_line((const char *)w, tag->size - sizeof *tag);
            break;
        case MB2_MODULE:
            if (w[1] > w[0])
                add_archive(w[0], w[1] - w[0]);
            break;
        case MB2_MMAP:
            for (paddr_t e = p + 16; w[0] >= 24 && e + 24 <= p + tag->size; e += w[0])
                add_region(*(const u64 *)e, *(const u64 *)(e + 8), *(const u32 *)(e + 16) == 1);
            break;
        case MB2_FRAMEBUFFER:
            boot_info.framebuffer = (struct boot_framebuffer){
                *(const u64 *)w, w[2], w[3], w[4], (u8)(w[5] & 0xff), (u8)(w[5] >> 8 & 0xff), {0}};
            if (boot_info.framebuffer.type == 1 && tag->size >= 38)
                memcpy(boot_info.framebuffer.colours, w + 6, sizeof boot_info.framebuffer.colours);
            break;
        case MB2_ACPI_OLD:
        case MB2_ACPI_NEW:
            set_rsdp(w, tag->size - sizeof *tag);
            break;
        }
        p += ALIGN_UP(tag->size, 8);
    }
}

/* The root archive inside our own ELF file: a loaded segment past the kernel's own, which has no writable
 * or executable bit and lies behind them (docs/boot-protocol.md, section 1). */
static void find_embedded_archive(void) {
    const u8 *elf = kernel_headers;
    const u8 *ph = elf + *(const u64 *)(elf + 32);
    u16 size = *(const u16 *)(elf + 54), count = *(const u16 *)(elf + 56);
    const u8 *last = ph + (u64)size * (count - 1u);
    if (*(const u32 *)last == 1 && *(const u64 *)(last + 40))
        add_archive(*(const u64 *)(last + 24), *(const u64 *)(last + 40));
}

void boot_info_init(u32 door, paddr_t info) {
    find_embedded_archive();
    if (door == BOOT_PVH)
        read_pvh(info);
    else
        read_multiboot2(info);
}

const char *boot_word(const char **text, size_t *length) {
    const char *p = *text;
    while (*p == ' ')
        p++;
    const char *word = p;
    while (*p && *p != ' ')
        p++;
    *text = p;
    *length = (size_t)(p - word);
    return p > word ? word : NULL;
}

static bool ends_options(const char *word, size_t length) { return length == 2 && !memcmp(word, "--", 2); }

const char *boot_program_arguments(void) {
    const char *p = boot_info.command_line, *word;
    size_t n;
    while ((word = boot_word(&p, &n)) && !ends_options(word, n))
        ;
    return word ? p : NULL;
}

const char *boot_option(const char *key, size_t *length) {
    const char *p = boot_info.command_line, *word;
    size_t n, key_length = strlen(key);
    while ((word = boot_word(&p, &n)) && !ends_options(word, n))
        if (n >= key_length && !memcmp(word, key, key_length) && (n == key_length || word[key_length] == '=')) {
            const char *value = word + key_length + (n > key_length);
            *length = (size_t)(p - value);
            return value;
        }
    return NULL;
}

u64 parse_number(const char *text, size_t length) {
    u64 v = 0;
    unsigned base = 10;
    size_t i = 0;
    if (length > 2 && text[0] == '0' && (text[1] | 32) == 'x')
        base = 16, i = 2;
    for (; i < length; i++) {
        char c = text[i] | 32;
        unsigned digit = text[i] >= '0' && text[i] <= '9' ? (unsigned)(text[i] - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
        if (digit >= base)
            break;
        v = v * base + digit;
    }
    return v;
}

bool boot_option_is(const char *key, const char *value) {
    size_t n;
    const char *text = boot_option(key, &n);
    return text && n == strlen(value) && !memcmp(text, value, n);
}

u64 boot_option_number(const char *key, u64 otherwise) {
    size_t n;
    const char *text = boot_option(key, &n);
    return text && n ? parse_number(text, n) : otherwise;
}
