/*
 * The interpreter's lock, as the services thread needs it: at once. A thread that wants the lock
 * waits the switch interval (5 ms) before it asks the holder for it; CPython has no public way to
 * ask earlier for one thread only, so this file reads the interpreter's own structures, whose
 * layout is that of the one version in the sysroot.
 */
#define Py_BUILD_CORE
#include "pyhost.h"

#include <internal/pycore_ceval.h>
#include <internal/pycore_interp.h>

void gil_take_soon(PyThreadState *self)
{
    /* The lock's holder cannot run while the services thread does, which outranks all others on the
     * one processor: what is read here stays true until this thread waits for the lock. */
    struct _gil_runtime_state *gil = PyThreadState_GetInterpreter(self)->ceval.gil;

    if (_Py_atomic_load_int_relaxed(&gil->locked) && gil->last_holder)
        _Py_set_eval_breaker_bit(gil->last_holder, _PY_GIL_DROP_REQUEST_BIT);
    PyEval_RestoreThread(self);
}
