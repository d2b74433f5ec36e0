/* core/boot_info.c: the command line, and what the two kinds of loader leave in memory. */
#include "core/boot_info.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/layout.h"
#include "check.h"

#define USABLE 1

/* The ELF header of our own image: two program headers, the second for the embedded archive. */
u8 kernel_headers[64 + 2 * 56] __attribute__((aligned(8)));

static void put(void *at, u64 value, size_t n) { memcpy(at, &value, n); }

static void make_headers(u32 type, u64 address, u64 size) {
    memset(kernel_headers, 0, sizeof kernel_headers);
    put(kernel_headers + 32, 64, 8);            /* e_phoff */
    put(kernel_headers + 54, 56, 2);            /* e_phentsize */
    put(kernel_headers + 56, 2, 2);             /* e_phnum */
    u8 *last = kernel_headers + 64 + 56;
    put(last, type, 4);
    put(last + 24, address, 8);                 /* p_paddr */
    put(last + 40, size, 8);                    /* p_memsz */
}

static void check_region(u32 i, paddr_t start, paddr_t end, bool usable) {
    const struct boot_region *r = &boot_info.regions[i];
    CHECK_IN(r->start == start && r->end == end && r->usable == usable, "%u: %lx to %lx, %d", i, r->start, r->end, r->usable);
}

/* ---- the command line ---- */

static void check_option(const char *line, const char *key, const char *wanted) {
    size_t n = 0;
    strcpy(boot_info.command_line, line);
    const char *value = boot_option(key, &n);
    CHECK_IN(!value == !wanted, "%s in \"%s\"", key, line);
    CHECK_IN(!value || (n == strlen(wanted) && !memcmp(value, wanted, n)), "%s in \"%s\": %.*s", key, line, (int)n, value);
}

TEST(options_are_found_by_their_whole_name) {
    check_option("", "a", NULL);
    check_option("a=1", "a", "1");
    check_option("a=1 b=22  c=333", "b", "22");
    check_option("a=1 b=22  c=333", "c", "333");
    check_option("  a=1", "a", "1");
    check_option("ab=1 a=2", "a", "2");
    check_option("ba=1", "a", NULL);
    check_option("x=a=1", "a", NULL);
    check_option("ovum.log=3 ovum.tty=012", "ovum.tty", "012");
}

TEST(an_option_without_a_value_is_empty_but_there) {
    check_option("quiet", "quiet", "");
    check_option("quiet=", "quiet", "");
    check_option("a quiet b", "quiet", "");
    check_option("ovum.tty= ovum.log=1", "ovum.tty", "");
}

TEST(the_first_of_equal_options_counts_and_values_may_have_equals_signs) {
    check_option("a=1 a=2", "a", "1");
    check_option("a=b=c", "a", "b=c");
    check_option("a=--", "a", "--");
}

TEST(options_behind_two_dashes_belong_to_the_program) {
    check_option("a=1 -- b=2", "a", "1");
    check_option("a=1 -- b=2", "b", NULL);
    check_option("-- a", "a", NULL);
    check_option("--a=1 a=2", "a", "2");
    check_option("a=1 --x b=2", "b", "2");
}

static void check_arguments(const char *line, const char *wanted) {
    strcpy(boot_info.command_line, line);
    const char *found = boot_program_arguments();
    CHECK_IN(!found == !wanted, "\"%s\"", line);
    CHECK_IN(!found || !strcmp(found, wanted), "\"%s\": \"%s\"", line, found);
}

TEST(the_programs_arguments_begin_behind_two_dashes) {
    check_arguments("", NULL);
    check_arguments("a=1 b", NULL);
    check_arguments("--a a-- ---", NULL);
    check_arguments("--", "");
    check_arguments("a --", "");
    check_arguments("a=1 -- x  -- y", " x  -- y");
    check_arguments("--  x", "  x");
}

static void check_number(const char *text, u64 wanted) {
    /* No byte behind the text: it must not be looked at. */
    size_t n = strlen(text);
    char *copy = malloc(n ? n : 1);
    CHECK(copy);
    memcpy(copy, text, n);
    u64 found = parse_number(copy, n);
    CHECK_IN(found == wanted, "\"%s\": %lu", text, found);
    free(copy);
}

TEST(numbers_are_decimal_or_hexadecimal_and_end_at_the_first_other_character) {
    check_number("", 0);
    check_number("0", 0);
    check_number("42", 42);
    check_number("007", 7);
    check_number("18446744073709551615", UINT64_MAX);
    check_number("0x0", 0);
    check_number("0xf4", 0xf4);
    check_number("0XDeadBeef", 0xdeadbeef);
    check_number("0xffffffffffffffff", UINT64_MAX);
    check_number("80x24", 80);
    check_number("12,5", 12);
    check_number("9f", 9);
    check_number("0xfg", 15);
    check_number("0x", 0);
    check_number("x", 0);
    check_number("-5", 0);
}

TEST(a_number_option_has_a_default) {
    strcpy(boot_info.command_line, "a=5 b= c d=0x10");
    CHECK_EQUAL(boot_option_number("a", 7), 5);
    CHECK_EQUAL(boot_option_number("b", 7), 7);
    CHECK_EQUAL(boot_option_number("c", 7), 7);
    CHECK_EQUAL(boot_option_number("d", 7), 16);
    CHECK_EQUAL(boot_option_number("e", 7), 7);
}

