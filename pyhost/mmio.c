/*
 * _kernel's memory: of devices, for devices, and physical memory as it is. All as memoryviews.
 *
 * The view's exporter is a Mapping, an object that Python code meets only as `view.obj`. It gives
 * the memory back when the last view or slice of it is gone.
 */
#include "pyhost.h"

#include <unistd.h>

/* Physical addresses have at most 52 bits on x86-64 (Intel SDM volume 3, 4.1.4). */
#define PHYSICAL_LIMIT (UINT64_C(1) << 52)

enum kind { KIND_DEVICE, KIND_DMA, KIND_RAM };

struct mapping {
    PyObject_HEAD
    enum kind kind;
    void *address;
    Py_ssize_t size;
};

static int mapping_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    struct mapping *mapping = (struct mapping *)self;

    return PyBuffer_FillInfo(view, self, mapping->address, mapping->size, mapping->kind == KIND_RAM, flags);
}

static void mapping_dealloc(PyObject *self)
{
    struct mapping *mapping = (struct mapping *)self;
    PyTypeObject *type = Py_TYPE(self);

    if (mapping->address && mapping->kind != KIND_RAM)
        syscall(mapping->kind == KIND_DMA ? OVUM_SYS_DMA_FREE : OVUM_SYS_MMIO_UNMAP, mapping->address,
                mapping->size);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* A view of memory that a call returned the address of; -1 is an error that is set. */
static PyObject *view_of(PyObject *module, long address, uint64_t size, enum kind kind)
{
    struct kernel_state *state = PyModule_GetState(module);
    struct mapping *mapping = address == -1 ? NULL : PyObject_New(struct mapping, state->mapping_type);

    if (!mapping)
        return NULL;
    mapping->kind = kind;
    mapping->address = (void *)address;
    mapping->size = (Py_ssize_t)size;
    PyObject *view = PyMemoryView_FromObject((PyObject *)mapping);
    Py_DECREF(mapping);
    return view;
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
             "mmio($module, phys, size, write_combining=False, /)\n--\n\n"
             "Map size bytes of a device at the physical address phys; return a writable memoryview.\n\n"
             "The mapping is uncached, or write-combining for a frame buffer, and ends when the last\n"
             "view of it is gone. Neither phys nor size needs alignment. An item is read and written\n"
             "with one access of its size, so view.cast('I') serves registers of 32 bits and\n"
             "cast('Q') those of 64; copying a slice uses accesses of any size. Raises ValueError for\n"
             "a range that is empty or past 52 bits, OSError(ENOMEM) without room for the mapping,\n"
             "OSError(EPERM) outside ring 0 or when the range is memory that the kernel manages.");

static PyObject *mmio(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t phys, size;

    if (!args_count("mmio", count, 2, 3) ||
        !args_unsigned(args[0], "phys", PHYSICAL_LIMIT - 1, &phys) ||
        !args_range(args[1], "size", 1, PHYSICAL_LIMIT - phys, &size))
        return NULL;
    int combining = count == 3 ? PyObject_IsTrue(args[2]) : 0;
    if (combining < 0 || !ring0_require())
        return NULL;
    return view_of(module, ring0_call(OVUM_SYS_MMIO_MAP, (long)phys, (long)size, combining), size,
                   KIND_DEVICE);
}

PyDoc_STRVAR(dma_alloc_doc,
             "dma_alloc($module, size, /)\n--\n\n"
             "Return (memoryview, physical address) of memory that devices can reach.\n\n"
             "It is contiguous, zero-filled, cached, begins on a page boundary (of the power of two\n"
             "that holds it) and is at most 4 MiB. It is given back when the last view of it is\n"
             "gone: have the device let go of it before. System calls refuse it as a buffer\n"
             "(EFAULT). Raises ValueError for a size that is empty or too large, OSError(ENOMEM)\n"
             "without such memory, OSError(EPERM) outside ring 0.");

static PyObject *dma_alloc(PyObject *module, PyObject *arg)
{
    uint64_t size, physical = 0;

    if (!args_range(arg, "size", 1, 4 << 20, &size) || !ring0_require())
        return NULL;
    PyObject *view =
        view_of(module, ring0_call(OVUM_SYS_DMA_ALLOC, (long)size, (long)&physical, 0), size, KIND_DMA);
    return view ? Py_BuildValue("NK", view, physical) : NULL;
}

PyDoc_STRVAR(ram_doc,
             "ram($module, phys, size, /)\n--\n\n"
             "Physical memory as it is, as a read-only memoryview: to look at.\n\n"
             "Whoever owns the memory may change it meanwhile. Raises ValueError for a range that is\n"
             "empty or past 52 bits, OSError(EINVAL) when not all of it is memory (mmio() shows what\n"
             "is not), OSError(EPERM) outside ring 0.");

static PyObject *ram(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t phys, size;

    if (!args_count("ram", count, 2, 2) ||
        !args_unsigned(args[0], "phys", PHYSICAL_LIMIT - 1, &phys) ||
        !args_range(args[1], "size", 1, PHYSICAL_LIMIT - phys, &size) || !ring0_require())
        return NULL;
    return view_of(module, ring0_call(OVUM_SYS_RAM_ADDRESS, (long)phys, (long)size, 0), size, KIND_RAM);
}

PyDoc_STRVAR(physical_doc,
             "physical($module, buffer, /)\n--\n\n"
             "Where a buffer is in physical memory: a list of (address, length), in order.\n\n"
             "For devices that are to read from it, or to write into it where it is writable. It\n"
             "must stay where it is meanwhile: memory of dma_alloc() does, and the buffer of a\n"
             "request until that is completed. Raises OSError(EFAULT) for memory that is not there\n"
             "yet or is shared with a file, OSError(EPERM) outside ring 0.");

static PyObject *physical(PyObject *module, PyObject *arg)
{
    uint64_t few[2 * 64], *ranges = few;
    Py_buffer view;

    (void)module;
    if (!ring0_require() || PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *list = NULL;
    long room = 64, count;
    for (;;) {
        count = view.len ? syscall(OVUM_SYS_PHYSICAL_RANGES, view.buf, view.len, !view.readonly, ranges, room) : 0;
        if (count <= room)
            break;
        room = count;
        uint64_t *more = PyMem_Realloc(ranges == few ? NULL : ranges, (size_t)room * 16);
        if (!more) {
            PyErr_NoMemory();
            goto end;
        }
        ranges = more;
    }
    if (count < 0)
        PyErr_SetFromErrno(PyExc_OSError);
    else
        list = PyList_New(count);
    for (long i = 0; list && i < count; i++) {
        PyObject *pair = Py_BuildValue("KK", ranges[2 * i], ranges[2 * i + 1]);
        if (pair)
            PyList_SET_ITEM(list, i, pair);
        else
            Py_CLEAR(list);
    }
end:
    if (ranges != few)
        PyMem_Free(ranges);
    PyBuffer_Release(&view);
    return list;
}

PyDoc_STRVAR(fence_doc,
             "fence($module, /)\n--\n\n"
             "What was stored before is seen by devices before what is loaded after it is read.\n\n"
             "The processor may put a load before an earlier store (Intel SDM 3A, 9.2.2): a driver\n"
             "that tells a device something and then asks whether it wants to be notified needs this\n"
             "in between. Works in every ring.");

static PyObject *fence(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    __asm__ volatile("mfence" : : : "memory");
    Py_RETURN_NONE;
}

PyMethodDef mmio_methods[] = {
    {"mmio", _PyCFunction_CAST(mmio), METH_FASTCALL, mmio_doc},
    {"dma_alloc", dma_alloc, METH_O, dma_alloc_doc},
    {"ram", _PyCFunction_CAST(ram), METH_FASTCALL, ram_doc},
    {"physical", physical, METH_O, physical_doc},
    {"fence", fence, METH_NOARGS, fence_doc},
    {NULL, NULL, 0, NULL},
};
