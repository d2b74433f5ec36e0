/*
 * _kernel.Socket: the services' side of a program's socket (net/socket/door.py), and
 * _kernel.sockets_changed and sockets_memory.
 *
 * One system call each. How much is in a ring is read from the kernel's own memory, which stays
 * while the door is held.
 */
#include "pyhost.h"

#include <structmember.h>
#include <unistd.h>

#include "fs/ring.h"
#include "sys/request_abi.h"

#define CHANGES_AT_ONCE 64
#define LARGEST_MESSAGE (1u << 20)
#define SOCK_STREAM_TYPE 1

struct door {
    PyObject_HEAD
    const volatile struct ring *rings; /* what the program receives, what it sends; NULL: released */
    unsigned long long number;
    unsigned int family, type, protocol;
    PyObject *owner;
};

static bool usable(const struct door *d)
{
    if (!d->rings)
        PyErr_SetString(PyExc_ValueError, "the socket is released");
    return d->rings;
}

static long door_call(const struct door *d, enum door_operation operation, long x, long y, long z)
{
    return syscall(OVUM_SYS_SOCKET, (long)operation, d->number, x, y, z);
}

static PyObject *door_error(const char *what)
{
    if (errno == ENOMEM)
        return PyErr_NoMemory();
    if (errno == EINVAL) {
        PyErr_SetString(PyExc_ValueError, what);
        return NULL;
    }
    return PyErr_SetFromErrno(PyExc_OSError);
}

static uint32_t fill(const struct door *d, int which)
{
    return d->rings[which].head - d->rings[which].tail;
}

/* ---- making and releasing ---- */

static PyObject *door_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    unsigned short family, kind;
    int protocol;

    if (keywords && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Socket() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "HHi:Socket", &family, &kind, &protocol) || !ring0_require())
        return NULL;
    struct door *d = (struct door *)type->tp_alloc(type, 0);
    if (!d)
        return NULL;
    d->family = family;
    d->type = kind;
    d->protocol = (unsigned int)protocol;
    long number = syscall(OVUM_SYS_SOCKET, (long)DOOR_NEW, d, (long)family,
                          (long)kind | (long)((uint64_t)(unsigned int)protocol << 32), &d->rings);
    if (number < 0) {
        door_error("no such socket");
        Py_DECREF(d);
        return NULL;
    }
    d->number = (unsigned long long)number;
    return (PyObject *)d;
}

static void end(struct door *d)
{
    if (d->rings)
        door_call(d, DOOR_RELEASE, 0, 0, 0);
    d->rings = NULL;
}

PyDoc_STRVAR(release_doc,
             "release($self, /)\n--\n\n"
             "Give the socket up. What the program has not read it can still read; what it has\n"
             "written is lost. All other methods raise ValueError then; this one does nothing.");

static PyObject *door_release(PyObject *self, PyObject *unused)
{
    struct door *d = (struct door *)self;

    (void)unused;
    end(d);
    Py_CLEAR(d->owner);
    Py_RETURN_NONE;
}

static int door_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct door *)self)->owner);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int door_clear(PyObject *self)
{
    Py_CLEAR(((struct door *)self)->owner);
    return 0;
}

static void door_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    end((struct door *)self);
    door_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- streams ---- */

PyDoc_STRVAR(deliver_doc,
             "deliver($self, data, /)\n--\n\n"
             "Give the program data, all of it; how much more it has room for. ValueError if there is\n"
             "not that much room, MemoryError without memory (nothing is delivered then).");

static PyObject *door_deliver(PyObject *self, PyObject *data)
{
    struct door *d = (struct door *)self;
    Py_buffer view;
    long room;

    if (!usable(d))
        return NULL;
    if (PyBytes_CheckExact(data)) {
        room = door_call(d, DOOR_DELIVER, (long)PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), 0);
    } else {
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        room = door_call(d, DOOR_DELIVER, (long)view.buf, view.len, 0);
        PyBuffer_Release(&view);
    }
    return room < 0 ? door_error("more data than there is room for, or no stream") : PyLong_FromLong(room);
}

