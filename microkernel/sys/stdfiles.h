/* Descriptors 0, 1 and 2 of the program. */
#ifndef SYS_STDFILES_H
#define SYS_STDFILES_H

void stdfiles_init(void);

#endif
