/* Files below /proc whose text the kernel writes anew at every opening. */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include "fs/inode.h"

void proc_init(void);
/* What a program gets that opens one: an unnamed inode with the text of this moment. NULL without memory. */
struct inode *proc_snapshot(const struct inode *i);

#endif
