/* The kernel's address map, but physical memory is an array of the program of checks (shim/machine.c). */
#ifndef SHIM_LAYOUT_H
#define SHIM_LAYOUT_H

#include_next "arch/x86_64/layout.h"

#undef DIRECT_BASE
#undef KERNEL_BASE
#define DIRECT_BASE machine_direct_base
#define KERNEL_BASE machine_kernel_base

extern unsigned long machine_direct_base, machine_kernel_base;

#endif
