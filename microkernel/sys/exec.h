/* Starts the program: the ELF loader, its arguments and environment, and the first stack. */
#pragma once

struct thread;

/* Loads /init and makes its first thread. Panics with a readable reason if there is none or it is bad. */
struct thread *exec_init(void);
