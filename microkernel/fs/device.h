/* Character devices that are mechanism: null, zero, full, random, the terminal, the standard streams. */
#pragma once

#include "fs/file.h"

/* Makes /dev. */
void device_init(void);
/* Opens the device with this number; -ENXIO if there is none. */
i64 device_open(u64 rdev, u32 flags, struct file **file);
