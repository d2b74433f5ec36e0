/* Descriptors 0, 1 and 2 of the program. */
#pragma once

void stdfiles_init(void);
