/*
 * Modules that every program starts with and CPython does not freeze itself: with them in the
 * interpreter, a start touches no file of the library and the path finders do not run.
 */
#include "pyhost.h"

#include "frozen_modules.h"

static const struct _frozen modules[] = {
    FROZEN_MODULES
    {NULL, NULL, 0, 0},
};

void frozen_register(void)
{
    PyImport_FrozenModules = modules;
}
