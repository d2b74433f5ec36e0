/*
 * The first program of an image: Debian's own python3, with this library loaded before its others
 * (/etc/ld.so.preload). The program's start code calls __libc_start_main with its main function;
 * the definition below is found first, and passes on a main function of ours. What runs is thus the
 * interpreter as Debian optimises it (LTO and PGO, which its libpython archive has not), configured
 * and extended through CPython's public interface, which the program exports.
 *
 * Its command line and the variables PYTHON* mean what they mean to python3, since both are the
 * image's own. What differs: nothing is searched for at the start, there is no user site, no
 * bytecode is written, faulthandler is on, and wheels are installed in site-packages (boot.py).
 *
 * Text is UTF-8 by the locale that an image has and names in LANG, C.UTF-8; without it CPython would
 * turn its UTF-8 mode on by itself.
 */
#include "pyhost.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "/usr"
#define LIBRARY "/lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION)
#define PROGRAM "/bin/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION)

#define PATH_ROOM 4096

/* The tree of the installed Python. On Linux, PYTHONHOME leads to the sysroot. */
struct layout {
    char prefix[PATH_ROOM];
    char executable[PATH_ROOM + sizeof PROGRAM];
    char stdlib[PATH_ROOM + sizeof LIBRARY];
    char dynload[PATH_ROOM + sizeof LIBRARY "/lib-dynload"];
    char pack[PATH_ROOM + sizeof LIBRARY "/stdlib.pack"]; /* the rarer modules, if there is one */
};

static void lay_out(struct layout *at, const char *prefix)
{
    snprintf(at->prefix, sizeof at->prefix, "%s", prefix);
    snprintf(at->executable, sizeof at->executable, "%s" PROGRAM, at->prefix);
    snprintf(at->stdlib, sizeof at->stdlib, "%s" LIBRARY, at->prefix);
    snprintf(at->dynload, sizeof at->dynload, "%s" LIBRARY "/lib-dynload", at->prefix);
    snprintf(at->pack, sizeof at->pack, "%s" LIBRARY "/stdlib.pack", at->prefix);
}

static PyStatus append_path(PyConfig *config, const char *path)
{
    wchar_t *wide = Py_DecodeLocale(path, NULL);

    if (!wide)
        return PyStatus_NoMemory();
    PyStatus status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
    return status;
}

/* The entries of PYTHONPATH, which getpath adds only when it computes sys.path itself. */
static PyStatus append_pythonpath(PyConfig *config)
{
    const wchar_t *rest = config->pythonpath_env;
    PyStatus status = PyStatus_Ok();

    while (rest && !PyStatus_Exception(status)) {
        const wchar_t *colon = wcschr(rest, L':');
        size_t length = colon ? (size_t)(colon - rest) : wcslen(rest);
        wchar_t *entry = PyMem_RawCalloc(length + 1, sizeof *entry);
        if (!entry)
            return PyStatus_NoMemory();
        wmemcpy(entry, rest, length);
        status = PyWideStringList_Append(&config->module_search_paths, entry);
        PyMem_RawFree(entry);
        rest = colon ? colon + 1 : NULL;
    }
    return status;
}

/* Says where everything is, so that start-up searches for nothing. */
static PyStatus set_paths(PyConfig *config, const struct layout *at)
{
    const struct {
        wchar_t **field;
        const char *value;
    } settings[] = {
        {&config->prefix, at->prefix},
        {&config->exec_prefix, at->prefix},
        {&config->base_prefix, at->prefix},
        {&config->base_exec_prefix, at->prefix},
        {&config->executable, at->executable},
        {&config->base_executable, at->executable},
        {&config->stdlib_dir, at->stdlib},
    };

    for (size_t i = 0; i < Py_ARRAY_LENGTH(settings); i++) {
        PyStatus status = PyConfig_SetBytesString(config, settings[i].field, settings[i].value);
        if (PyStatus_Exception(status))
            return status;
    }
    config->module_search_paths_set = 1;
    PyStatus status = append_pythonpath(config);
    if (!PyStatus_Exception(status))
        status = append_path(config, at->stdlib);
    if (!PyStatus_Exception(status))
        status = append_path(config, at->dynload);
    if (!PyStatus_Exception(status) && access(at->pack, F_OK) == 0)
        status = append_path(config, at->pack);
    return status;
}

static PyStatus initialize(struct layout *at, PyConfig *config, int argc, char **argv)
{
    frozen_register();
    if (!inittab_extend())
        return PyStatus_NoMemory();
    PyConfig_InitPythonConfig(config);
    config->faulthandler = 1;
    config->pathconfig_warnings = 0;
    config->user_site_directory = 0;
    config->write_bytecode = 0;
    PyStatus status = PyConfig_SetBytesArgv(config, argc, argv);
    if (!PyStatus_Exception(status))
        status = PyConfig_Read(config);
    if (!PyStatus_Exception(status)) {
        const char *home = config->use_environment ? getenv("PYTHONHOME") : NULL;
        lay_out(at, home && *home ? home : PREFIX);
        status = set_paths(config, at);
    }
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(config);
    return status;
}

static int embedded_main(int argc, char **argv, char **environment)
{
    struct layout at;
    PyConfig config;
    int exit_status;
    PyStatus status = initialize(&at, &config, argc, argv);

    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    if (ring0_active() && (panic_register() < 0 || services_start() < 0 || services_prepare_end() < 0)) {
        PyErr_Print();
        return 1;
    }
    /* Where `site` is left out (-S), nothing has imported it yet. */
    PyObject *library = PyImport_ImportModule("_ovum_library");
    if (!library) {
        PyErr_Print();
        return 1;
    }
    Py_DECREF(library);
    /* Not before: what services import may be in the library's pack. */
    if (ring0_active())
        services_begin();
    if (!program_run(&config, &exit_status))
        exit_status = Py_RunMain();
    PyConfig_Clear(&config);
    return exit_status;
}

/* The C library's, as csu/libc-start.c declares it. */
typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *main, int argc, char **argv, main_function *init,
                           void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

__attribute__((visibility("default"))) start_function __libc_start_main;

int __libc_start_main(main_function *main, int argc, char **argv, main_function *init,
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *start = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

    return start(embedded_main, argc, argv, init, fini, rtld_fini, stack_end);
}