/* ---- PVH: struct hvm_start_info of Xen's public/arch-x86/hvm/start_info.h ---- */

struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, command_line, rsdp, map;
    u32 map_count, reserved;
};
struct module { u64 address, size, command_line, reserved; };
struct map_entry { u64 address, size; u32 type, reserved; };

static void start_pvh(struct start_info *info) {
    struct start_info *copy = malloc(sizeof *copy);
    CHECK(copy);
    *copy = *info;
    memset(&boot_info, 0, sizeof boot_info);
    boot_info_init(BOOT_PVH, (paddr_t)copy);
    CHECK_TEXT(boot_info.door, "pvh");
    free(copy);
}

TEST(pvh_tells_memory_modules_command_line_and_rsdp) {
    u8 rsdp[36];
    struct map_entry map[] = {{0, 0x9fc00, USABLE, 0}, {0xf0000, 0x10000, 2, 0}, {0x100000, 0x7f00000, USABLE, 0}};
    struct module modules[] = {{0x2000000, 1234, 0, 0}, {0x3000000, 1, 0, 0}};
    random_fill(rsdp, sizeof rsdp);
    make_headers(1, 0x200000, 5000);
    start_pvh(&(struct start_info){
        .version = 1, .module_count = 2, .modules = (u64)modules, .command_line = (u64) "ovum.log=3 -- x", .rsdp = (u64)rsdp,
        .map = (u64)map, .map_count = 3});
    CHECK_EQUAL(boot_info.region_count, 3);
    check_region(0, 0, 0x9fc00, true);
    check_region(1, 0xf0000, 0x100000, false);
    check_region(2, 0x100000, 0x8000000, true);
    CHECK_EQUAL(boot_info.archive_count, 3);
    CHECK(boot_info.archives[0].start == 0x200000 && boot_info.archives[0].size == 5000);
    CHECK(boot_info.archives[1].start == 0x2000000 && boot_info.archives[1].size == 1234);
    CHECK(boot_info.archives[2].start == 0x3000000 && boot_info.archives[2].size == 1);
    CHECK_TEXT(boot_info.command_line, "ovum.log=3 -- x");
    CHECK(boot_info.has_rsdp && !memcmp(boot_info.rsdp, rsdp, sizeof rsdp));
}

TEST(a_number_of_modules_that_nobody_wrote_is_none) {
    make_headers(0, 0, 0);
    start_pvh(&(struct start_info){.version = 1, .module_count = 0x6e, .modules = 0x006f746e6f726f54});
    CHECK_EQUAL(boot_info.archive_count, 0);
}

TEST(pvh_may_tell_nothing_at_all) {
    start_pvh(&(struct start_info){.version = 1});
    CHECK(!boot_info.region_count && !boot_info.archive_count && !boot_info.has_rsdp && !boot_info.framebuffer.address);
    CHECK_TEXT(boot_info.command_line, "");
}

TEST(the_first_version_of_pvh_has_no_memory_map) {
    struct map_entry map[] = {{0, 0x9fc00, USABLE, 0}};
    start_pvh(&(struct start_info){.version = 0, .map = (u64)map, .map_count = 1});
    CHECK_EQUAL(boot_info.region_count, 0);
}

TEST(empty_regions_and_modules_do_not_count_and_too_many_are_left_out) {
    struct map_entry map[BOOT_MAX_REGIONS + 10];
    struct module modules[BOOT_MAX_ARCHIVES + 3] = {{0x1000, 0, 0, 0}};
    for (u64 i = 0; i < ARRAY_SIZE(map); i++)
        map[i] = (struct map_entry){i << 20, i ? 4096 : 0, USABLE, 0};
    for (u64 i = 1; i < ARRAY_SIZE(modules); i++)
        modules[i] = (struct module){i << 20, 100, 0, 0};
    start_pvh(&(struct start_info){
        .version = 1, .module_count = ARRAY_SIZE(modules), .modules = (u64)modules, .map = (u64)map,
        .map_count = ARRAY_SIZE(map)});
    CHECK_EQUAL(boot_info.region_count, BOOT_MAX_REGIONS);
    check_region(0, 1 << 20, (1 << 20) + 4096, true);
    CHECK_EQUAL(boot_info.archive_count, BOOT_MAX_ARCHIVES);
    CHECK_EQUAL(boot_info.archives[0].start, 1 << 20);
}

TEST(a_command_line_that_is_too_long_is_cut) {
    char *line = malloc(BOOT_COMMAND_LINE + 100);
    CHECK(line);
    memset(line, 'x', BOOT_COMMAND_LINE + 99);
    line[BOOT_COMMAND_LINE + 99] = 0;
    start_pvh(&(struct start_info){.version = 1, .command_line = (u64)line});
    CHECK_EQUAL(strlen(boot_info.command_line), BOOT_COMMAND_LINE - 1);
    free(line);
}

TEST(a_placeholder_or_another_segment_is_no_embedded_archive) {
    make_headers(1, 0x200000, 0);
    start_pvh(&(struct start_info){.version = 1});
    CHECK_EQUAL(boot_info.archive_count, 0);
    make_headers(4, 0x200000, 100);
    start_pvh(&(struct start_info){.version = 1});
    CHECK_EQUAL(boot_info.archive_count, 0);
}
