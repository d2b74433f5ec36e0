/* core/log.c: formatting against the C library's, and the log's messages. */
#include "core/log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/clock.h"
#include "dev/console.h"

static u64 now_ns;
static char shown[512];
static size_t shown_length;

u64 clock_now(void) { return now_ns; }
void console_log(const char *line, size_t n) {
    memcpy(shown, line, n);
    shown_length = n;
}

/* Text and length as snprintf gives them, in a buffer with room, one that just fits, and all smaller ones. */
#define SAME(format, ...) \
    do { \
        char wanted[300], found[300]; \
        size_t length = (size_t)snprintf(wanted, sizeof wanted, format __VA_OPT__(, ) __VA_ARGS__); \
        for (size_t size = 0; size <= length + 2; size++) { \
            memset(found, '#', sizeof found); \
            size_t got = format_text(found, size, format __VA_OPT__(, ) __VA_ARGS__); \
            CHECK_IN(got == length, "%s: %zu, not %zu", format, got, length); \
            if (size) \
                snprintf(wanted, size, format __VA_OPT__(, ) __VA_ARGS__); \
            CHECK_IN(!size || !strcmp(found, wanted), "%s: \"%s\", not \"%s\"", format, found, wanted); \
            CHECK_IN(found[size] == '#', "%s: wrote behind the %zu bytes given", format, size); \
        } \
    } while (0)

TEST(text_without_directives_is_copied) {
    SAME("plain");
    SAME("%%");
    SAME("100%% of %%d");
    char empty[4] = "abc";
    CHECK_EQUAL(format_text(empty, sizeof empty, "%s", ""), 0);
    CHECK_TEXT(empty, "");
}

TEST(signed_numbers_are_written_as_in_c) {
    static const int values[] = {0, 1, -1, 9, 10, -10, 12345, -12345, INT_MAX, INT_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        int v = values[i];
        SAME("%d", v);
        SAME("%1d|%5d|%12d", v, v, v);
        SAME("%01d|%05d|%012d", v, v, v);
    }
}

TEST(long_signed_numbers_are_written_as_in_c) {
    static const long values[] = {0, -1, 1234567890123, -1234567890123, LONG_MAX, LONG_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        long v = values[i];
        SAME("%ld|%25ld|%025ld", v, v, v);
        SAME("%lld|%24lld", (long long)v, (long long)v);
        SAME("%zd", v);
    }
}

TEST(unsigned_numbers_are_written_as_in_c) {
    static const unsigned values[] = {0, 1, 10, 0xdeadbeef, UINT_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        unsigned v = values[i];
        SAME("%u|%3u|%12u|%012u", v, v, v, v);
        SAME("%x|%3x|%12x|%012x", v, v, v, v);
    }
}

TEST(long_unsigned_numbers_are_written_as_in_c) {
    static const unsigned long values[] = {0, UINT_MAX, 0xfedcba9876543210, ULONG_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        unsigned long v = values[i];
        SAME("%lu|%24lu|%024lu", v, v, v);
        SAME("%lx|%20lx|%020lx", v, v, v);
        SAME("%llu %llx", (unsigned long long)v, (unsigned long long)v);
        SAME("%zu %zx", (size_t)v, (size_t)v);
    }
}

TEST(strings_are_padded_and_cut_as_in_c) {
    static const char *const values[] = {"", "a", "four", "a rather long piece of text"};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        const char *s = values[i];
        SAME("%s|%6s|", s, s);
        SAME("%.0s|%.3s|%.10s|", s, s, s);
        SAME("%6.2s|", s);
        SAME("%.*s|%8.*s|", 2, s, 3, s);
        SAME("%.*s", -1, s);
    }
}

TEST(a_precision_saves_text_that_has_no_end) {
    char open[4] = {'o', 'p', 'e', 'n'}, to[8];
    CHECK_EQUAL(format_text(to, sizeof to, "%.4s", open), 4);
    CHECK_TEXT(to, "open");
    CHECK_EQUAL(format_text(to, sizeof to, "%.*s", 2, open), 2);
    CHECK_TEXT(to, "op");
}

TEST(characters_and_mixtures_are_written_as_in_c) {
    SAME("%c%c%c", 'a', ' ', 'z');
    SAME("[%5u.%06u] %s: %d%%", 3u, 42u, "disk", -7);
    SAME("%s%s%s", "", "x", "");
}

TEST(random_numbers_and_widths_agree_with_the_c_library) {
    for (int round = 0; round < 2000; round++) {
        static const char *const flags[] = {"", "0"}, *const kinds[] = {"ld", "lu", "lx"};
        char format[24];
        snprintf(format, sizeof format, "<%%%s%d%s>", flags[random_below(2)], (int)random_below(30) + 1, kinds[random_below(3)]);
        long value = (long)(random_u64() >> random_below(64));
        char wanted[100], found[100];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int length = snprintf(wanted, sizeof wanted, format, value);
        CHECK_EQUAL(format_text(found, sizeof found, format, value), length);
#pragma GCC diagnostic pop
        CHECK_IN(!strcmp(found, wanted), "%s of %ld: \"%s\"", format, value, found);
    }
}

/* ---- the log ---- */

TEST(messages_carry_the_time) {
    now_ns = 12 * NS_PER_SEC + 34567 * NS_PER_US + 999;
    log_error("%s %d", "seen", 5);
    shown[shown_length] = 0;
    CHECK_TEXT(shown, "[   12.034567] seen 5");
}

TEST(only_messages_up_to_the_level_are_shown) {
    log_show_level = LOG_WARNING;
    log_info("kept");
    CHECK_EQUAL(shown_length, 0);
    log_warning("shown");
    CHECK_EQUAL(shown_length, strlen("[    0.000000] shown"));
    CHECK(!memcmp(shown + 15, "shown", 5));
}

TEST(a_message_that_is_too_long_is_cut) {
    char many[400];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = 0;
    log_error("%s", many);
    CHECK_EQUAL(shown_length, 255);
    CHECK(shown[254] == 'x');
}