PyDoc_STRVAR(receive_free_doc, "receive_free($self, /)\n--\n\nHow much more can be delivered.");

static PyObject *door_receive_free(PyObject *self, PyObject *unused)
{
    const struct door *d = (struct door *)self;

    (void)unused;
    if (!usable(d))
        return NULL;
    uint32_t limit = d->rings[0].limit, queued = fill(d, 0);
    return PyLong_FromUnsignedLong(limit > queued ? limit - queued : 0);
}

PyDoc_STRVAR(receive_queued_doc, "receive_queued($self, /)\n--\n\nHow much of it the program has not taken yet.");

static PyObject *door_receive_queued(PyObject *self, PyObject *unused)
{
    (void)unused;
    return usable((struct door *)self) ? PyLong_FromUnsignedLong(fill((struct door *)self, 0)) : NULL;
}

PyDoc_STRVAR(send_queued_doc, "send_queued($self, /)\n--\n\nHow much of what the program has written is there.");

static PyObject *door_send_queued(PyObject *self, PyObject *unused)
{
    (void)unused;
    return usable((struct door *)self) ? PyLong_FromUnsignedLong(fill((struct door *)self, 1)) : NULL;
}

PyDoc_STRVAR(notify_free_doc,
             "notify_free($self, count, /)\n--\n\n"
             "Have TAKEN reported, once, when receive_free() is count or more (at once if it is);\n"
             "0: not at all.");

static PyObject *door_notify_free(PyObject *self, PyObject *count)
{
    uint64_t n;

    if (!usable((struct door *)self) || !args_unsigned(count, "count", UINT32_MAX, &n))
        return NULL;
    if (door_call((struct door *)self, DOOR_NOTIFY_FREE, (long)n, 0, 0) < 0)
        return door_error("notify_free");
    Py_RETURN_NONE;
}

PyDoc_STRVAR(peek_doc,
             "peek($self, offset, count, /)\n--\n\n"
             "A copy of count bytes of what the program has written, from the oldest but offset on.\n"
             "ValueError if they are not there.");

static PyObject *door_peek(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct door *d = (struct door *)self;
    uint64_t offset, size;

    if (!args_count("peek", count, 2, 2) || !usable(d) ||
        !args_unsigned(args[0], "offset", UINT32_MAX, &offset) ||
        !args_unsigned(args[1], "count", UINT32_MAX, &size))
        return NULL;
    PyObject *bytes = NULL;
    /* Not before: a count that is nonsense would take the memory for it. */
    if (offset + size <= fill(d, 1))
        bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    else
        PyErr_SetString(PyExc_ValueError, "the program has not written that much");
    if (bytes && door_call(d, DOOR_PEEK, (long)offset, (long)PyBytes_AS_STRING(bytes), (long)size) < 0) {
        Py_DECREF(bytes);
        return door_error("no stream");
    }
    return bytes;
}

PyDoc_STRVAR(discard_doc,
             "discard($self, count, /)\n--\n\n"
             "Remove the oldest bytes that the program has written. ValueError: there are not as many.");

static PyObject *door_discard(PyObject *self, PyObject *count)
{
    uint64_t n;

    if (!usable((struct door *)self) || !args_unsigned(count, "count", UINT32_MAX, &n))
        return NULL;
    if (door_call((struct door *)self, DOOR_DISCARD, (long)n, 0, 0) < 0)
        return door_error("the program has not written that much, or it is no stream");
    Py_RETURN_NONE;
}

/* ---- datagrams ---- */

PyDoc_STRVAR(deliver_message_doc,
             "deliver_message($self, data, source, control=b'', /)\n--\n\n"
             "Give the program a datagram, its source (a struct sockaddr) and its control messages as\n"
             "recvmsg(2) stores them. False, and nothing is done, without room or memory.");

