/* Kernel objects from the C library, so that the address sanitizer guards each of them. */
#ifndef SHIM_HEAP_H
#define SHIM_HEAP_H

/* Objects given and not freed. */
extern long heap_objects;
/* After so many more objects memory is short; negative: never. */
extern long heap_left;

#endif
