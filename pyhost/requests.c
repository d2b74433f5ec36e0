/*
 * _kernel.wait: what happened that services must see to, and _kernel.Request: a system call that
 * waits for an answer.
 */
#include "pyhost.h"

#include <structmember.h>
#include <unistd.h>

#include "sys/request_abi.h"

#define AT_ONCE 32 /* events that one wait() returns */

struct request {
    PyObject_HEAD
    struct service_event event;
    PyObject *path, *path2, *buffer;
    bool done;
};

static int done_error(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the request is completed already");
    return -1;
}

/* Every view of the caller's memory, and what was sliced or cast from it, raises ValueError from
 * now on: they share the managed buffer whose flag this is. -1 with BufferError when something else
 * (an array, a socket call) still has the address. */
static int end_buffer(struct request *r)
{
    if (!r->buffer)
        return 0;
    PyMemoryViewObject *view = (PyMemoryViewObject *)r->buffer;
    if (view->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "the request's buffer is still exported");
        return -1;
    }
    view->mbuf->flags |= _Py_MANAGED_BUFFER_RELEASED;
    Py_CLEAR(r->buffer);
    return 0;
}

PyDoc_STRVAR(abandon_doc,
             "abandon($self, /)\n--\n\n"
             "Answer the call with EIO although something still uses the buffer, which is the\n"
             "caller's memory again; nothing if it was answered before.");

