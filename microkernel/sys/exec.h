/* Starts the program: the ELF loader, its arguments and environment, and the first stack. */
#ifndef SYS_EXEC_H
#define SYS_EXEC_H

struct thread;

/* Loads /init and makes its first thread. Panics with a readable reason if there is none or it is bad. */
struct thread *exec_init(void);

#endif
