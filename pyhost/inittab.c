/*
 * The table of builtin modules: the program's own, with _kernel and _contextvars added and `time`
 * replaced.
 */
#include "pyhost.h"

#include <string.h>

bool inittab_extend(void)
{
    const struct _inittab *theirs = PyImport_Inittab;
    size_t count = 0;

    while (theirs[count].name)
        count++;
    struct _inittab *ours = PyMem_RawCalloc(count + 3, sizeof *ours);
    if (!ours)
        return false;
    for (size_t i = 0; i < count; i++) {
        ours[i] = theirs[i];
        if (strcmp(ours[i].name, "time") == 0)
            ours[i].initfunc = clock_init_time;
    }
    ours[count] = (struct _inittab){"_kernel", PyInit__kernel};
    ours[count + 1] = (struct _inittab){"_contextvars", PyInit__contextvars};
    PyImport_Inittab = ours;
    return true;
}
