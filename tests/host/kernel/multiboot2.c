/* core/boot_info.c, the other door: the tags of the Multiboot2 specification 2.0, section 3.6. */
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/layout.h"
#include "check.h"
#include "core/boot_info.h"

enum { END = 0, COMMAND_LINE = 1, LOADER_NAME = 2, MODULE = 3, MEMORY_MAP = 6, FRAMEBUFFER = 8, ACPI_OLD = 14, ACPI_NEW = 15 };

/* No embedded archive. */
const u8 kernel_headers[64 + 56] __attribute__((aligned(8))) = {[32] = 64, [54] = 56, [56] = 1};

static u8 tags[8192] __attribute__((aligned(8)));
static u32 tags_size = 8;

/* A tag whose size field says `stated`, followed by content. */
static void add_stated(u32 type, u32 stated, const void *content, u32 n) {
    memcpy(tags + tags_size, &(u32[]){type, stated}, 8);
    if (n)
        memcpy(tags + tags_size + 8, content, n);
    tags_size += (u32)ALIGN_UP(8 + n, 8);
}

static void add(u32 type, const void *content, u32 n) { add_stated(type, 8 + n, content, n); }

/* Boots from exactly the tags there are: reading behind them is seen. */
static void start(void) {
    u8 *copy = malloc(tags_size);
    CHECK(copy);
    memcpy(copy, tags, tags_size);
    memcpy(copy, &tags_size, 4);
    memset(&boot_info, 0, sizeof boot_info);
    boot_info_init(BOOT_MULTIBOOT2, (paddr_t)copy);
    CHECK_TEXT(boot_info.door, "multiboot2");
    free(copy);
}

struct map { u32 entry_size, version; struct { u64 address, size; u32 type, reserved; } entry[3]; };

TEST(multiboot2_tells_what_pvh_does) {
    struct map map = {24, 0, {{0, 0x9fc00, 1, 0}, {0xf0000, 0x10000, 2, 0}, {0x100000, 0x7f00000, 1, 0}}};
    u32 module[] = {0x2000000, 0x2000100, 0};
    u8 old_rsdp[20], new_rsdp[36];
    random_fill(old_rsdp, sizeof old_rsdp);
    random_fill(new_rsdp, sizeof new_rsdp);
    add(COMMAND_LINE, "a=1 -- b", 9);
    add(LOADER_NAME, "GRUB", 5);
    add(MODULE, module, sizeof module);
    add(MEMORY_MAP, &map, sizeof map);
    add(ACPI_OLD, old_rsdp, sizeof old_rsdp);
    add(ACPI_NEW, new_rsdp, sizeof new_rsdp);
    add(END, NULL, 0);
    start();
    CHECK_TEXT(boot_info.command_line, "a=1 -- b");
    CHECK_EQUAL(boot_info.archive_count, 1);
    CHECK(boot_info.archives[0].start == 0x2000000 && boot_info.archives[0].size == 0x100);
    CHECK_EQUAL(boot_info.region_count, 3);
    CHECK(boot_info.regions[0].usable && !boot_info.regions[1].usable && boot_info.regions[2].usable);
    CHECK_EQUAL(boot_info.regions[2].end, 0x8000000);
    CHECK(boot_info.has_rsdp && !memcmp(boot_info.rsdp, new_rsdp, sizeof new_rsdp));
}

TEST(the_framebuffer_is_described) {
    struct { u64 address; u32 pitch, width, height; u8 bits, type; u16 reserved; } framebuffer = {
        0xfd000000, 4096, 1024, 768, 32, 1, 0};
    add(FRAMEBUFFER, &framebuffer, sizeof framebuffer);
    add(END, NULL, 0);
    start();
    CHECK_EQUAL(boot_info.framebuffer.address, 0xfd000000);
    CHECK_EQUAL(boot_info.framebuffer.pitch, 4096);
    CHECK_EQUAL(boot_info.framebuffer.width, 1024);
    CHECK_EQUAL(boot_info.framebuffer.height, 768);
    CHECK_EQUAL(boot_info.framebuffer.bits_per_pixel, 32);
    CHECK_EQUAL(boot_info.framebuffer.type, 1);
}

TEST(entries_of_the_memory_map_may_be_longer_than_today) {
    u8 map[8 + 3 * 40] = {40};
    for (u64 i = 0; i < 3; i++)
        memcpy(map + 8 + 40 * i, &(u64[]){i << 20, 4096, 1}, 24);
    add(MEMORY_MAP, map, sizeof map);
    add(END, NULL, 0);
    start();
    CHECK_EQUAL(boot_info.region_count, 3);
    CHECK_EQUAL(boot_info.regions[2].start, 2 << 20);
}

TEST(tags_that_nobody_knows_and_an_empty_list_are_fine) {
    add(77, "whatever", 8);
    add(END, NULL, 0);
    start();
    CHECK(!boot_info.region_count && !boot_info.archive_count && !boot_info.has_rsdp);
    tags_size = 8;
    start();
    CHECK(!boot_info.region_count);
}

TEST(what_follows_the_end_tag_is_not_read) {
    add(END, NULL, 0);
    add(COMMAND_LINE, "late", 5);
    start();
    CHECK_TEXT(boot_info.command_line, "");
}

TEST(a_command_line_without_its_nul_ends_with_its_tag) {
    add(COMMAND_LINE, "12345678", 8);
    start();
    CHECK_TEXT(boot_info.command_line, "12345678");
}

TEST(a_tag_shorter_than_its_own_header_ends_the_list) {
    for (u32 size = 0; size < 8; size++) {
        tags_size = 8;
        add_stated(COMMAND_LINE, size, "x", 2);
        add(COMMAND_LINE, "y", 2);
        start();
        CHECK_TEXT(boot_info.command_line, "");
    }
}

TEST(a_list_that_is_cut_off_anywhere_is_survived) {
    struct map map = {24, 0, {{0, 0x9fc00, 1, 0}, {0xf0000, 0x10000, 2, 0}, {0x100000, 0x7f00000, 1, 0}}};
    add(COMMAND_LINE, "a=1", 4);
    add(MEMORY_MAP, &map, sizeof map);
    add(ACPI_NEW, map.entry, 36);
    add(MODULE, &(u32[]){0x1000, 0x2000, 0}, 12);
    for (u32 whole = tags_size; tags_size >= 8; tags_size -= 8) {
        start();
        CHECK_IN(boot_info.region_count <= 3, "%u of %u bytes", tags_size, whole);
    }
}

TEST(memory_map_entries_of_impossible_size_end_it) {
    for (u32 size = 0; size < 24; size += 8) {
        struct map map = {size, 0, {{0, 0x9fc00, 1, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}};
        tags_size = 8;
        add(MEMORY_MAP, &map, sizeof map);
        add(COMMAND_LINE, "next", 5);
        start();
        CHECK_TEXT(boot_info.command_line, "next");
    }
}

TEST(a_module_that_ends_before_it_starts_is_left_out) {
    add(MODULE, &(u32[]){0x2000, 0x1000, 0}, 12);
    start();
    CHECK_EQUAL(boot_info.archive_count, 0);
}