/* Data, an address, control messages. */
static PyObject *deliver_record(struct door *d, enum door_operation operation, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer view;

    if (!PyBytes_Check(args[1]) || (count == 3 && !PyBytes_Check(args[2]))) {
        PyErr_SetString(PyExc_TypeError, "source and control must be bytes");
        return NULL;
    }
    if (PyBytes_GET_SIZE(args[1]) > SOCKET_ADDRESS_MAX ||
        (count == 3 && PyBytes_GET_SIZE(args[2]) > SOCKET_CONTROL_MAX)) {
        PyErr_SetString(PyExc_ValueError, "source or control is too long");
        return NULL;
    }
    if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0)
        return NULL;
    struct door_message m = {
        .data = (uint64_t)view.buf,
        .size = (uint32_t)view.len,
        .address = (uint64_t)PyBytes_AS_STRING(args[1]),
        .address_size = (uint32_t)PyBytes_GET_SIZE(args[1]),
        .control = count == 3 ? (uint64_t)PyBytes_AS_STRING(args[2]) : 0,
        .control_size = count == 3 ? (uint32_t)PyBytes_GET_SIZE(args[2]) : 0,
    };
    long done = view.len > UINT32_MAX ? 0 : door_call(d, operation, (long)&m, 0, 0);
    PyBuffer_Release(&view);
    return done < 0 ? door_error("it is a stream") : PyBool_FromLong(done);
}

static PyObject *door_deliver_message(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct door *d = (struct door *)self;
    bool good = args_count("deliver_message", count, 2, 3) && usable(d);

    return good ? deliver_record(d, DOOR_DELIVER_MESSAGE, args, count) : NULL;
}

PyDoc_STRVAR(deliver_error_doc,
             "deliver_error($self, data, destination, control, /)\n--\n\n"
             "Put an error into the queue that recvmsg(2) reads with MSG_ERRQUEUE: what of the datagram\n"
             "came back, where it was sent to, and IP_RECVERR or IPV6_RECVERR as a control message.\n"
             "False, and nothing is done, without room or memory.");

static PyObject *door_deliver_error(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct door *d = (struct door *)self;
    bool good = args_count("deliver_error", count, 3, 3) && usable(d);

    return good ? deliver_record(d, DOOR_DELIVER_ERROR, args, count) : NULL;
}

PyDoc_STRVAR(take_message_doc,
             "take_message($self, /)\n--\n\n"
             "The next datagram that the program has sent: data, destination (empty: where the socket\n"
             "is connected to), control messages. None: no more. ValueError: it is a stream.");

static PyObject *door_take_message(PyObject *self, PyObject *unused)
{
    struct door *d = (struct door *)self;

    (void)unused;
    if (!usable(d))
        return NULL;
    for (;;) {
        const volatile struct ring *out = &d->rings[1];
        struct record r = {0, 0, 0};
        if (out->head == out->tail && d->type != SOCK_STREAM_TYPE)
            Py_RETURN_NONE;
        /* The kernel checks what another thread may have changed meanwhile: then once more. */
        if (out->bytes && out->allocated)
            r = *(const struct record *)(out->bytes + (out->tail & (out->allocated - 1)));
        if (r.size > LARGEST_MESSAGE || r.address_size > SOCKET_ADDRESS_MAX || r.control_size > SOCKET_CONTROL_MAX)
            r.size = r.address_size = r.control_size = 0;
        PyObject *data = PyBytes_FromStringAndSize(NULL, r.size);
        PyObject *address = PyBytes_FromStringAndSize(NULL, r.address_size);
        PyObject *control = PyBytes_FromStringAndSize(NULL, r.control_size);
        PyObject *result = NULL;
        if (data && address && control) {
            struct door_message m = {(uint64_t)PyBytes_AS_STRING(data), (uint64_t)PyBytes_AS_STRING(address),
                                     (uint64_t)PyBytes_AS_STRING(control), r.size, r.address_size, r.control_size};
            long done = door_call(d, DOOR_TAKE_MESSAGE, (long)&m, 0, 0);
            if (done > 0)
                result = PyTuple_Pack(3, data, address, control);
            else if (!done)
                result = Py_NewRef(Py_None);
            else if (errno != EAGAIN)
                door_error("it is a stream");
        }
        Py_XDECREF(data);
        Py_XDECREF(address);
        Py_XDECREF(control);
        if (result || PyErr_Occurred())
            return result;
    }
}

