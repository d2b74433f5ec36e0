#include "sys/stdfiles.h"

#include "core/panic.h"
#include "dev/console.h"
#include "dev/stdio.h"
#include "dev/tty.h"
#include "sys/calls.h"

void stdfiles_init(void) {
    struct file *input = NULL;
    open_path(AT_FDCWD, "/ovum/stdin", O_RDONLY, 0, &input);     /* absent unless the host has a file */
    /* One open file for all descriptors that are the terminal, as a shell would pass it. */
    struct file *tty = NULL;
    for (int fd = 0; fd < 3; fd++) {
        struct file *f;
        if (console_terminals() & 1u << fd)
            f = tty ? file_get(tty) : (tty = tty_open(O_RDWR));
        else
            f = fd == 0 && input ? file_get(input) : stdio_open(fd);
        KASSERT(f && fd_install(f, fd, false) == fd);
    }
    if (input)
        file_put(input);
}
