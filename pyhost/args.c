/* Checks of arguments that all functions of _kernel share: a wrong one raises, never crashes. */
#include "pyhost.h"

bool args_count(const char *name, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most)
{
    if (count >= least && count <= most)
        return true;
    if (least == most)
        PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments (%zd given)", name, least, count);
    else
        PyErr_Format(PyExc_TypeError, "%s() takes %zd to %zd arguments (%zd given)", name, least,
                     most, count);
    return false;
}

bool args_unsigned(PyObject *arg, const char *name, uint64_t most, uint64_t *value)
{
    return args_range(arg, name, 0, most, value);
}

bool args_range(PyObject *arg, const char *name, uint64_t least, uint64_t most, uint64_t *value)
{
    PyObject *number = PyNumber_Index(arg);

    if (!number)
        return false;
    unsigned long long got = PyLong_AsUnsignedLongLong(number);
    bool overflow = got == (unsigned long long)-1 && PyErr_Occurred();
    Py_DECREF(number);
    if (overflow && !PyErr_ExceptionMatches(PyExc_OverflowError))
        return false;
    if (overflow || got < least || got > most) {
        PyErr_Clear();
        /* Small limits are counts and levels, large ones the bits of a register. */
        PyErr_Format(PyExc_ValueError,
                     most < 256 ? "%s must be from %llu to %llu, not %R"
                                : "%s must be from %llu to 0x%llx, not %R",
                     name, (unsigned long long)least, (unsigned long long)most, arg);
        return false;
    }
    *value = got;
    return true;
}