/* ---- the rest ---- */

PyDoc_STRVAR(set_state_doc,
             "set_state($self, add, remove=0, error=0, /)\n--\n\n"
             "Change the bits of state (net/socket/door.py), and with error what SO_ERROR says; wake\n"
             "whoever waits for that.");

static PyObject *door_set_state(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    uint64_t add, remove = 0, error = 0;

    if (!args_count("set_state", count, 1, 3) || !usable((struct door *)self) ||
        !args_unsigned(args[0], "add", STATE_BITS, &add) ||
        (count > 1 && !args_unsigned(args[1], "remove", STATE_BITS, &remove)) ||
        (count > 2 && !args_unsigned(args[2], "error", 4095, &error)))
        return NULL;
    if (door_call((struct door *)self, DOOR_SET_STATE, (long)add, (long)remove, (long)error) < 0)
        return door_error("set_state");
    Py_RETURN_NONE;
}

PyDoc_STRVAR(queue_child_doc,
             "queue_child($self, child, address, /)\n--\n\n"
             "Give accept(2) a connection and its peer's address. False: the queue is full, or the\n"
             "socket does not listen. ValueError: a child that the program has, or had, already.");

static PyObject *door_queue_child(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!args_count("queue_child", count, 2, 2) || !usable((struct door *)self))
        return NULL;
    if (!Py_IS_TYPE(args[0], Py_TYPE(self)) || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "queue_child takes a Socket and bytes");
        return NULL;
    }
    struct door *child = (struct door *)args[0];
    if (!usable(child))
        return NULL;
    long done = door_call((struct door *)self, DOOR_QUEUE_CHILD, (long)child->number,
                          (long)PyBytes_AS_STRING(args[1]), PyBytes_GET_SIZE(args[1]));
    return done < 0 ? door_error("the program has the child already, or the address is too long") : PyBool_FromLong(done);
}

PyDoc_STRVAR(set_limits_doc,
             "set_limits($self, receive, send, backlog=0, /)\n--\n\n"
             "How far the rings may grow (bytes; 4 MiB at most), and how many children may wait: one\n"
             "more than backlog, as Linux has it.");

static PyObject *door_set_limits(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    uint64_t receive, send, backlog = 0;

    if (!args_count("set_limits", count, 2, 3) || !usable((struct door *)self) ||
        !args_unsigned(args[0], "receive", UINT32_MAX, &receive) ||
        !args_unsigned(args[1], "send", UINT32_MAX, &send) ||
        (count > 2 && !args_unsigned(args[2], "backlog", 65535, &backlog)))
        return NULL;
    if (door_call((struct door *)self, DOOR_SET_LIMITS, (long)receive, (long)send, (long)backlog) < 0)
        return door_error("set_limits");
    Py_RETURN_NONE;
}

#define NUMBER(name, type, doc) {#name, type, offsetof(struct door, name), Py_READONLY, doc}