static PyObject *request_abandon(PyObject *self, PyObject *unused)
{
    struct request *r = (struct request *)self;

    (void)unused;
    if (!r->done) {
        if (r->buffer)
            ((PyMemoryViewObject *)r->buffer)->mbuf->flags |= _Py_MANAGED_BUFFER_RELEASED;
        r->done = true;
        syscall(OVUM_SYS_SERVICES_COMPLETE, r->event.number, (long)-EIO, 0L, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *complete(struct request *r, long result, uint64_t extra, const char *path)
{
    if (r->done) {
        done_error();
        return NULL;
    }
    if (end_buffer(r) < 0)
        return NULL;
    if (syscall(OVUM_SYS_SERVICES_COMPLETE, r->event.number, result, extra, path) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    r->done = true;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(complete_doc,
             "complete($self, result, extra=0, /)\n--\n\n"
             "Answer the call: its result (0 or more) or minus errno, and a second number where\n"
             "the operation has one. From here on `buffer` is dead: every view of it raises\n"
             "ValueError. Raises BufferError while something else uses the buffer (the request\n"
             "then stays open), RuntimeError when it was answered before.");

static PyObject *request_complete(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    uint64_t extra = 0;

    if (!args_count("complete", count, 1, 2))
        return NULL;
    long result = PyLong_AsLong(args[0]);
    if (result == -1 && PyErr_Occurred())
        return NULL;
    if (result < -4095) {
        PyErr_Format(PyExc_ValueError, "result must be at least -4095, not %ld", result);
        return NULL;
    }
    if (count == 2 && !args_unsigned(args[1], "extra", UINT64_MAX, &extra))
        return NULL;
    return complete((struct request *)self, result, extra, NULL);
}

PyDoc_STRVAR(redirect_doc,
             "redirect($self, path, second=False, /)\n--\n\n"
             "Have the call start again with another path (bytes), in place of its first or\n"
             "second one. A relative path starts at the directory that has the mount point.");

static PyObject *request_redirect(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!args_count("redirect", count, 1, 2))
        return NULL;
    if (!PyBytes_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "path must be bytes, not %T", args[0]);
        return NULL;
    }
    int second = count == 2 ? PyObject_IsTrue(args[1]) : 0;
    if (second < 0)
        return NULL;
    return complete((struct request *)self, second ? COMPLETE_REDIRECT_SECOND : COMPLETE_REDIRECT, 0,
                    PyBytes_AS_STRING(args[0]));
}

/* A request that is dropped unanswered would leave its caller waiting for ever. */
static void request_dealloc(PyObject *self)
{
    struct request *r = (struct request *)self;
    PyTypeObject *type = Py_TYPE(self);

    request_abandon(self, NULL);
    Py_XDECREF(r->path);
    Py_XDECREF(r->path2);
    Py_XDECREF(r->buffer);
    PyObject_Free(self);
    Py_DECREF(type);
}

#define EVENT(name, type, doc) {#name, type, offsetof(struct request, event.name), Py_READONLY, doc}

static PyMemberDef request_members[] = {
    EVENT(number, Py_T_ULONGLONG, "Identifies the request while it is open."),
    EVENT(operation, Py_T_UINT, "What is asked, ovum.services.vfs.Operation."),
    EVENT(mount, Py_T_UINT, "Number of the mount point."),
    EVENT(mount2, Py_T_UINT, "Number of the second path's mount point."),
    EVENT(base, Py_T_ULONGLONG, "Handle that path is relative to; 0: the mount's root."),
    EVENT(base2, Py_T_ULONGLONG, "Handle that path2 is relative to."),
    EVENT(a, Py_T_LONGLONG, "First argument."),
    EVENT(b, Py_T_LONGLONG, "Second argument."),
    EVENT(c, Py_T_LONGLONG, "Third argument."),
    EVENT(thread, Py_T_UINT, "Number of the calling thread; 0 where nobody waits."),
    {"path", Py_T_OBJECT_EX, offsetof(struct request, path), Py_READONLY, "bytes, not normalised."},
    {"path2", Py_T_OBJECT_EX, offsetof(struct request, path2), Py_READONLY, "The second path."},
    {"buffer", _Py_T_OBJECT, offsetof(struct request, buffer), Py_READONLY,
     "The caller's memory as a memoryview, until the request is completed; or None."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef request_methods[] = {
    {"complete", _PyCFunction_CAST(request_complete), METH_FASTCALL, complete_doc},
    {"redirect", _PyCFunction_CAST(request_redirect), METH_FASTCALL, redirect_doc},
    {"abandon", request_abandon, METH_NOARGS, abandon_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot request_slots[] = {
    {Py_tp_doc, "A system call of an application's thread that a task answers, once."},
    {Py_tp_dealloc, request_dealloc},
    {Py_tp_members, request_members},
    {Py_tp_methods, request_methods},
    {0, NULL},
};

PyType_Spec request_spec = {
    .name = "_kernel.Request",
    .basicsize = sizeof(struct request),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = request_slots,
};

static PyObject *new_request(const struct kernel_state *state, const struct service_event *e)
{
    struct request *r = PyObject_New(struct request, state->request_type);

    if (!r)
        return NULL;
    r->event = *e;
    r->done = false;
    r->path2 = r->buffer = NULL;
    r->path = PyBytes_FromStringAndSize((const char *)e->path, e->path_length);
    if (r->path)
        r->path2 = PyBytes_FromStringAndSize((const char *)e->path2, e->path2_length);
    if (r->path2 && e->buffer_size) {
        r->buffer = PyMemoryView_FromMemory((char *)e->buffer, (Py_ssize_t)e->buffer_size,
                                            e->writable ? PyBUF_WRITE : PyBUF_READ);
        if (!r->buffer)
            Py_CLEAR(r->path2);
    }
    if (!r->path2)
        Py_CLEAR(r); /* answered with EIO */
    return (PyObject *)r;
}

static PyObject *event_object(const struct kernel_state *state, const struct service_event *e)
{
    switch (e->kind) {
    case EVENT_REQUEST:
        return new_request(state, e);
    case EVENT_CANCEL:
        return Py_BuildValue("iK", EVENT_CANCEL, e->number);
    case EVENT_INTERRUPT:
        return Py_BuildValue("iKKK", EVENT_INTERRUPT, e->a, e->b, e->c);
    }
    return Py_BuildValue("(i)", (int)e->kind);
}

PyDoc_STRVAR(wait_doc,
             "wait($module, deadline, in_flight=1024, /)\n--\n\n"
             "Wait for events; return a list of them, empty at the deadline or after wake().\n\n"
             "deadline is in nanoseconds of time.monotonic_ns(), or None. An event is a Request or\n"
             "a tuple: (EVENT_CANCEL, number of the request whose caller has been interrupted),\n"
             "(EVENT_INTERRUPT, line, how many, time of the first in ns), (EVENT_POWER_BUTTON,),\n"
             "(EVENT_LOG,), (EVENT_SCREEN,), (EVENT_SOCKETS,).\n"
             "No more than in_flight requests are open at a time; further callers wait in line.\n"
             "Only the services thread may wait. Raises OSError: EBUSY elsewhere, EPERM outside\n"
             "ring 0. The interpreter's lock is released meanwhile and asked back at once.");

static PyObject *services_wait(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    const struct kernel_state *state = PyModule_GetState(module);
    struct service_event events[AT_ONCE];
    uint64_t deadline = UINT64_MAX, in_flight = 1024;

    if (!args_count("wait", count, 1, 2) ||
        (args[0] != Py_None && !args_unsigned(args[0], "deadline", UINT64_MAX - 1, &deadline)) ||
        (count == 2 && !args_unsigned(args[1], "in_flight", 1024, &in_flight)) || !ring0_require())
        return NULL;
    PyObject *list = PyList_New(0);
    if (!list)
        return NULL;
    PyThreadState *self = PyEval_SaveThread();
    long n = syscall(OVUM_SYS_SERVICES_WAIT, deadline, events, AT_ONCE, in_flight);
    int error = errno;
    gil_take_soon(self);
    if (n < 0) {
        Py_DECREF(list);
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    for (long i = 0; i < n; i++) {
        PyObject *event = event_object(state, &events[i]);
        if (!event || PyList_Append(list, event) < 0) {
            /* There is no memory: the caller is told, and those behind have their turn. */
            PyErr_Clear();
            if (events[i].kind == EVENT_REQUEST)
                syscall(OVUM_SYS_SERVICES_COMPLETE, events[i].number, (long)-ENOMEM, 0L, NULL);
        }
        Py_XDECREF(event);
    }
    return list;
}

/* The C library copies with vector registers, which take QEMU's emulator twice as long as this. */
__attribute__((target("general-regs-only"))) static void copy_words(char *to, const char *from,
                                                                    size_t size)
{
    for (; size >= 32; size -= 32, to += 32, from += 32) {
        uint64_t a, b, c, d;
        __builtin_memcpy(&a, from, 8);
        __builtin_memcpy(&b, from + 8, 8);
        __builtin_memcpy(&c, from + 16, 8);
        __builtin_memcpy(&d, from + 24, 8);
        __builtin_memcpy(to, &a, 8);
        __builtin_memcpy(to + 8, &b, 8);
        __builtin_memcpy(to + 16, &c, 8);
        __builtin_memcpy(to + 24, &d, 8);
    }
    for (size_t i = 0; i < size; i++)
        ((volatile char *)to)[i] = from[i];
}

PyDoc_STRVAR(copy_doc,
             "copy($module, to, data, /)\n--\n\n"
             "Copy data into the buffer `to` from its start on, as much as fits; how much it was.\n\n"
             "What `to[:n] = data` does, in half the time where the machine is emulated. The two must\n"
             "not overlap. Raises TypeError, BufferError.");

static PyObject *copy(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer to, from;

    (void)module;
    if (!args_count("copy", count, 2, 2) || PyObject_GetBuffer(args[0], &to, PyBUF_WRITABLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(args[1], &from, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&to);
        return NULL;
    }
    Py_ssize_t size = from.len < to.len ? from.len : to.len;
    copy_words(to.buf, from.buf, (size_t)size);
    PyBuffer_Release(&from);
    PyBuffer_Release(&to);
    return PyLong_FromSsize_t(size);
}

PyDoc_STRVAR(wake_doc,
             "wake($module, /)\n--\n\n"
             "Make wait() return. From any thread. Raises OSError(EPERM) outside ring 0.");

static PyObject *services_wake(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (!ring0_require() || ring0_call(OVUM_SYS_SERVICES_WAKE, 0, 0, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(mount_doc,
             "mount($module, path, number, /)\n--\n\n"
             "Have what is below the directory `path` (bytes) served by requests that carry\n"
             "`number`; 0 ends that. Raises OSError: ENOENT, ENOTDIR, EBUSY for the root, EXDEV\n"
             "for a directory within a mount, EINVAL for what is not mounted, EPERM outside ring 0.");

static PyObject *services_mount(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t number;

    (void)module;
    if (!args_count("mount", count, 2, 2))
        return NULL;
    if (!PyBytes_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "path must be bytes, not %T", args[0]);
        return NULL;
    }
    if (!args_unsigned(args[1], "number", UINT32_MAX, &number) || !ring0_require() ||
        ring0_call(OVUM_SYS_SERVICES_MOUNT, (long)PyBytes_AS_STRING(args[0]), (long)number, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *irq_call(PyObject *irq, long call)
{
    uint64_t line;

    if (!args_unsigned(irq, "irq", 255, &line) || !ring0_require() || ring0_call(call, (long)line, 0, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(irq_bind_doc,
             "irq_bind($module, irq, /)\n--\n\n"
             "Have interrupt `irq` told by wait(): below 16 ISA's, from there on the I/O APIC's own\n"
             "lines as PCI uses them (level-triggered). Raises OSError: EBUSY where it has an owner\n"
             "or does not exist, EINVAL, EPERM outside ring 0.");

static PyObject *irq_bind(PyObject *module, PyObject *irq)
{
    (void)module;
    return irq_call(irq, OVUM_SYS_IRQ_BIND);
}

PyDoc_STRVAR(irq_bind_message_doc,
             "irq_bind_message($module, /)\n--\n\n"
             "Bind a vector for message-signalled interrupts: (number, address, data).\n\n"
             "The device is to write the 32 bits `data` to `address`; wait() then tells of interrupt\n"
             "`number`. Raises OSError: ENOSPC when all are in use, EPERM outside ring 0.");

static PyObject *irq_bind_message(PyObject *module, PyObject *unused)
{
    uint64_t message[2];

    (void)module;
    (void)unused;
    if (!ring0_require())
        return NULL;
    long irq = ring0_call(OVUM_SYS_IRQ_BIND_MESSAGE, (long)message, 0, 0);
    return irq < 0 ? NULL : Py_BuildValue("lKK", irq, message[0], message[1]);
}

PyDoc_STRVAR(irq_acknowledge_doc,
             "irq_acknowledge($module, irq, /)\n--\n\n"
             "Let a level-triggered line interrupt again: its device has been seen to. Raises\n"
             "OSError: EINVAL for an interrupt that is not bound, EPERM outside ring 0.");

static PyObject *irq_acknowledge(PyObject *module, PyObject *irq)
{
    (void)module;
    return irq_call(irq, OVUM_SYS_IRQ_ACKNOWLEDGE);
}

PyDoc_STRVAR(irq_unbind_doc,
             "irq_unbind($module, irq, /)\n--\n\n"
             "Give interrupt `irq` up. Raises OSError: EINVAL, EPERM outside ring 0.");

static PyObject *irq_unbind(PyObject *module, PyObject *irq)
{
    (void)module;
    return irq_call(irq, OVUM_SYS_IRQ_UNBIND);
}

PyMethodDef requests_methods[] = {
    {"wait", _PyCFunction_CAST(services_wait), METH_FASTCALL, wait_doc},
    {"copy", _PyCFunction_CAST(copy), METH_FASTCALL, copy_doc},
    {"wake", services_wake, METH_NOARGS, wake_doc},
    {"mount", _PyCFunction_CAST(services_mount), METH_FASTCALL, mount_doc},
    {"irq_bind", irq_bind, METH_O, irq_bind_doc},
    {"irq_bind_message", irq_bind_message, METH_NOARGS, irq_bind_message_doc},
    {"irq_acknowledge", irq_acknowledge, METH_O, irq_acknowledge_doc},
    {"irq_unbind", irq_unbind, METH_O, irq_unbind_doc},
    {NULL, NULL, 0, NULL},
};
