#include "sys/stdfiles.h"

#include "core/panic.h"
#include "dev/console.h"
#include "dev/stdio.h"
#include "dev/tty.h"
#include "fs/file.h"

void stdfiles_init(void) {
    /* One open file for all descriptors that are the terminal, as a shell would pass it. */
    struct file *tty = NULL;
    for (int fd = 0; fd < 3; fd++) {
        struct file *f;
        if (console_terminals() & 1u << fd)
            f = tty ? file_get(tty) : (tty = tty_open(O_RDWR));
        else
            f = stdio_open(fd);
        KASSERT(f && fd_install(f, fd, false) == fd);
    }
}