static PyMemberDef door_members[] = {
    NUMBER(number, Py_T_ULONGLONG, "What requests have in `base`. Used again after both sides are done with it."),
    NUMBER(family, Py_T_UINT, "AF_*."),
    NUMBER(type, Py_T_UINT, "SOCK_*."),
    NUMBER(protocol, Py_T_INT, "As the program gave it."),
    {"owner", _Py_T_OBJECT, offsetof(struct door, owner), 0, "What sockets_changed() reports changes to."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef door_methods[] = {
    {"deliver", door_deliver, METH_O, deliver_doc},
    {"receive_free", door_receive_free, METH_NOARGS, receive_free_doc},
    {"receive_queued", door_receive_queued, METH_NOARGS, receive_queued_doc},
    {"notify_free", door_notify_free, METH_O, notify_free_doc},
    {"send_queued", door_send_queued, METH_NOARGS, send_queued_doc},
    {"peek", _PyCFunction_CAST(door_peek), METH_FASTCALL, peek_doc},
    {"discard", door_discard, METH_O, discard_doc},
    {"set_state", _PyCFunction_CAST(door_set_state), METH_FASTCALL, set_state_doc},
    {"deliver_message", _PyCFunction_CAST(door_deliver_message), METH_FASTCALL, deliver_message_doc},
    {"deliver_error", _PyCFunction_CAST(door_deliver_error), METH_FASTCALL, deliver_error_doc},
    {"take_message", door_take_message, METH_NOARGS, take_message_doc},
    {"queue_child", _PyCFunction_CAST(door_queue_child), METH_FASTCALL, queue_child_doc},
    {"set_limits", _PyCFunction_CAST(door_set_limits), METH_FASTCALL, set_limits_doc},
    {"release", door_release, METH_NOARGS, release_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot door_slots[] = {
    {Py_tp_doc, "Socket(family, type, protocol, /)\n--\n\n"
                "The services' side of a program's socket: a Door of ovum.net.socket.door.\n\n"
                "Raises MemoryError, OSError(EPERM) outside ring 0."},
    {Py_tp_new, door_new},
    {Py_tp_dealloc, door_dealloc},
    {Py_tp_traverse, door_traverse},
    {Py_tp_clear, door_clear},
    {Py_tp_members, door_members},
    {Py_tp_methods, door_methods},
    {0, NULL},
};

PyType_Spec door_spec = {
    .name = "_kernel.Socket",
    .basicsize = sizeof(struct door),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = door_slots,
};

PyDoc_STRVAR(sockets_changed_doc,
             "sockets_changed($module, /)\n--\n\n"
             "What programs have done with their sockets since the last call: (owner, bits) for each\n"
             "of them, net/socket/door.py has the bits. Sockets without an owner are left out.\n"
             "The event (EVENT_SOCKETS,) comes when there is something after there was nothing.\n"
             "Raises OSError: EBUSY outside the services thread, EPERM outside ring 0.");

static PyObject *sockets_changed(PyObject *module, PyObject *unused)
{
    struct door_change changes[CHANGES_AT_ONCE];
    long n = CHANGES_AT_ONCE;

    (void)module;
    (void)unused;
    PyObject *list = ring0_require() ? PyList_New(0) : NULL;
    while (list && n == CHANGES_AT_ONCE) {
        n = ring0_call(OVUM_SYS_SOCKET, DOOR_CHANGED, (long)changes, CHANGES_AT_ONCE);
        if (n < 0)
            Py_CLEAR(list);
        for (long i = 0; i < n && list; i++) {
            /* A door is forgotten by the kernel before it goes, and nobody else has the GIL. */
            PyObject *owner = ((struct door *)changes[i].door)->owner;
            if (!owner)
                continue;
            PyObject *pair = Py_BuildValue("OK", owner, changes[i].bits);
            if (!pair || PyList_Append(list, pair) < 0)
                Py_CLEAR(list);
            Py_XDECREF(pair);
        }
    }
    return list;
}

PyDoc_STRVAR(sockets_memory_doc,
             "sockets_memory($module, limit=0, /)\n--\n\n"
             "How many bytes the rings of all streams take. With a limit, how many they may take: from\n"
             "there on a program's writes wait and deliver() raises MemoryError, but for 4096 bytes each\n"
             "way of every stream. Raises OSError(EPERM) outside ring 0.");

static PyObject *sockets_memory(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t limit = 0;

    (void)module;
    if (!args_count("sockets_memory", count, 0, 1) || !ring0_require() ||
        (count && !args_unsigned(args[0], "limit", INT64_MAX, &limit)))
        return NULL;
    long held = ring0_call(OVUM_SYS_SOCKET, DOOR_MEMORY, (long)limit, 0);
    return held < 0 ? NULL : PyLong_FromLong(held);
}

PyMethodDef sockets_methods[] = {
    {"sockets_changed", sockets_changed, METH_NOARGS, sockets_changed_doc},
    {"sockets_memory", _PyCFunction_CAST(sockets_memory), METH_FASTCALL, sockets_memory_doc},
    {NULL, NULL, 0, NULL},
};
