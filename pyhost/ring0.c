/*
 * Are we in ring 0, and how to call the kernel's own services from there.
 *
 * pyhost also runs on Linux, for tests and comparisons. There _kernel imports and checks its
 * arguments, but whatever needs the machine raises OSError(EPERM).
 */
#include "pyhost.h"

#include <errno.h>
#include <unistd.h>

bool ring0_active(void)
{
    uint16_t selector;

    /* The low two bits of CS are the current privilege level. */
    __asm__("mov %%cs, %0" : "=r"(selector));
    return (selector & 3) == 0;
}

bool ring0_require(void)
{
    if (ring0_active())
        return true;
    PyObject *args = Py_BuildValue("(is)", EPERM, "not in ring 0");
    if (args) {
        PyErr_SetObject(PyExc_OSError, args);
        Py_DECREF(args);
    }
    return false;
}

long ring0_call(long number, long first, long second, long third)
{
    long result = syscall(number, first, second, third);

    if (result == -1)
        PyErr_SetFromErrno(PyExc_OSError);
    return result;
}
