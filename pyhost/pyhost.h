/* What the files of pyhost know of each other. */
#ifndef OVUM_PYHOST_H
#define OVUM_PYHOST_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "ovum_syscalls.h"

/* ring0.c */

/* Whether this program runs with the machine's privileges, that is, in ovum and not on Linux. */
bool ring0_active(void);

/* Sets OSError(EPERM) and returns false outside ring 0. */
bool ring0_require(void);

/* One of ovum's own system calls. Failure is -1 with OSError set, and errno. */
long ring0_call(long number, long first, long second, long third);

/* clock.c */

/* PyInit_time with clocks that need no library and no system call. */
PyObject *clock_init_time(void);

/* contextvars.c */

PyObject *PyInit__contextvars(void);

/* inittab.c */

/* Before the interpreter is initialised: adds our builtin modules to its table; false without
 * memory. */
bool inittab_extend(void);

/* frozen.c */

/* Before the interpreter is initialised: adds our frozen modules to CPython's. */
void frozen_register(void);

/* program.c */

/* Runs config's script from its compiled form, to the end of the interpreter; false if it has none
 * (or python3's own way is needed) and nothing was done. */
bool program_run(const PyConfig *config, int *status);

/* args.c */

/* Checks the number of positional arguments of the function `name`. */
bool args_count(const char *name, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most);

/* An int from `least` to `most`, or TypeError or ValueError naming the argument. */
bool args_range(PyObject *arg, const char *name, uint64_t least, uint64_t most, uint64_t *value);

/* An int from 0 to `most`. */
bool args_unsigned(PyObject *arg, const char *name, uint64_t most, uint64_t *value);

/* ports.c, cpu.c, mmio.c, machine.c: the functions of _kernel by hardware area. */

extern PyMethodDef ports_methods[];
extern PyMethodDef cpu_methods[];
extern PyMethodDef mmio_methods[];
extern PyMethodDef machine_methods[];
extern PyMethodDef requests_methods[];
extern PyMethodDef services_methods[];
extern PyMethodDef sockets_methods[];

/* The type behind the memoryviews of mmio(); kept in the module's state. */
extern PyType_Spec mmio_mapping_spec;

/* requests.c: the type of the requests that wait() returns. */
extern PyType_Spec request_spec;

/* sockets.c: the services' side of sockets. */
extern PyType_Spec door_spec;

/* services.c */

/* Starts the services thread, asleep, and gives the kernel its hook. Only in ring 0. -1 with an
 * exception set. */
int services_start(void);
/* Has them begin at once if the machine has a console of its own to serve (ovum.drivers.console). */
void services_begin(void);

/* What a program that handles no SIGTERM is ended with when the power button is pressed. */
#define EXIT_SIGNAL 63

/* Before the program: registers what ends the services, and the handler of EXIT_SIGNAL. Only in
 * ring 0. -1 with an exception set. */
int services_prepare_end(void);

/* gil.c */

/* PyEval_RestoreThread for the services thread: has whoever holds the lock give it up at the next
 * chance, not after the switch interval. */
void gil_take_soon(PyThreadState *self);

/* kernelmodule.c */

struct kernel_state {
    PyTypeObject *mapping_type;
    PyTypeObject *request_type;
    PyTypeObject *door_type;
};

PyObject *PyInit__kernel(void);

/* panic.c */

/* From now on a kernel panic prints the Python traceback of every thread. Only in ring 0. -1 with an
 * exception set. */
int panic_register(void);

#endif
