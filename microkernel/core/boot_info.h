/* What the loader tells, in one form whichever door it came through (docs/boot-protocol.md). */
#pragma once

#include "core/types.h"

#define BOOT_MAX_REGIONS 64
#define BOOT_MAX_ARCHIVES 8
#define BOOT_COMMAND_LINE 4096

struct boot_region {
    paddr_t start, end;
    bool usable;
};

struct boot_archive {
    paddr_t start;
    u64 size;
};

struct boot_framebuffer {
    paddr_t address;
    u32 pitch, width, height;
    u8 bits_per_pixel, type;
    u8 colours[6];                              /* position and size of red, green, blue; 0: not said */
};

struct boot_info {
    const char *door;                           /* "pvh" or "multiboot2" */
    struct boot_region regions[BOOT_MAX_REGIONS];
    u32 region_count;
    struct boot_archive archives[BOOT_MAX_ARCHIVES];
    u32 archive_count;
    struct boot_framebuffer framebuffer;        /* address 0: none */
    bool has_rsdp;
    u8 rsdp[36];                                /* a copy: the loader's memory is reused */
    char command_line[BOOT_COMMAND_LINE];
};
extern struct boot_info boot_info;

/* Reads the loader's structures through the boot identity mapping. */
void boot_info_init(u32 door, paddr_t info);

/* The value of `key=value` or of the bare word `key` (then ""); NULL if absent. The value ends at a
 * blank or the end of the line: its length is stored in *length. Words after `--` do not count. */
const char *boot_option(const char *key, size_t *length);
/* Has it this value? */
bool boot_option_is(const char *key, const char *value);
u64 boot_option_number(const char *key, u64 otherwise);
/* The next word of a text, which is moved behind it; NULL at the end. */
const char *boot_word(const char **text, size_t *length);
/* What follows `--` on the command line; NULL if nothing. */
const char *boot_program_arguments(void);
/* Decimal or 0x number at text; stops at the first other character. */
u64 parse_number(const char *text, size_t length);
