/*
 * The builtin module _kernel, the only door between Python and the machine.
 *
 * It holds mechanism only; each hardware area has a file of its own. Every function checks its
 * arguments before anything else, so that their checks can be tested on Linux, too.
 */
#include "pyhost.h"

#include "sys/request_abi.h"

PyDoc_STRVAR(kernel_doc,
             "The machine under ovum: ports, registers, memory, power.\n\n"
             "Numbers are plain ints. A wrong argument raises TypeError or ValueError; what the\n"
             "machine refuses raises OSError. Outside ring 0, whatever needs the machine raises\n"
             "OSError(EPERM); IN_RING0 tells where this is.");

static int kernel_exec(PyObject *module)
{
    struct kernel_state *state = PyModule_GetState(module);
    PyMethodDef *areas[] = {ports_methods, cpu_methods, mmio_methods, machine_methods,
                              requests_methods, services_methods, sockets_methods};
    const struct {
        const char *name;
        long value;
    } constants[] = {
        {"EVENT_REQUEST", EVENT_REQUEST},
        {"EVENT_CANCEL", EVENT_CANCEL},
        {"EVENT_INTERRUPT", EVENT_INTERRUPT},
        {"EVENT_POWER_BUTTON", EVENT_POWER_BUTTON},
        {"EVENT_LOG", EVENT_LOG},
        {"EVENT_SCREEN", EVENT_SCREEN},
        {"EVENT_SOCKETS", EVENT_SOCKETS},
        {"EXIT_SIGNAL", EXIT_SIGNAL},
    };

    for (size_t i = 0; i < Py_ARRAY_LENGTH(areas); i++)
        if (PyModule_AddFunctions(module, areas[i]) < 0)
            return -1;
    state->mapping_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &mmio_mapping_spec, NULL);
    state->request_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &request_spec, NULL);
    state->door_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &door_spec, NULL);
    if (!state->mapping_type || !state->request_type || !state->door_type ||
        PyModule_AddObjectRef(module, "Socket", (PyObject *)state->door_type) < 0 ||
        PyModule_AddObjectRef(module, "Request", (PyObject *)state->request_type) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return PyModule_AddObjectRef(module, "IN_RING0", ring0_active() ? Py_True : Py_False);
}

static int kernel_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct kernel_state *state = PyModule_GetState(module);

    Py_VISIT(state->mapping_type);
    Py_VISIT(state->request_type);
    Py_VISIT(state->door_type);
    return 0;
}

static int kernel_clear(PyObject *module)
{
    struct kernel_state *state = PyModule_GetState(module);

    Py_CLEAR(state->mapping_type);
    Py_CLEAR(state->request_type);
    Py_CLEAR(state->door_type);
    return 0;
}

static PyModuleDef_Slot kernel_slots[] = {
    {Py_mod_exec, kernel_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef kernel_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kernel",
    .m_doc = kernel_doc,
    .m_size = sizeof(struct kernel_state),
    .m_slots = kernel_slots,
    .m_traverse = kernel_traverse,
    .m_clear = kernel_clear,
};

PyObject *PyInit__kernel(void)
{
    return PyModuleDef_Init(&kernel_module);
}
