/*
 * The table of builtin modules: all that Debian's own python3 has built in, and _kernel.
 *
 * It takes the place of the table in libpython's config.o, which the Makefile leaves out. The
 * order is that of the search; it does not matter, so it is alphabetical.
 */
#include "pyhost.h"

/* Module, function that makes it. builtins and sys are made by the interpreter itself. */
#define MODULES(X)                                                                                \
    X(_abc, PyInit__abc)                                                                          \
    X(_ast, PyInit__ast)                                                                          \
    X(_bisect, PyInit__bisect)                                                                    \
    X(_blake2, PyInit__blake2)                                                                    \
    X(_codecs, PyInit__codecs)                                                                    \
    X(_collections, PyInit__collections)                                                          \
    X(_csv, PyInit__csv)                                                                          \
    X(_datetime, PyInit__datetime)                                                                \
    X(_elementtree, PyInit__elementtree)                                                          \
    X(_functools, PyInit__functools)                                                              \
    X(_heapq, PyInit__heapq)                                                                      \
    X(_imp, PyInit__imp)                                                                          \
    X(_io, PyInit__io)                                                                            \
    X(_json, PyInit__json)                                                                        \
    X(_kernel, PyInit__kernel)                                                                    \
    X(_locale, PyInit__locale)                                                                    \
    X(_md5, PyInit__md5)                                                                          \
    X(_opcode, PyInit__opcode)                                                                    \
    X(_operator, PyInit__operator)                                                                \
    X(_pickle, PyInit__pickle)                                                                    \
    X(_posixsubprocess, PyInit__posixsubprocess)                                                  \
    X(_random, PyInit__random)                                                                    \
    X(_sha1, PyInit__sha1)                                                                        \
    X(_sha2, PyInit__sha2)                                                                        \
    X(_sha3, PyInit__sha3)                                                                        \
    X(_signal, PyInit__signal)                                                                    \
    X(_socket, PyInit__socket)                                                                    \
    X(_sre, PyInit__sre)                                                                          \
    X(_stat, PyInit__stat)                                                                        \
    X(_statistics, PyInit__statistics)                                                            \
    X(_string, PyInit__string)                                                                    \
    X(_struct, PyInit__struct)                                                                    \
    X(_suggestions, PyInit__suggestions)                                                          \
    X(_symtable, PyInit__symtable)                                                                \
    X(_sysconfig, PyInit__sysconfig)                                                              \
    X(_thread, PyInit__thread)                                                                    \
    X(_tokenize, PyInit__tokenize)                                                                \
    X(_tracemalloc, PyInit__tracemalloc)                                                          \
    X(_typing, PyInit__typing)                                                                    \
    X(_warnings, _PyWarnings_Init)                                                                \
    X(_weakref, PyInit__weakref)                                                                  \
    X(array, PyInit_array)                                                                        \
    X(atexit, PyInit_atexit)                                                                      \
    X(binascii, PyInit_binascii)                                                                  \
    X(cmath, PyInit_cmath)                                                                        \
    X(errno, PyInit_errno)                                                                        \
    X(faulthandler, PyInit_faulthandler)                                                          \
    X(fcntl, PyInit_fcntl)                                                                        \
    X(gc, PyInit_gc)                                                                              \
    X(grp, PyInit_grp)                                                                            \
    X(itertools, PyInit_itertools)                                                                \
    X(marshal, PyMarshal_Init)                                                                    \
    X(math, PyInit_math)                                                                          \
    X(posix, PyInit_posix)                                                                        \
    X(pwd, PyInit_pwd)                                                                            \
    X(pyexpat, PyInit_pyexpat)                                                                    \
    X(select, PyInit_select)                                                                      \
    X(syslog, PyInit_syslog)                                                                      \
    X(time, clock_init_time)                                                                      \
    X(unicodedata, PyInit_unicodedata)                                                            \
    X(zlib, PyInit_zlib)

#define DECLARE(name, make) PyObject *make(void);
MODULES(DECLARE)

#define ROW(name, make) {#name, make},
struct _inittab _PyImport_Inittab[] = {
    {"builtins", NULL},
    {"sys", NULL},
    MODULES(ROW)
    {NULL, NULL},
};
