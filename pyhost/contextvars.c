/*
 * _contextvars, which Debian has as a shared library, as a builtin module. The services thread needs
 * it when it starts, and must not wait for the dynamic linker then: a program's library may be reading
 * /proc from its constructor, with the linker's lock held, and so be waiting for services.
 */
#include "pyhost.h"

PyDoc_STRVAR(copy_context_doc, "copy_context($module, /)\n--\n\n"
                               "Return a copy of the current context.");

static PyObject *copy_context(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyContext_CopyCurrent();
}

static PyMethodDef methods[] = {
    {"copy_context", copy_context, METH_NOARGS, copy_context_doc},
    {NULL, NULL, 0, NULL},
};

static int contextvars_exec(PyObject *module)
{
    PyTypeObject *const types[] = {&PyContext_Type, &PyContextVar_Type, &PyContextToken_Type};

    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, contextvars_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_contextvars",
    .m_doc = "Context Variables",
    .m_methods = methods,
    .m_slots = slots,
};

PyObject *PyInit__contextvars(void) { return PyModuleDef_Init(&definition); }
