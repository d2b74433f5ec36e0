/*
 * _kernel.mmio: physical memory as a memoryview.
 *
 * The view's exporter is a Mapping, an object that Python code meets only as `view.obj`. It takes
 * the kernel's mapping back when the last view or slice of it is gone.
 */
#include "pyhost.h"

/* Physical addresses have at most 52 bits on x86-64 (Intel SDM volume 3, 4.1.4). */
#define PHYSICAL_LIMIT (UINT64_C(1) << 52)

struct mapping {
    PyObject_HEAD
    void *address;
    Py_ssize_t size;
};

static int mapping_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    struct mapping *mapping = (struct mapping *)self;

    return PyBuffer_FillInfo(view, self, mapping->address, mapping->size, 0, flags);
}

static void mapping_dealloc(PyObject *self)
{
    struct mapping *mapping = (struct mapping *)self;
    PyTypeObject *type = Py_TYPE(self);

    if (mapping->address) {
        PyObject *pending = PyErr_GetRaisedException();
        if (ring0_call(OVUM_SYS_MMIO_UNMAP, (long)mapping->address, mapping->size, 0) < 0)
            PyErr_WriteUnraisable(NULL);
        PyErr_SetRaisedException(pending);
    }
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot mapping_slots[] = {
    {Py_tp_doc, "A mapping of physical memory; ends when nothing refers to it."},
    {Py_tp_dealloc, mapping_dealloc},
    {Py_bf_getbuffer, mapping_getbuffer},
    {0, NULL},
};

PyType_Spec mmio_mapping_spec = {
    .name = "_kernel.Mapping",
    .basicsize = sizeof(struct mapping),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mapping_slots,
};

PyDoc_STRVAR(mmio_doc,
             "mmio($module, phys, size, /)\n--\n\n"
             "Map size bytes at the physical address phys; return a writable memoryview.\n\n"
             "The mapping is uncached and ends when the last view of it is gone. Neither phys nor\n"
             "size needs alignment. An item is read and written with one access of its size, so\n"
             "view.cast('I') serves registers of 32 bits and cast('Q') those of 64; copying a\n"
             "slice uses accesses of any size. Raises ValueError for a range that is empty or\n"
             "past 52 bits, OSError(ENOMEM) without room for the mapping, OSError(EPERM) outside\n"
             "ring 0 or when the range is memory that the kernel manages.");

static PyObject *mmio(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    struct kernel_state *state = PyModule_GetState(module);
    uint64_t phys, size;

    if (!args_count("mmio", count, 2, 2) ||
        !args_unsigned(args[0], "phys", PHYSICAL_LIMIT - 1, &phys) ||
        !args_range(args[1], "size", 1, PHYSICAL_LIMIT - phys, &size) || !ring0_require())
        return NULL;
    struct mapping *mapping = PyObject_New(struct mapping, state->mapping_type);
    if (!mapping)
        return NULL;
    mapping->address = NULL;
    mapping->size = (Py_ssize_t)size;
    PyObject *view = NULL;
    long address = ring0_call(OVUM_SYS_MMIO_MAP, (long)phys, (long)size, 0);
    if (address != -1) {
        mapping->address = (void *)address;
        view = PyMemoryView_FromObject((PyObject *)mapping);
    }
    Py_DECREF(mapping);
    return view;
}

PyMethodDef mmio_methods[] = {
    {"mmio", _PyCFunction_CAST(mmio), METH_FASTCALL, mmio_doc},
    {NULL, NULL, 0, NULL},
};
