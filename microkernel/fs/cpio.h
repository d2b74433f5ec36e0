/* Seeds the RAM file system from a boot archive (cpio "newc"). */
#pragma once

#include "core/types.h"

/* Content is used in place: the archive must stay. Returns the number of entries; damage ends the
 * unpacking with a message in the log. */
u64 cpio_unpack(const u8 *archive, u64 size);
