/*
 * The interpreter's lock, as the services thread needs it: at once. A thread that wants the lock
 * waits the switch interval (5 ms) before it asks the holder for it, and when the holder gives it
 * up, who waited longest is woken, so that several threads that compute would pass it among
 * themselves. CPython has no public way to go before them; this file reads the interpreter's own
 * structures, whose layout is that of the one version in the sysroot.
 */
#define Py_BUILD_CORE
#include "pyhost.h"

#include <internal/pycore_ceval.h>
#include <internal/pycore_interp.h>
#include <unistd.h>

void gil_take_soon(PyThreadState *self)
{
    /* No other thread runs while the services thread does, which outranks them on the one processor:
     * what is read here stays true until it waits. */
    struct _gil_runtime_state *gil = PyThreadState_GetInterpreter(self)->ceval.gil;

    /* The holder gives the lock up at its next look at the bit, and does not go on before somebody
     * else has taken it. In between the kernel wakes this thread, before those who wait longer. */
    while (_Py_atomic_load_int_relaxed(&gil->locked) && gil->last_holder) {
        _Py_set_eval_breaker_bit(gil->last_holder, _PY_GIL_DROP_REQUEST_BIT);
        if (syscall(OVUM_SYS_SERVICES_WAIT_ZERO, &gil->locked) < 0)
            break;
    }
    PyEval_RestoreThread(self);
}
