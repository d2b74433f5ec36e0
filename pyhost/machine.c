/* _kernel's machine as a whole: power, log, what the boot loader said. */
#include "pyhost.h"

#include <string.h>

PyDoc_STRVAR(poweroff_doc,
             "poweroff($module, status=0, /)\n--\n\n"
             "Power the machine off at once, with an exit status from 0 to 255 for the host.\n\n"
             "Nothing is flushed and no handler runs: sys.exit() is the polite way. Raises\n"
             "OSError(EPERM) outside ring 0.");

static PyObject *poweroff(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t status = 0;

    (void)module;
    if (!args_count("poweroff", count, 0, 1) ||
        (count > 0 && !args_unsigned(args[0], "status", 255, &status)) || !ring0_require() ||
        ring0_call(OVUM_SYS_POWEROFF, (long)status, 0, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(reboot_doc,
             "reboot($module, /)\n--\n\n"
             "Start the machine again at once. Nothing is flushed and no handler runs.\n\n"
             "Raises OSError(EPERM) outside ring 0.");

static PyObject *reboot(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (!ring0_require() || ring0_call(OVUM_SYS_REBOOT, 0, 0, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(panic_doc,
             "panic($module, text, /)\n--\n\n"
             "End the machine with a kernel panic that gives text as its reason.\n\n"
             "For drivers that find what must never be, and to see what a panic looks like.\n"
             "Raises OSError(EPERM) outside ring 0.");

static PyObject *panic_now(PyObject *module, PyObject *text)
{
    Py_ssize_t length;

    (void)module;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "text must be str, not %T", text);
        return NULL;
    }
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (!bytes || !ring0_require() || ring0_call(OVUM_SYS_PANIC, (long)bytes, (long)length, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(log_doc,
             "log($module, level, text, /)\n--\n\n"
             "Write text to the kernel's log, a message for each of its lines.\n\n"
             "level is 1 (error), 2 (warning), 3 (info) or 4 (debug); the kernel command line\n"
             "says up to which level messages are shown. Raises OSError(EPERM) outside ring 0.");

static PyObject *log_text(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t level;
    Py_ssize_t length;

    (void)module;
    if (!args_count("log", count, 2, 2) ||
        !args_range(args[0], "level", OVUM_LOG_ERROR, OVUM_LOG_DEBUG, &level))
        return NULL;
    if (!PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "text must be str, not %T", args[1]);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(args[1], &length);
    if (!text || !ring0_require())
        return NULL;
    const char *end = text + length;
    do {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (ring0_call(OVUM_SYS_LOG, (long)level, (long)text, stop - text) < 0)
            return NULL;
        text = newline ? newline + 1 : end;
    } while (text < end);
    Py_RETURN_NONE;
}

/* Lines of key=value as a dict; a line without '=' is a key with an empty value. */
static PyObject *parse_lines(const char *text, Py_ssize_t length)
{
    PyObject *dict = PyDict_New();
    const char *end = text + length;

    while (dict && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        const char *key_end = equals ? equals : stop;
        const char *value_start = equals ? equals + 1 : stop;
        if (stop > text) {
            PyObject *key = PyUnicode_DecodeUTF8(text, key_end - text, "surrogateescape");
            PyObject *value =
                PyUnicode_DecodeUTF8(value_start, stop - value_start, "surrogateescape");
            if (!key || !value || PyDict_SetItem(dict, key, value) < 0)
                Py_CLEAR(dict);
            Py_XDECREF(key);
            Py_XDECREF(value);
        }
        text = newline ? newline + 1 : end;
    }
    return dict;
}

PyDoc_STRVAR(boot_info_doc,
             "boot_info($module, /)\n--\n\n"
             "Return what the boot loader and the kernel found out about the machine.\n\n"
             "A dict of str to str: the boot protocol, the command line, memory, tables. Raises\n"
             "OSError(EPERM) outside ring 0.");

static PyObject *boot_info(PyObject *module, PyObject *unused)
{
    long size = 4096;

    (void)module;
    (void)unused;
    if (!ring0_require())
        return NULL;
    for (;;) {
        char *buffer = PyMem_Malloc((size_t)size);
        if (!buffer)
            return PyErr_NoMemory();
        long length = ring0_call(OVUM_SYS_BOOT_INFO, (long)buffer, size, 0);
        PyObject *dict = length >= 0 && length <= size ? parse_lines(buffer, length) : NULL;
        PyMem_Free(buffer);
        if (length <= size)
            return dict;
        size = length;
    }
}

/* Texts of the kernel's own state (microkernel/sys/inspect.c), by topic. */
static const char *const topics[] = {"statistics", "threads", "regions", "descriptors", "interrupts", "sockets"};

PyDoc_STRVAR(inspect_doc,
             "inspect($module, topic, /)\n--\n\n"
             "Return the kernel's own state of this moment, as lines of fields.\n\n"
             "topic is 'statistics' (name value; memory in pages, times in ns), 'threads' (number\n"
             "state priority cpu_ns name), 'regions' (start end protection shared offset inode\n"
             "path), 'descriptors' (descriptor flags position inode kind path), 'interrupts' (number\n"
             "count) or 'sockets' (inode family type protocol state door received unsent name, for\n"
             "each descriptor; the name in hexadecimal). A path is the rest of its line, empty\n"
             "without one. Raises ValueError for another topic, OSError(EPERM) outside ring 0.");

static PyObject *inspect(PyObject *module, PyObject *topic)
{
    long what = -1, size = 16384;

    (void)module;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(topics) && PyUnicode_Check(topic); i++)
        if (PyUnicode_CompareWithASCIIString(topic, topics[i]) == 0)
            what = (long)i;
    if (what < 0) {
        PyErr_Format(PyExc_ValueError, "no such topic: %R", topic);
        return NULL;
    }
    if (!ring0_require())
        return NULL;
    for (;;) {
        PyObject *text = PyBytes_FromStringAndSize(NULL, size);
        if (!text)
            return NULL;
        long length = ring0_call(OVUM_SYS_INSPECT, what, (long)PyBytes_AS_STRING(text), size);
        PyObject *result = length >= 0 && length <= size
            ? PyUnicode_DecodeUTF8(PyBytes_AS_STRING(text), length, "surrogateescape")
            : NULL;
        Py_DECREF(text);
        if (length <= size)
            return result;
        size = length + 1024; /* there may be more the next time */
    }
}

PyDoc_STRVAR(read_log_doc,
             "read_log($module, position=0, /)\n--\n\n"
             "Return the kernel's log from a position on, and the position to go on from.\n\n"
             "(bytes, int): records `<level>[seconds] text\\n`; what is too old is left out.\n"
             "Raises OSError(EPERM) outside ring 0.");

static PyObject *read_stream(PyObject *const *args, Py_ssize_t count, const char *name, long call)
{
    uint64_t position = 0;
    char buffer[4096];

    if (!args_count(name, count, 0, 1) ||
        (count == 1 && !args_unsigned(args[0], "position", INT64_MAX, &position)) || !ring0_require())
        return NULL;
    PyObject *text = PyBytes_FromStringAndSize(NULL, 0);
    while (text) {
        long n = ring0_call(call, (long)&position, (long)buffer, sizeof buffer);
        if (n < 0)
            Py_CLEAR(text);
        if (n <= 0)
            break;
        PyBytes_ConcatAndDel(&text, PyBytes_FromStringAndSize(buffer, n));
    }
    return text ? Py_BuildValue("NK", text, position) : NULL;
}

static PyObject *read_log(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    return read_stream(args, count, "read_log", OVUM_SYS_READ_LOG);
}

PyDoc_STRVAR(read_screen_doc,
             "read_screen($module, position=0, /)\n--\n\n"
             "Return what was shown on the console from a position on, and the position to go on\n"
             "from: (bytes, int). Terminal, standard streams and shown messages of the kernel; what\n"
             "is too old is left out. wait() tells with EVENT_SCREEN when there is more. Raises\n"
             "OSError(EPERM) outside ring 0.");

static PyObject *read_screen(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    return read_stream(args, count, "read_screen", OVUM_SYS_READ_SCREEN);
}

static PyObject *give_bytes(PyObject *arg, long call)
{
    Py_buffer view;

    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    long n = ring0_require() ? 1 : -1;
    for (Py_ssize_t done = 0; n > 0 && done < view.len; done += n)
        n = ring0_call(call, (long)view.buf + done, view.len - done, 0);
    PyBuffer_Release(&view);
    if (n < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(type_keys_doc,
             "type_keys($module, data, /)\n--\n\n"
             "Give bytes to the terminal as if they were typed: what a keyboard driver does with\n"
             "its keys. Raises OSError(EPERM) outside ring 0.");

static PyObject *type_keys(PyObject *module, PyObject *arg)
{
    (void)module;
    return give_bytes(arg, OVUM_SYS_TYPE);
}

PyDoc_STRVAR(add_entropy_doc,
             "add_entropy($module, data, /)\n--\n\n"
             "Mix bytes into the state of the kernel's random generator. They need not be good.\n"
             "Raises OSError(EPERM) outside ring 0.");

static PyObject *add_entropy(PyObject *module, PyObject *arg)
{
    (void)module;
    return give_bytes(arg, OVUM_SYS_ENTROPY_ADD);
}

PyMethodDef machine_methods[] = {
    {"poweroff", _PyCFunction_CAST(poweroff), METH_FASTCALL, poweroff_doc},
    {"reboot", reboot, METH_NOARGS, reboot_doc},
    {"panic", panic_now, METH_O, panic_doc},
    {"log", _PyCFunction_CAST(log_text), METH_FASTCALL, log_doc},
    {"boot_info", boot_info, METH_NOARGS, boot_info_doc},
    {"inspect", inspect, METH_O, inspect_doc},
    {"read_log", _PyCFunction_CAST(read_log), METH_FASTCALL, read_log_doc},
    {"read_screen", _PyCFunction_CAST(read_screen), METH_FASTCALL, read_screen_doc},
    {"type_keys", type_keys, METH_O, type_keys_doc},
    {"add_entropy", add_entropy, METH_O, add_entropy_doc},
    {NULL, NULL, 0, NULL},
};
