/*
 * The services thread: native until the first thing happens that a service must see to, so that an
 * image which needs none pays for a sleeping thread only. Then it runs ovum.services, for good.
 *
 * And the hook that the kernel calls, like a signal handler, on the stack of a thread in the middle
 * of a system call: to have a call that a task serves made without the interpreter's lock, which
 * that task needs; and to tell of a service that would have waited for itself.
 */
#include "pyhost.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "sys/request_abi.h"

#define MODULE "ovum.services.main"

/* What says of a call by the services thread that it would wait for itself (_kernel.on_deadlock). */
static PyObject *deadlock_callback;

static long call_again(const greg_t *r)
{
    register long a4 __asm__("r10") = r[REG_R10];
    register long a5 __asm__("r8") = r[REG_R8];
    register long a6 __asm__("r9") = r[REG_R9];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(r[REG_RAX]), "D"(r[REG_RDI]), "S"(r[REG_RSI]), "d"(r[REG_RDX]),
                       "r"(a4), "r"(a5), "r"(a6)
                     : "rcx", "r11", "memory");
    return result;
}

static void tell_of_deadlock(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *pending = PyErr_GetRaisedException();

    if (deadlock_callback) {
        PyObject *result = PyObject_CallNoArgs(deadlock_callback);
        if (!result)
            PyErr_WriteUnraisable(deadlock_callback);
        Py_XDECREF(result);
    }
    PyErr_SetRaisedException(pending);
    PyGILState_Release(state);
}

static void hook(int reason, const siginfo_t *info, ucontext_t *context)
{
    (void)info;
    if (reason == HOOK_DEADLOCK) {
        tell_of_deadlock();
        return;
    }
    PyThreadState *self = PyEval_SaveThread();
    context->uc_mcontext.gregs[REG_RAX] = call_again(context->uc_mcontext.gregs);
    PyEval_RestoreThread(self);
}

/* rt_sigreturn: the hook's way back to the call. */
__attribute__((naked)) static void restorer(void)
{
    __asm__("mov $15, %eax\n\tsyscall");
}

static void *services_main(void *ready)
{
    prctl(PR_SET_NAME, "services");
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    /* Who asks for something from here on is waited for, and the first to do so starts the rest. */
    long error = syscall(OVUM_SYS_SERVICES_WAIT, 0, 0, 0, 1);
    if (error >= 0)
        error = syscall(OVUM_SYS_SERVICES_MOUNT, "/proc", MOUNT_PROC);
    sem_post(ready);
    if (error < 0 || syscall(OVUM_SYS_SERVICES_WAIT, UINT64_MAX, 0, 0, 1) < 0)
        return NULL;
    PyThreadState *self = PyThreadState_New(PyInterpreterState_Main());
    if (!self)
        return NULL;
    gil_take_soon(self);
    PyObject *module = PyImport_ImportModule(MODULE);
    PyObject *result = module ? PyObject_CallMethod(module, "main", NULL) : NULL;
    if (!result)
        PyErr_WriteUnraisable(NULL);
    Py_XDECREF(result);
    Py_XDECREF(module);
    PyThreadState_Clear(self);
    PyThreadState_DeleteCurrent();
    return NULL;
}

int services_start(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sem_t ready;

    /* A kernel without services (Linux) is no reason not to run. */
    if (syscall(OVUM_SYS_SERVICES_HOOK, hook, restorer, PyThreadState_GetUnchecked) < 0)
        return 0;
    /* Arenas of malloc keep threads on other processors apart, and each keeps memory: here is one. */
    mallopt(M_ARENA_MAX, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sem_init(&ready, 0, 0);
    int error = pthread_create(&thread, &attributes, services_main, &ready);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        errno = error;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    /* Not before: what a program reads in /proc is there from its first instruction on. */
    while (sem_wait(&ready) < 0)
        ;
    return 0;
}

/* Is this word on the kernel's command line, with a value or without, before the program's own words? */
static int has_word(const char *line, size_t length, const char *word)
{
    const char *end = line + length, *at = line;

    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        size_t n = (size_t)((space ? space : end) - at);
        if (n == 2 && memcmp(at, "--", 2) == 0)
            return 0;
        if (n >= strlen(word) && memcmp(at, word, strlen(word)) == 0 &&
            (n == strlen(word) || at[strlen(word)] == '='))
            return 1;
        at += n + 1;
    }
    return 0;
}

