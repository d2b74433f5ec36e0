/*
 * Runs a script from its compiled form, as imports do: python3 itself compiles the main program
 * anew at every start, which is a tenth of the time until its first line. What it sees and how it
 * ends are as with `python3 script.py` (Python/pythonrun.c, Modules/main.c).
 */
#include "pyhost.h"

#include <marshal.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 16 /* of a .pyc: magic number, flags, and the source's hash or time and size */

enum { UNCHECKED_HASH = 1 };

/* dir/name.py -> dir/__pycache__/name.cpython-313.pyc; false if it is no such name or too long. */
static bool cached_name(const char *script, char *to, size_t size)
{
    const char *slash = strrchr(script, '/');
    const char *base = slash ? slash + 1 : script;
    size_t length = strlen(base);

    if (length <= 3 || strcmp(base + length - 3, ".py") != 0)
        return false;
    int written = snprintf(to, size, "%.*s__pycache__/%.*s.cpython-%d%d.pyc", (int)(base - script),
                           script, (int)(length - 3), base, PY_MAJOR_VERSION, PY_MINOR_VERSION);
    return written > 0 && (size_t)written < size;
}

/* The code object of a .pyc that is valid whatever the source's time; NULL, without an error set,
 * when there is none. */
static PyObject *load_code(const char *name)
{
    FILE *file = fopen(name, "rb");
    PyObject *code = NULL;
    struct stat st;

    if (!file)
        return NULL;
    char *bytes = fstat(fileno(file), &st) == 0 && st.st_size > HEADER ? malloc((size_t)st.st_size)
                                                                      : NULL;
    if (bytes && fread(bytes, 1, (size_t)st.st_size, file) == (size_t)st.st_size) {
        uint32_t magic, flags;
        memcpy(&magic, bytes, sizeof magic);
        memcpy(&flags, bytes + 4, sizeof flags);
        if (magic == (uint32_t)PyImport_GetMagicNumber() && flags == UNCHECKED_HASH)
            code = PyMarshal_ReadObjectFromString(bytes + HEADER, st.st_size - HEADER);
    }
    free(bytes);
    fclose(file);
    if (code && !PyCode_Check(code))
        Py_CLEAR(code);
    PyErr_Clear();
    return code;
}

/* sys.path[0] is the script's folder, links resolved, unless -P or -I says otherwise. */
static int add_script_folder(const char *script, const PyConfig *config)
{
    if (config->safe_path)
        return 0;
    char *real = realpath(script, NULL);
    char *slash = strrchr(real ? real : script, '/');
    const char *folder = real ? real : script;
    Py_ssize_t length = slash ? slash - folder : 0;
    PyObject *path = PySys_GetObject("path");
    PyObject *entry = slash && !length ? PyUnicode_FromString("/")
                                       : PyUnicode_DecodeFSDefaultAndSize(folder, length);
    int result = path && entry ? PyList_Insert(path, 0, entry) : -1;
    Py_XDECREF(entry);
    free(real);
    return result;
}

static int set_up_main(PyObject *globals, const char *script)
{
    PyObject *file = PyUnicode_DecodeFSDefault(script);
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *loader = file && external
        ? PyObject_CallMethod(external, "SourceFileLoader", "sO", "__main__", file)
        : NULL;
    int result = loader ? PyDict_SetItemString(globals, "__file__", file) : -1;

    if (result == 0)
        result = PyDict_SetItemString(globals, "__cached__", Py_None);
    if (result == 0)
        result = PyDict_SetItemString(globals, "__loader__", loader);
    Py_XDECREF(loader);
    Py_XDECREF(external);
    Py_XDECREF(file);
    return result;
}

/* As Py_RunMain ends: an interrupted program dies of the signal, lost output is status 120. */
static int finish(int status, bool interrupted)
{
    if (Py_FinalizeEx() < 0)
        status = 120;
    if (interrupted) {
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
        return 128 + SIGINT;
    }
    return status;
}

bool program_run(const PyConfig *config, int *status)
{
    char cached[4096];
    const char *inspect = config->use_environment ? getenv("PYTHONINSPECT") : NULL;

    if (!config->run_filename || config->run_command || config->run_module || config->inspect ||
        (inspect && *inspect) || config->skip_source_first_line)
        return false;
    char *script = Py_EncodeLocale(config->run_filename, NULL);
    PyObject *code = script && cached_name(script, cached, sizeof cached) ? load_code(cached) : NULL;
    if (!code) {
        PyMem_Free(script);
        PyErr_Clear();
        return false;
    }
    PyObject *module = PyImport_AddModule("__main__"); /* borrowed */
    PyObject *globals = module ? PyModule_GetDict(module) : NULL;
    PyObject *result = NULL;
    if (globals && set_up_main(globals, script) == 0 && add_script_folder(script, config) == 0)
        result = PyEval_EvalCode(code, globals, globals);
    bool interrupted = !result && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    if (!result)
        PyErr_Print(); /* SystemExit ends the program here, with its status */
    *status = finish(result ? 0 : 1, interrupted);
    return true;
}
