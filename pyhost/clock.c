/*
 * The `time` module reads the clocks that everybody reads all the time straight from the time
 * stamp counter: monotonic, perf_counter, time, and their _ns forms. CPython's own go through the
 * C library, the vDSO, struct timespec and back to nanoseconds, to the same number.
 *
 * Only in ring 0: on Linux the module is CPython's.
 */
#include "pyhost.h"

#include <string.h>
#include <sys/auxv.h>

#include "core/vdso_data.h"

#define PAGE 4096
#define NS_PER_SECOND 1e9
#define MOST_SLOTS 8

PyMODINIT_FUNC PyInit_time(void); /* CPython's */

/* The page right below the vDSO, which the kernel fills and changes when the wall clock is set. */
static const volatile struct vdso_data *clock_data;

static inline uint64_t monotonic_ns(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    uint64_t ticks = ((uint64_t)high << 32 | low) - clock_data->tsc_start;
    return (uint64_t)((unsigned __int128)ticks * clock_data->scale >> 32);
}

static inline int64_t wall_ns(void)
{
    return (int64_t)monotonic_ns() + clock_data->wall_offset;
}

static PyObject *time_monotonic(PyObject *module, PyObject *unused)
{
    return PyFloat_FromDouble((double)monotonic_ns() / NS_PER_SECOND);
}

static PyObject *time_monotonic_ns(PyObject *module, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(monotonic_ns());
}

static PyObject *time_time(PyObject *module, PyObject *unused)
{
    return PyFloat_FromDouble((double)wall_ns() / NS_PER_SECOND);
}

static PyObject *time_time_ns(PyObject *module, PyObject *unused)
{
    return PyLong_FromLongLong(wall_ns());
}

static PyMethodDef methods[] = {
    {"monotonic", time_monotonic, METH_NOARGS, NULL},
    {"monotonic_ns", time_monotonic_ns, METH_NOARGS, NULL},
    {"perf_counter", time_monotonic, METH_NOARGS, NULL},
    {"perf_counter_ns", time_monotonic_ns, METH_NOARGS, NULL},
    {"time", time_time, METH_NOARGS, NULL},
    {"time_ns", time_time_ns, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int replace_functions(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}

/* What help() says of them stays CPython's. */
static void take_docstrings(const PyMethodDef *theirs)
{
    for (; theirs && theirs->ml_name; theirs++)
        for (PyMethodDef *ours = methods; ours->ml_name; ours++)
            if (strcmp(ours->ml_name, theirs->ml_name) == 0)
                ours->ml_doc = theirs->ml_doc;
}

PyObject *clock_init_time(void)
{
    static PyModuleDef definition;
    static PyModuleDef_Slot slots[MOST_SLOTS + 2];
    PyObject *original = PyInit_time();
    unsigned long vdso = getauxval(AT_SYSINFO_EHDR);

    if (!original || !ring0_active() || !vdso)
        return original;
    const PyModuleDef *theirs = (const PyModuleDef *)original;
    size_t count = 0;
    while (theirs->m_slots[count].slot) {
        if (count == MOST_SLOTS)
            return original;
        slots[count] = theirs->m_slots[count];
        count++;
    }
    slots[count] = (PyModuleDef_Slot){Py_mod_exec, replace_functions};
    clock_data = (const volatile struct vdso_data *)(vdso - PAGE);
    take_docstrings(theirs->m_methods);
    definition = (PyModuleDef){
        .m_base = PyModuleDef_HEAD_INIT,
        .m_name = theirs->m_name,
        .m_doc = theirs->m_doc,
        .m_size = theirs->m_size,
        .m_methods = theirs->m_methods,
        .m_slots = slots,
        .m_traverse = theirs->m_traverse,
        .m_clear = theirs->m_clear,
        .m_free = theirs->m_free,
    };
    return PyModuleDef_Init(&definition);
}
