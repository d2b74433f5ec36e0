/* _kernel's processor: CPUID and the model-specific registers. Intel SDM volumes 2 and 4. */
#include "pyhost.h"

#include <cpuid.h>
#include <errno.h>

PyDoc_STRVAR(cpuid_doc,
             "cpuid($module, leaf, subleaf=0, /)\n--\n\n"
             "Execute CPUID with EAX=leaf and ECX=subleaf; return (eax, ebx, ecx, edx).\n\n"
             "A leaf that the CPU does not have gives what the CPU gives for it, often zeros;\n"
             "cpuid(0)[0] and cpuid(0x80000000)[0] are the highest ones. Works in every ring.");

static PyObject *cpuid(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t leaf, subleaf = 0;
    uint32_t a, b, c, d;

    (void)module;
    if (!args_count("cpuid", count, 1, 2) || !args_unsigned(args[0], "leaf", UINT32_MAX, &leaf) ||
        (count > 1 && !args_unsigned(args[1], "subleaf", UINT32_MAX, &subleaf)))
        return NULL;
    __cpuid_count((uint32_t)leaf, (uint32_t)subleaf, a, b, c, d);
    return Py_BuildValue("(IIII)", a, b, c, d);
}

/* The kernel executes RDMSR and WRMSR, because it survives the fault of a register that is not
 * there. */
static PyObject *refused(const char *access, uint64_t msr)
{
    if (errno == EIO) {
        PyErr_Clear();
        char text[64];
        PyOS_snprintf(text, sizeof text, "the CPU refuses to %s MSR %#x", access, (unsigned)msr);
        PyObject *args = Py_BuildValue("(is)", EIO, text);
        if (args) {
            PyErr_SetObject(PyExc_OSError, args);
            Py_DECREF(args);
        }
    }
    return NULL;
}

PyDoc_STRVAR(rdmsr_doc,
             "rdmsr($module, msr, /)\n--\n\n"
             "Return the 64 bits of a model-specific register as an int.\n\n"
             "Raises OSError(EIO) when the CPU has no such register and OSError(EPERM) outside\n"
             "ring 0.");

static PyObject *rdmsr(PyObject *module, PyObject *arg)
{
    uint64_t msr, value = 0;

    (void)module;
    if (!args_unsigned(arg, "msr", UINT32_MAX, &msr) || !ring0_require())
        return NULL;
    if (ring0_call(OVUM_SYS_RDMSR, (long)msr, (long)&value, 0) < 0)
        return refused("read", msr);
    return PyLong_FromUnsignedLongLong(value);
}

PyDoc_STRVAR(wrmsr_doc,
             "wrmsr($module, msr, value, /)\n--\n\n"
             "Write the 64 bits of a model-specific register.\n\n"
             "The kernel and the C library live by some of these (FS and GS base, LSTAR, EFER):\n"
             "there, a wrong value ends the machine. Raises OSError(EIO) when the CPU refuses the\n"
             "register or the value, OSError(EPERM) outside ring 0.");

static PyObject *wrmsr(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    uint64_t msr, value;

    (void)module;
    if (!args_count("wrmsr", count, 2, 2) || !args_unsigned(args[0], "msr", UINT32_MAX, &msr) ||
        !args_unsigned(args[1], "value", UINT64_MAX, &value) || !ring0_require())
        return NULL;
    if (ring0_call(OVUM_SYS_WRMSR, (long)msr, (long)value, 0) < 0)
        return refused("write", msr);
    Py_RETURN_NONE;
}

PyMethodDef cpu_methods[] = {
    {"cpuid", _PyCFunction_CAST(cpuid), METH_FASTCALL, cpuid_doc},
    {"rdmsr", rdmsr, METH_O, rdmsr_doc},
    {"wrmsr", _PyCFunction_CAST(wrmsr), METH_FASTCALL, wrmsr_doc},
    {NULL, NULL, 0, NULL},
};
