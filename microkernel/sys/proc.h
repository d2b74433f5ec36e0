/* Files below /proc whose text the kernel writes anew at every opening. */
#pragma once

#include "fs/inode.h"

void proc_init(void);
/* What a program gets that opens one: an unnamed inode with the text of this moment. NULL without memory. */
struct inode *proc_snapshot(const struct inode *i);
