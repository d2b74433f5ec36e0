/* What stands in for the machine below the kernel's memory management: frames, the log, the end. */
#ifndef SHIM_MACHINE_H
#define SHIM_MACHINE_H

#include <setjmp.h>
#include <stdbool.h>

#include "core/boot_info.h"

#define MACHINE_KERNEL 0x100000ul               /* where the kernel image lies, as on the real machine */
#define MACHINE_KERNEL_SIZE 0x10000ul

/* Physical memory of so many MiB, described to the kernel as a PC does: usable up to 640 KiB and from 1 MiB on. */
void machine_memory(unsigned long mib);
/* The same without the description, for unusual ones. */
void machine_bare_memory(unsigned long mib);

/* Errors logged so far. */
extern unsigned machine_errors;
/* Messages are not shown: there will be thousands. */
extern bool machine_quiet;

extern jmp_buf *machine_panic;
/* The statement must end in a panic. */
#define CHECK_PANICS(statement) \
    do { \
        jmp_buf here_; \
        machine_panic = &here_; \
        if (!setjmp(here_)) { \
            statement; \
            check_fail(__FILE__, __LINE__, "%s: no panic", #statement); \
        } \
        machine_panic = NULL; \
    } while (0)

#endif
