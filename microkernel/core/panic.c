#include "core/panic.h"

#include "core/boot_info.h"
#include "core/log.h"
#include "core/string.h"
#include "core/thread.h"
#include "dev/console.h"
#include "dev/uart.h"
#include "mm/paging.h"

#define STATUS_PANIC 70                         /* EX_SOFTWARE of sysexits.h: what `ovum run` returns */

bool panicking;
static bool to_stderr;                          /* the report of a fatal signal: for the program's user */
static void (*python_hook)(int fd);

/* The hook runs in the program's half of memory but on a stack of ours, and its system calls and page
 * faults enter the kernel on another, whatever state the thread's own stacks are in. */
static u8 hook_stack[32768] __attribute__((aligned(16)));
static u8 entry_stack[16384] __attribute__((aligned(16)));

void panic_set_hook(void (*hook)(int fd)) { python_hook = hook; }

static void panic_print(const char *text, size_t n) {
    if (to_stderr && console_is_link()) {
        while (n) {
            size_t sent = console_write(CONSOLE_STDERR, text, n);
            text += sent;
            n -= sent;
            uart_drain();
        }
    } else {
        console_panic(text, n);
    }
}

static void print(const char *format, ...) PRINTF_LIKE(1, 2);
static void print(const char *format, ...) {
    char line[320];
    va_list args;
    va_start(args, format);
    size_t n = format_text_v(line, sizeof line, format, args);
    va_end(args);
    panic_print(line, min_u64(n, sizeof line - 1));
}

size_t user_copy_raw(void *to, const void *from, size_t n);

void panic_write(u64 from, size_t n) {
    char piece[256];
    while (n) {
        size_t now = min_u64(n, sizeof piece), left = user_copy_raw(piece, (const void *)from, now);
        panic_print(piece, now - left);
        if (left)
            return;
        from += now;
        n -= now;
    }
}

static void print_registers(const struct frame *f) {
    print("rip %016lx  rsp %016lx  flags %08lx  error %lx\n", f->rip, f->rsp, f->rflags, f->error);
    print("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    print("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    print("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    print("r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
}

/* Made by the Makefile from the first link: sorted by address. */
struct symbol {
    u32 address_low;                            /* the kernel lies within the top 2 GiB */
    u32 name;                                   /* offset from the table */
};
extern const char kernel_headers[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern const struct symbol kernel_symbols[], kernel_symbols_end[];

/* The function an address lies in and the offset into it; NULL if it is none of ours. */
static const char *symbol_of(vaddr_t address, u64 *offset) {
    if (address < (u64)kernel_headers || address >= (u64)kernel_text_end)
        return NULL;
    const struct symbol *low = kernel_symbols, *high = kernel_symbols_end;
    while (low + 1 < high) {
        const struct symbol *middle = low + (high - low) / 2;
        if (middle->address_low <= (u32)address)
            low = middle;
        else
            high = middle;
    }
    if (low >= high)
        return NULL;
    *offset = (u32)address - low->address_low;
    return (const char *)kernel_symbols + low->name;
}

/* `back` is 1 for return addresses: a call that does not return may be the last instruction of its function. */
static void print_address(u64 address, u64 back) {
    u64 offset = 0;
    const char *name = symbol_of(address - back, &offset);
    print(name ? "  %016lx  %s+0x%lx\n" : "  %016lx\n", address, name, offset + back);
}

/* Can two words be read at this frame pointer? It must lie on a stack of the kernel: in its image (boot,
 * interrupts) or in the area of the threads' stacks. */
static bool readable_frame(u64 rbp) {
    if (rbp & 7)
        return false;
    if (rbp >= (u64)kernel_rodata_end && rbp + 16 <= (u64)kernel_end)
        return true;
    if (rbp < KSTACK_BASE || rbp + 16 > MMIO_BASE || !this_cpu()->current)
        return false;
    const u64 *low = paging_entry(rbp, false, NULL), *high = paging_entry(rbp + 8, false, NULL);
    return low && high && *low & PTE_P && *high & PTE_P;
}

static void print_backtrace(u64 rip, u64 rbp) {
    print("kernel backtrace:\n");
    if (rip)
        print_address(rip, 0);
    for (int depth = 0; depth < 32 && readable_frame(rbp); depth++) {
        const u64 *frame = (const u64 *)rbp;
        if (!frame[1])
            break;
        print_address(frame[1], 1);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

static void call_hook(void) {
    void (*hook)(int) = python_hook;
    if (!hook)
        return;
    python_hook = NULL;                         /* once */
    this_cpu()->kstack = (u64)entry_stack + sizeof entry_stack;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %0, %%rsp\n\tcall *%1\n\tmovq %%rbx, %%rsp"
                     : : "r"((u64)hook_stack + sizeof hook_stack), "r"(hook), "D"(2)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
}

__attribute__((noreturn)) static void finish(void) {
    interrupts_off();
    if (boot_option_is("ovum.panic", "halt")) {
        uart_drain();
        machine_halt();
    }
    if (boot_option_is("ovum.panic", "reboot"))
        machine_reboot();
    console_exit(STATUS_PANIC);
}

void panic_at(const struct frame *f, const char *format, ...) {
    char text[320];
    va_list args;
    interrupts_off();
    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    if (panicking) {
        print("\nwhile that was being reported: %s\n", text);
        finish();
    }
    panicking = true;
    print("\novum: kernel panic: %s\n", text);
    struct thread *t = this_cpu()->current;
    if (t)
        print("thread %d (%s)\n", t->tid, t->name);
    if (f)
        print_registers(f);
    print_backtrace(f ? f->rip : 0, f ? f->rbp : (u64)__builtin_frame_address(0));
    call_hook();
    finish();
}

static const char *signal_name(int signal) {
    switch (signal) {
    case SIGSEGV: return "SIGSEGV: bad memory access";
    case SIGBUS: return "SIGBUS: memory that cannot be given";
    case SIGILL: return "SIGILL: invalid instruction";
    case SIGFPE: return "SIGFPE: arithmetic error";
    case SIGTRAP: return "SIGTRAP: breakpoint";
    case SIGABRT: return "SIGABRT: abort()";
    }
    return NULL;
}

void report_fatal_signal(int signal, const struct frame *f, u64 address, bool with_tracebacks) {
    if (!signal_name(signal))
        return;
    if (panicking)
        panic_at(f, "%s in the traceback hook, address %lx", signal_name(signal), address);
    panicking = true;
    to_stderr = true;
    print("ovum: the program was killed by signal %d (%s), address %lx, instruction %lx\n", signal, signal_name(signal), address, f->rip);
    if (with_tracebacks)
        call_hook();
    to_stderr = false;
    panicking = false;
}