/* The same of what OVUM_SYS_BOOT_INFO tells, whose lines are key=value. */
static int command_line_has(const char *text, size_t length, const char *word)
{
    static const char line[] = "command_line=";
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        if (n >= sizeof line - 1 && memcmp(text, line, sizeof line - 1) == 0)
            return has_word(text + sizeof line - 1, n - (sizeof line - 1), word);
        text += n + 1;
    }
    return 0;
}

/* The rule of ovum.services.main.has_console: a frame buffer of the boot loader's, or a word. */
static int console_wanted(const char *text, size_t length)
{
    static const char framebuffer[] = "framebuffer=";
    const char *end = text + length;

    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((newline ? newline : end) - line);
        if (n >= sizeof framebuffer - 1 && memcmp(line, framebuffer, sizeof framebuffer - 1) == 0)
            return 1;
        line += n + 1;
    }
    return command_line_has(text, length, "ovum.devices");
}

/* Folders of the host's that the command line names are there when the program begins. */
static void mount_volumes(void)
{
    PyObject *volumes = PyImport_ImportModule("ovum.drivers.volumes");
    PyObject *result = volumes ? PyObject_CallMethod(volumes, "mount_volumes", NULL) : NULL;

    if (!result)
        PyErr_Print();
    Py_XDECREF(result);
    Py_XDECREF(volumes);
}

void services_begin(void)
{
    char text[4096];
    long n = syscall(OVUM_SYS_BOOT_INFO, text, sizeof text);

    if (n <= 0 || n > (long)sizeof text)
        return;
    if (console_wanted(text, (size_t)n))
        syscall(OVUM_SYS_SERVICES_WAKE);
    if (command_line_has(text, (size_t)n, "ovum.volume"))
        mount_volumes();
}

PyDoc_STRVAR(on_deadlock_doc,
             "on_deadlock($module, callback, /)\n--\n\n"
             "Have callback() called when the services thread made a call that it would have to\n"
             "serve itself, before the call fails with EDEADLK. None takes it back. Raises\n"
             "TypeError for what cannot be called.");

static PyObject *on_deadlock(PyObject *module, PyObject *callback)
{
    (void)module;
    if (callback != Py_None && !PyCallable_Check(callback)) {
        PyErr_Format(PyExc_TypeError, "callback must be callable or None, not %T", callback);
        return NULL;
    }
    Py_XSETREF(deadlock_callback, callback == Py_None ? NULL : Py_NewRef(callback));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(end_services_doc,
             "end_services($module, /)\n--\n\n"
             "Have the services do what is to be done at the end of the machine, if any runs: the\n"
             "first atexit function registered, so the last one called. Raises what that raises.");

static PyObject *end_services(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *name = PyUnicode_FromString(MODULE);
    PyObject *services = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    if (!services) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NONE;
    }
    PyObject *result = PyObject_CallMethod(services, "end", NULL);
    Py_DECREF(services);
    return result;
}

PyDoc_STRVAR(exit_program_doc,
             "exit_program($module, signum, frame, /)\n--\n\n"
             "Raises SystemExit: the handler of the signal EXIT_SIGNAL, which ends a program that\n"
             "does not handle SIGTERM when the power button is pressed.");

static PyObject *exit_program(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    (void)args;
    if (args_count("exit_program", count, 2, 2))
        PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

/* Calls module.function(first[, second]), where the last argument is a function of _kernel. */
static int give(const char *module, const char *function, PyObject *first, const char *ours)
{
    PyObject *kernel = PyImport_ImportModule("_kernel");
    PyObject *theirs = kernel ? PyImport_ImportModule(module) : NULL;
    PyObject *callback = theirs ? PyObject_GetAttrString(kernel, ours) : NULL;
    PyObject *result = !callback ? NULL
        : first                  ? PyObject_CallMethod(theirs, function, "OO", first, callback)
                                 : PyObject_CallMethod(theirs, function, "O", callback);

    Py_XDECREF(callback);
    Py_XDECREF(theirs);
    Py_XDECREF(kernel);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int services_prepare_end(void)
{
    PyObject *number = PyLong_FromLong(EXIT_SIGNAL);
    int result = number ? give("_signal", "signal", number, "exit_program") : -1;

    Py_XDECREF(number);
    return result < 0 ? -1 : give("atexit", "register", NULL, "end_services");
}

PyMethodDef services_methods[] = {
    {"end_services", end_services, METH_NOARGS, end_services_doc},
    {"exit_program", _PyCFunction_CAST(exit_program), METH_FASTCALL, exit_program_doc},
    {"on_deadlock", on_deadlock, METH_O, on_deadlock_doc},
    {NULL, NULL, 0, NULL},
};
