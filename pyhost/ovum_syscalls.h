/*
 * The system calls that exist only in ovum's kernel: what _kernel needs from it and Linux has no
 * call for. Their numbers are far above Linux's ("OV" in the upper bytes), so that neither can
 * ever be taken for the other; elsewhere they fail with ENOSYS.
 * All return 0 or more, or -errno. The kernel and pyhost both include this file.
 */
#ifndef OVUM_SYSCALLS_H
#define OVUM_SYSCALLS_H

#define OVUM_SYS_BASE 0x4f5600

/* poweroff(status): ends the machine; does not return. */
#define OVUM_SYS_POWEROFF (OVUM_SYS_BASE + 0)
/* reboot(): starts the machine again; does not return. */
#define OVUM_SYS_REBOOT (OVUM_SYS_BASE + 1)
/* log(level, text, length): one line for the kernel's log, without a newline. */
#define OVUM_SYS_LOG (OVUM_SYS_BASE + 2)
/* mmio_map(phys, size, write_combining): the virtual address of phys; phys needs no alignment. */
#define OVUM_SYS_MMIO_MAP (OVUM_SYS_BASE + 3)
/* mmio_unmap(address, size): takes back what mmio_map gave, with the same size. */
#define OVUM_SYS_MMIO_UNMAP (OVUM_SYS_BASE + 4)
/* rdmsr(msr, value): stores 64 bits at value; -EIO when the CPU refuses. */
#define OVUM_SYS_RDMSR (OVUM_SYS_BASE + 5)
/* wrmsr(msr, value): value is the 64 bits themselves; -EIO when the CPU refuses. */
#define OVUM_SYS_WRMSR (OVUM_SYS_BASE + 6)
/*
 * boot_info(buffer, size): lines of key=value, not ended by NUL. Returns the length of the whole
 * text, and stores it only when that is at most size.
 */
#define OVUM_SYS_BOOT_INFO (OVUM_SYS_BASE + 7)
/* set_panic_hook(hook): a panic calls hook(fd), once, with interrupts off; see panic.c. */
#define OVUM_SYS_SET_PANIC_HOOK (OVUM_SYS_BASE + 8)

/* panic(text, length): a panic on purpose; does not return. */
#define OVUM_SYS_PANIC (OVUM_SYS_BASE + 9)

/*
 * The services thread's calls (microkernel/sys/request.h). wait(deadline, events, count, in_flight):
 * how many struct service_event were stored. complete(number, result, extra, path); wake();
 * mount(path, number); hook(function, restorer, gil_held); irq_bind(irq), irq_acknowledge(irq),
 * irq_unbind(irq).
 */
#define OVUM_SYS_SERVICES_WAIT (OVUM_SYS_BASE + 10)
#define OVUM_SYS_SERVICES_COMPLETE (OVUM_SYS_BASE + 11)
#define OVUM_SYS_SERVICES_WAKE (OVUM_SYS_BASE + 12)
#define OVUM_SYS_SERVICES_MOUNT (OVUM_SYS_BASE + 13)
#define OVUM_SYS_SERVICES_HOOK (OVUM_SYS_BASE + 14)
#define OVUM_SYS_IRQ_BIND (OVUM_SYS_BASE + 15)
#define OVUM_SYS_IRQ_ACKNOWLEDGE (OVUM_SYS_BASE + 16)
#define OVUM_SYS_IRQ_UNBIND (OVUM_SYS_BASE + 17)

/* inspect(topic, buffer, size): the length of a text, of which what fits is stored (sys/inspect.c). */
#define OVUM_SYS_INSPECT (OVUM_SYS_BASE + 18)
/* read_log(position, buffer, size): the length of the records stored; moves *position (core/log.h). */
#define OVUM_SYS_READ_LOG (OVUM_SYS_BASE + 19)

/* wait_zero(word, holder): the services thread waits for the 32-bit word of a lock that thread `holder`
 * has to become 0 (sys/request.h). */
#define OVUM_SYS_SERVICES_WAIT_ZERO (OVUM_SYS_BASE + 20)

/* Interrupts and memory for drivers (microkernel/sys/device.h, sys/request.h).
 * irq_bind_message(message): the interrupt's number; stores address and data, 64 bits each. */
#define OVUM_SYS_IRQ_BIND_MESSAGE (OVUM_SYS_BASE + 21)
/* dma_alloc(size, physical): the address of zero-filled memory; stores the physical one. dma_free(address,
 * size): takes it back. */
#define OVUM_SYS_DMA_ALLOC (OVUM_SYS_BASE + 22)
#define OVUM_SYS_DMA_FREE (OVUM_SYS_BASE + 23)
/* ram_address(phys, size): where memory can be read. */
#define OVUM_SYS_RAM_ADDRESS (OVUM_SYS_BASE + 24)
/* physical_ranges(address, size, writable, ranges, room): how many ranges of physical memory a buffer is
 * in; stores as many pairs of start and length as there is room for. */
#define OVUM_SYS_PHYSICAL_RANGES (OVUM_SYS_BASE + 25)
/* entropy_add(bytes, size): how many bytes were mixed in. */
#define OVUM_SYS_ENTROPY_ADD (OVUM_SYS_BASE + 26)
/* read_screen(position, buffer, size): as read_log, of the bytes that the console has shown (dev/console.h).
 * type(bytes, size): how many bytes the terminal took as typed. */
#define OVUM_SYS_READ_SCREEN (OVUM_SYS_BASE + 27)
#define OVUM_SYS_TYPE (OVUM_SYS_BASE + 28)

/* socket(operation, number, x, y, z): what services do with a socket (sys/request_abi.h). */
#define OVUM_SYS_SOCKET (OVUM_SYS_BASE + 29)

/* Levels of log. */
#define OVUM_LOG_ERROR 1
#define OVUM_LOG_WARNING 2
#define OVUM_LOG_INFO 3
#define OVUM_LOG_DEBUG 4

#endif
