/* Runs the checks of one program and reports: a line for each, and a last one with their number. */
#define _GNU_SOURCE
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHECKS 100
#define LIMIT_SECONDS 20

static struct { const char *name; void (*run)(void); } checks[MAX_CHECKS];
static int check_count;
static int verdict;                             /* the pipe to the parent */
static uint64_t seed, state;

void check_register(const char *name, void (*run)(void)) {
    if (check_count == MAX_CHECKS)
        abort();
    checks[check_count].name = name;
    checks[check_count++].run = run;
}

void check_fail(const char *file, int line, const char *format, ...) {
    const char *base = strrchr(file, '/');
    va_list args;
    va_start(args, format);
    dprintf(verdict, "%s:%d: ", base ? base + 1 : file, line);
    vdprintf(verdict, format, args);
    dprintf(verdict, " (CHECK_SEED=%llu)", (unsigned long long)seed);
    va_end(args);
    _exit(1);
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do. */
uint64_t random_u64(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t random_below(uint64_t n) { return random_u64() % n; }

void random_fill(void *to, size_t n) {
    unsigned char *bytes = to;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)random_u64();
}

/* In the child: nothing but "ok" at the very end is success. */
static void run(int i) {
    alarm(LIMIT_SECONDS);
    checks[i].run();
    dprintf(verdict, "ok");
    _exit(0);
}

static size_t read_all(int fd, char *to, size_t size) {
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(fd, to + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    to[n] = 0;
    return n;
}

static void report(int i) {
    char text[1000];
    int ends[2], status;
    fprintf(stderr, "---- %s\n", checks[i].name);
    if (pipe(ends))
        abort();
    pid_t child = fork();
    if (child < 0)
        abort();
    if (!child) {
        verdict = ends[1];
        run(i);
    }
    close(ends[1]);
    size_t n = read_all(ends[0], text, sizeof text);
    close(ends[0]);
    waitpid(child, &status, 0);
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    if (!strcmp(text, "ok") && !status)
        printf("TEST %s ok\n", checks[i].name);
    else if (n && strcmp(text, "ok"))
        printf("TEST %s fail %s\n", checks[i].name, text);
    else if (WIFSIGNALED(status))
        printf("TEST %s fail ended by signal %d (%s)\n", checks[i].name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        printf("TEST %s fail ended with status %d\n", checks[i].name, WEXITSTATUS(status));
    fflush(stdout);
}

int main(void) {
    const char *wanted = getenv("CHECK_SEED");
    state = seed = wanted ? strtoull(wanted, NULL, 0) : 1;
    for (int i = 0; i < check_count; i++)
        report(i);
    printf("TESTS %d done\n", check_count);
    return 0;
}
