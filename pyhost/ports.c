/* _kernel's I/O ports: in8 to out32. Intel SDM volume 1, chapter 19. */
#include "pyhost.h"

static bool port_argument(PyObject *arg, unsigned width, uint16_t *port)
{
    uint64_t value;

    /* The last byte of a wider access must be a port as well. */
    if (!args_unsigned(arg, "port", 0x10000 - width, &value))
        return false;
    *port = (uint16_t)value;
    return true;
}

#define PORT_FUNCTIONS(bits, ctype, suffix)                                                       \
    static PyObject *in##bits(PyObject *module, PyObject *arg)                                    \
    {                                                                                             \
        uint16_t port;                                                                            \
        ctype value;                                                                              \
        (void)module;                                                                             \
        if (!port_argument(arg, sizeof(ctype), &port) || !ring0_require())                        \
            return NULL;                                                                          \
        __asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");            \
        return PyLong_FromUnsignedLong(value);                                                    \
    }                                                                                             \
                                                                                                  \
    static PyObject *out##bits(PyObject *module, PyObject *const *args, Py_ssize_t count)         \
    {                                                                                             \
        uint16_t port;                                                                            \
        uint64_t value;                                                                           \
        (void)module;                                                                             \
        if (!args_count("out" #bits, count, 2, 2) ||                                              \
            !port_argument(args[0], sizeof(ctype), &port) ||                                      \
            !args_unsigned(args[1], "value", (ctype)-1, &value) || !ring0_require())              \
            return NULL;                                                                          \
        __asm__ volatile("out" suffix " %0, %1" : : "a"((ctype)value), "Nd"(port) : "memory");    \
        Py_RETURN_NONE;                                                                           \
    }

PORT_FUNCTIONS(8, uint8_t, "b")
PORT_FUNCTIONS(16, uint16_t, "w")
PORT_FUNCTIONS(32, uint32_t, "l")

#define IN_DOC(bits, most)                                                                        \
    "in" bits "($module, port, /)\n--\n\n"                                                        \
    "Read " bits " bits from an I/O port (0 to " most ") and return them as an int.\n\n"          \
    "Raises ValueError for a port that does not exist and OSError(EPERM) outside ring 0."
#define OUT_DOC(bits, most)                                                                       \
    "out" bits "($module, port, value, /)\n--\n\n"                                                \
    "Write an int of " bits " bits to an I/O port (0 to " most ").\n\n"                           \
    "Raises ValueError for a port that does not exist or a value that does not fit, and\n"        \
    "OSError(EPERM) outside ring 0."

PyMethodDef ports_methods[] = {
    {"in8", in8, METH_O, IN_DOC("8", "0xffff")},
    {"in16", in16, METH_O, IN_DOC("16", "0xfffe")},
    {"in32", in32, METH_O, IN_DOC("32", "0xfffc")},
    {"out8", _PyCFunction_CAST(out8), METH_FASTCALL, OUT_DOC("8", "0xffff")},
    {"out16", _PyCFunction_CAST(out16), METH_FASTCALL, OUT_DOC("16", "0xfffe")},
    {"out32", _PyCFunction_CAST(out32), METH_FASTCALL, OUT_DOC("32", "0xfffc")},
    {NULL, NULL, 0, NULL},
};
