/*
 * The kernel's panic asks the interpreter for the Python side of the story.
 *
 * The hook runs on a panic stack, with interrupts off, in the middle of anything: it may read the
 * interpreter's structures and call write(2), nothing else. CPython has code for exactly that, the
 * signal handler that faulthandler.register() installs, but no public name for it. So it is
 * registered for a signal that nobody uses, and the address is asked back from the kernel.
 */
#include "pyhost.h"

#include <signal.h>
#include <unistd.h>

static void (*dump_traceback)(int);

static void dump_all_threads(void)
{
    dump_traceback(SIGRTMAX);
}

int panic_register(void)
{
    struct sigaction action;
    PyObject *module = PyImport_ImportModule("faulthandler");
    PyObject *result = module ? PyObject_CallMethod(module, "register", "iii", SIGRTMAX, STDERR_FILENO, 1)
                              : NULL;

    Py_XDECREF(module);
    if (!result)
        return -1;
    Py_DECREF(result);
    if (sigaction(SIGRTMAX, NULL, &action) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    dump_traceback = action.sa_handler;
    /* A kernel without the hook is no reason not to run. */
    (void)syscall(OVUM_SYS_SET_PANIC_HOOK, dump_all_threads);
    return 0;
}
