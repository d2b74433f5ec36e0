/* What the checks of the kernel's C parts are written with. Every TEST runs in a process of its own, so that
 * each begins with the kernel's variables as they are at boot and a crash ends nothing but itself. */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>

#define TEST(name) \
    static void name(void); \
    __attribute__((constructor)) static void register_##name(void) { check_register(#name, name); } \
    static void name(void)

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            check_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

/* A condition that is looked at in a loop: says with which values it did not hold. */
#define CHECK_IN(condition, format, ...) \
    do { \
        if (!(condition)) \
            check_fail(__FILE__, __LINE__, "%s: " format, #condition __VA_OPT__(, ) __VA_ARGS__); \
    } while (0)

/* Two integers. */
#define CHECK_EQUAL(found, wanted) \
    do { \
        long long found_ = (long long)(found), wanted_ = (long long)(wanted); \
        if (found_ != wanted_) \
            check_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #found, found_, wanted_); \
    } while (0)

#define CHECK_TEXT(found, wanted) \
    do { \
        const char *found_ = (found), *wanted_ = (wanted); \
        if (!found_ || __builtin_strcmp(found_, wanted_)) \
            check_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #found, found_ ? found_ : "(null)", wanted_); \
    } while (0)

void check_register(const char *name, void (*run)(void));
__attribute__((noreturn, format(printf, 3, 4))) void check_fail(const char *file, int line, const char *format, ...);

/* The same numbers in every run, unless CHECK_SEED in the environment says otherwise. */
uint64_t random_u64(void);
uint64_t random_below(uint64_t n);
/* Content that tells its place: any two stretches of it differ. */
void random_fill(void *to, size_t n);

#endif
