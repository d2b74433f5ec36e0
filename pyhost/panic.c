/*
 * The kernel's panic asks the interpreter for the Python side of the story.
 *
 * The hook runs on a panic stack, with interrupts off, in the middle of anything: it may read the
 * interpreter's structures and call write(2), nothing else. CPython's own crash handler has a
 * function for exactly that.
 */
#define Py_BUILD_CORE
#include "pyhost.h"

#include <internal/pycore_traceback.h>
#include <string.h>
#include <unistd.h>

static void dump_all_threads(int fd)
{
    if (!Py_IsInitialized())
        return;
    const char *problem = _Py_DumpTracebackThreads(fd, NULL, NULL);
    if (problem) {
        /* Nobody is left to tell when even this cannot be written. */
        ssize_t ignored = write(fd, problem, strlen(problem));
        (void)ignored;
    }
}

void panic_register(void)
{
    /* A kernel without the hook is no reason not to run. */
    (void)syscall(OVUM_SYS_SET_PANIC_HOOK, dump_all_threads);
}
