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
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

/* Locks a mutex that a thread may hold which this one has interrupted, and which would have to wait for its
 * turn among others that compute: until it has let go, it has this thread's priority. Whoever holds it at
 * the first look holds it at the second, since no other thread runs in between; a thread that is about to
 * be the owner, or no longer is, has not said so: it is waited for as it comes. */
static void lock_soon(pthread_mutex_t *mutex)
{
    struct sched_param own = {.sched_priority = 1}, before;

    if (pthread_mutex_trylock(mutex) == 0)
        return;
    int owner = mutex->__data.__owner;
    int policy = owner ? sched_getscheduler(owner) : -1;
    bool raise = policy >= 0 && policy != SCHED_FIFO && policy != SCHED_RR &&
                 sched_getparam(owner, &before) == 0 &&
                 sched_setscheduler(owner, SCHED_FIFO, &own) == 0;
    pthread_mutex_lock(mutex);
    if (raise)
        sched_setscheduler(owner, policy, &before);
}

/* Asks the holder to give the lock up at its next look at the bit; the holder's thread, 0 if nobody has
 * it. Under the mutex, because whoever takes the lock clears its own bit last, with the mutex still its. */
static unsigned long ask_holder(struct _gil_runtime_state *gil)
{
    unsigned long holder = 0;

    lock_soon(&gil->mutex);
    if (_Py_atomic_load_int_relaxed(&gil->locked)) {
        _Py_set_eval_breaker_bit(gil->last_holder, _PY_GIL_DROP_REQUEST_BIT);
        holder = gil->last_holder->native_thread_id;
    }
    pthread_mutex_unlock(&gil->mutex);
    return holder;
}

/* At the interpreter's end threads that want the lock end instead (PyEval_RestoreThread). The holder that this
 * one has asked would wait for ever for somebody to take it (gh-96387). */
static void ask_no_more(struct _gil_runtime_state *gil)
{
    lock_soon(&gil->mutex);
    if (_Py_atomic_load_int_relaxed(&gil->locked))
        _Py_unset_eval_breaker_bit(gil->last_holder, _PY_GIL_DROP_REQUEST_BIT);
    else
        _Py_atomic_store_ptr_relaxed(&gil->last_holder, NULL);
    pthread_mutex_unlock(&gil->mutex);
    lock_soon(&gil->switch_mutex);
    pthread_cond_signal(&gil->switch_cond);
    pthread_mutex_unlock(&gil->switch_mutex);
}

void gil_take_soon(PyThreadState *self)
{
    struct _gil_runtime_state *gil = PyThreadState_GetInterpreter(self)->ceval.gil;
    unsigned long holder;

    /* No other thread runs while the services thread does, which outranks them on the one processor:
     * the holder that was asked is the holder until this thread waits. It does not go on before
     * somebody else has taken the lock; in between the kernel wakes this thread, before those who
     * wait longer. */
    while (!Py_IsFinalizing() && (holder = ask_holder(gil)))
        if (syscall(OVUM_SYS_SERVICES_WAIT_ZERO, &gil->locked, holder) < 0)
            break;
    if (Py_IsFinalizing())
        ask_no_more(gil);
    PyEval_RestoreThread(self);
}
