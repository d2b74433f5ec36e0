/* Memory of devices and for devices; numbers of the calls in pyhost/ovum_syscalls.h. */
#pragma once

#include "core/types.h"

/* Maps device memory, uncached or write-combining: the address. -EPERM for memory that the kernel manages. */
i64 device_map(u64 address, u64 size, u64 write_combining);
i64 device_unmap(u64 address, u64 size);
/* Contiguous zero-filled memory that devices can reach: its address; stores where it is physically. */
i64 dma_alloc(u64 size, u64 physical_at);
void dma_free(u64 address, u64 size);
/* Where physical memory can be read; -EINVAL if any of the range is no memory. */
i64 ram_address(u64 physical, u64 size);
/* Where a buffer is in physical memory, as up to `room` pairs of start and length: how many there are.
 * -EFAULT for what is not there, or not writable as it is to be. */
i64 physical_ranges(u64 address, u64 length, u64 writable, u64 to, u64 room);
