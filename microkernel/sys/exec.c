/* System V ABI, AMD64 supplement 1.0: 3.4.1 (initial stack), 5.1 (program loading). */
#include "core/boot_info.h"
#include "core/clock.h"
#include "core/entropy.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "core/thread.h"
#include "core/vdso_data.h"
#include "dev/console.h"
#include "dev/stdio.h"
#include "dev/tty.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/vm.h"
#include "sys/calls.h"
#include "sys/signal.h"

struct ehdr {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};
enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62, PT_LOAD = 1, PT_INTERP = 3, PF_X = 1, PF_W = 2, PF_R = 4 };
#define MAX_PHDRS 32

/* While the program is set up there is nobody to tell of missing memory but the person at the console. */
#define NEED(condition) \
    do { \
        if (!(condition)) \
            panic("not enough memory to start the program: give the machine more"); \
    } while (0)


struct loaded {
    u64 base, entry, phdr, end;
    u16 phnum;
    char interpreter[256];
};

static i64 read_at(struct inode *i, void *to, size_t n, u64 offset) {
    struct span s = kernel_span(to, n);
    return regular_read(i, &s, &offset) == (i64)n ? 0 : -ENOEXEC;
}

static int protection(u32 flags) { return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0); }

static i64 load_segment(struct inode *i, const struct phdr *p, u64 base) {
    u64 start = ALIGN_DOWN(base + p->vaddr, PAGE_SIZE), file_end = base + p->vaddr + p->filesz, end = ALIGN_UP(base + p->vaddr + p->memsz, PAGE_SIZE);
    int prot = protection(p->flags);
    if (p->filesz) {
        i64 at = vm_map(start, ALIGN_UP(file_end, PAGE_SIZE) - start, prot, MAP_PRIVATE | MAP_FIXED, i, ALIGN_DOWN(p->offset, PAGE_SIZE));
        if (at < 0)
            return at;
    }
    u64 zero_from = p->filesz ? ALIGN_UP(file_end, PAGE_SIZE) : start;
    if (zero_from < end) {
        i64 at = vm_map(zero_from, end - zero_from, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
        if (at < 0)
            return at;
    }
    struct span rest = {.at = file_end, .left = ALIGN_UP(file_end, PAGE_SIZE) - file_end};
    bool has_rest = p->memsz > p->filesz && p->filesz && prot & PROT_WRITE;
    return has_rest ? span_put_zeros(&rest, rest.left) : 0;
}

static i64 load(const char *name, struct loaded *l) {
    struct inode *i = inode_at(name);
    struct ehdr h;
    struct phdr ph[MAX_PHDRS];
    i64 error = 0;
    if (!i)
        return -ENOENT;
    if (!is_regular(i) || read_at(i, &h, sizeof h, 0) || memcmp(h.ident, "\x7f" "ELF\2\1", 6) || h.machine != EM_X86_64 ||
        (h.type != ET_EXEC && h.type != ET_DYN) || h.phentsize != sizeof *ph || h.phnum > MAX_PHDRS || read_at(i, ph, h.phnum * sizeof *ph, h.phoff))
        return -ENOEXEC;
    u64 low = UINT64_MAX, high = 0;
    for (int k = 0; k < h.phnum; k++)
        if (ph[k].type == PT_LOAD) {
            low = min_u64(low, ALIGN_DOWN(ph[k].vaddr, PAGE_SIZE));
            high = max_u64(high, ph[k].vaddr + ph[k].memsz);
        }
    if (high <= low || high > USER_END)
        return -ENOEXEC;
    u64 base = 0;
    if (h.type == ET_DYN) {
        i64 at = vm_map(0, ALIGN_UP(high - low, PAGE_SIZE), 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL, 0);
        if (at < 0)
            return at;
        base = (u64)at - low;
    }
    for (int k = 0; k < h.phnum && !error; k++) {
        if (ph[k].type == PT_LOAD) {
            error = load_segment(i, &ph[k], base);
            if (ph[k].offset <= h.phoff && h.phoff < ph[k].offset + ph[k].filesz)
                l->phdr = base + ph[k].vaddr + (h.phoff - ph[k].offset);
        } else if (ph[k].type == PT_INTERP && ph[k].filesz < sizeof l->interpreter) {
            error = read_at(i, l->interpreter, ph[k].filesz, ph[k].offset);
        }
    }
    l->base = base;
    l->entry = base + h.entry;
    l->end = base + high;
    l->phnum = h.phnum;
    return error;
}

/* ---- vDSO ---- */

extern const u8 vdso_image[], vdso_image_end[];
static struct inode *vdso_inode;

void *vdso_data_page(void) { return phys_to_virt(page_address(regular_page(vdso_inode, 0, true))); }

/* The data page and behind it the code, as a shared mapping of a file without a name. */
static u64 map_vdso(void) {
    u64 size = (u64)(vdso_image_end - vdso_image), position = PAGE_SIZE;
    vdso_inode = inode_new(S_IFREG | 0444);
    NEED(vdso_inode);
    inode_get(vdso_inode);                      /* the kernel's own: it writes the time there */
    struct span s = kernel_span(vdso_image, size);
    NEED(regular_write(vdso_inode, &s, &position) == (i64)size);
    clock_fill_vdso(vdso_data_page());
    u64 length = ALIGN_UP(PAGE_SIZE + size, PAGE_SIZE);
    i64 at = vm_map(0, length, PROT_READ | PROT_EXEC, MAP_SHARED, vdso_inode, 0);
    NEED(at > 0 && !vm_protect((u64)at, PAGE_SIZE, PROT_READ));
    return (u64)at + PAGE_SIZE;
}

/* ---- the first stack ---- */

#define STACK_SIZE (8ull << 20)
#define STACK_TOP (USER_END - 0x1000)
#define ARGUMENT_LIMIT (1u << 20)

struct strings {
    char *text;                                 /* NUL-ended, one after the other */
    u64 size;
    u32 count;
};

/* A file's text, or `otherwise` if there is no such file, with zeros for a command line behind it. */
static char *read_file(const char *name, const char *otherwise, u64 *size) {
    struct inode *i = inode_at(name);
    bool there = i && is_regular(i);
    *size = there ? i->size : strlen(otherwise);
    if (*size >= ARGUMENT_LIMIT)
        panic("%s, which says how to start the program, has more than %u bytes", name, ARGUMENT_LIMIT);
    char *text = kzalloc(*size + BOOT_COMMAND_LINE + 1);
    NEED(text);
    if (there)
        NEED(!read_at(i, text, *size, 0));
    else
        memcpy(text, otherwise, *size);
    return text;
}

static struct strings read_strings(const char *name, const char *otherwise) {
    u64 size;
    struct strings s = {.text = read_file(name, otherwise, &size)};
    for (; s.size < size; s.count++)
        s.size += strlen(s.text + s.size) + 1;
    return s;
}

static void add_command_line(struct strings *s) {
    const char *p = boot_program_arguments(), *word;
    size_t n;
    while (p && (word = boot_word(&p, &n))) {
        memcpy(s->text + s->size, word, n);
        s->size += n + 1;
        s->count++;
    }
}

static void enter_directory(void) {
    u64 size;
    char *text = read_file("/ovum/cwd", "/", &size);
    struct inode *i = inode_at(text);
    if (!i || !is_directory(i)) {
        log_error("/ovum/cwd: no directory %s", text);
        i = root_inode;
    }
    working_directory = inode_open(i, O_PATH);
    KASSERT(working_directory);
    kfree(text);
}

enum {
    AT_NULL, AT_PHDR = 3, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID = 11, AT_EUID, AT_GID, AT_EGID, AT_PLATFORM,
    AT_HWCAP, AT_CLKTCK, AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2 = 26, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33, AT_MINSIGSTKSZ = 51,
};

static u64 push(u64 sp, const void *bytes, u64 n) {
    sp -= n;
    NEED(!copy_to_user(sp, bytes, n));
    return sp;
}

/* Strings first, then argc, argv, envp and the auxiliary vector; returns the stack pointer. */
static u64 build_stack(const struct strings *argv, const struct strings *envp, const struct loaded *program, u64 interpreter_base, u64 vdso) {
    u8 random[16];
    u64 sp = STACK_TOP;
    entropy_bytes(random, sizeof random);
    u64 name = sp = push(sp, "/init", 6);
    u64 platform = sp = push(sp, "x86_64", 7);
    u64 random_at = sp = push(sp, random, sizeof random);
    u64 env_at = sp = envp->size ? push(sp, envp->text, envp->size) : sp;
    u64 arg_at = sp = argv->size ? push(sp, argv->text, argv->size) : sp;

    u64 aux[][2] = {
        {AT_SYSINFO_EHDR, vdso}, {AT_HWCAP, cpuid(1, 0).edx}, {AT_PAGESZ, PAGE_SIZE}, {AT_CLKTCK, 100}, {AT_PHDR, program->phdr},
        {AT_PHENT, sizeof(struct phdr)}, {AT_PHNUM, program->phnum}, {AT_BASE, interpreter_base}, {AT_FLAGS, 0}, {AT_ENTRY, program->entry},
        {AT_UID, 0}, {AT_EUID, 0}, {AT_GID, 0}, {AT_EGID, 0}, {AT_SECURE, 0}, {AT_RANDOM, random_at}, {AT_HWCAP2, 0},
        {AT_EXECFN, name}, {AT_PLATFORM, platform}, {AT_MINSIGSTKSZ, sigframe_size()}, {AT_NULL, 0},
    };
    u64 words = 1 + argv->count + 1 + envp->count + 1 + ARRAY_SIZE(aux) * 2;
    sp = ALIGN_DOWN(sp, 16) - ALIGN_UP(words * 8, 16);
    u64 at = sp, argc = argv->count, zero = 0;
    NEED(!copy_to_user(at, &argc, 8));
    at += 8;
    const struct { const struct strings *s; u64 text; } lists[2] = {{argv, arg_at}, {envp, env_at}};
    for (int k = 0; k < 2; k++) {
        u64 offset = 0;
        for (u32 i = 0; i < lists[k].s->count; i++, at += 8) {
            u64 address = lists[k].text + offset;
            NEED(!copy_to_user(at, &address, 8));
            offset += strlen(lists[k].s->text + offset) + 1;
        }
        NEED(!copy_to_user(at, &zero, 8));
        at += 8;
    }
    NEED(!copy_to_user(at, aux, sizeof aux));
    return sp;
}

/* ---- descriptors 0, 1 and 2 ---- */

static void open_standard_files(void) {
    struct inode *i = inode_at("/ovum/stdin");   /* absent unless the host has a file */
    struct file *input = i ? inode_open(i, O_RDONLY) : NULL;
    /* One open file for all descriptors that are the terminal, as a shell would pass it. */
    struct file *tty = NULL;
    for (int fd = 0; fd < 3; fd++) {
        struct file *f;
        if (console_terminals() & 1u << fd)
            f = tty ? file_get(tty) : (tty = tty_open(O_RDWR));
        else
            f = fd == 0 && input ? file_get(input) : stdio_open(fd);
        KASSERT(f && fd_install(f, fd, false) == fd);
    }
    if (input)
        file_put(input);
}

struct thread *exec_init(void) {
    static struct loaded program, interpreter;
    i64 error = load("/init", &program);
    NEED(error != -ENOMEM);
    if (error)
        panic("cannot start /init: error %ld (is there a root archive in the image?)", -error);
    u64 entry = program.entry;
    if (program.interpreter[0]) {
        error = load(program.interpreter, &interpreter);
        NEED(error != -ENOMEM);
        if (error)
            panic("cannot load %s, which /init asks for: error %ld", program.interpreter, -error);
        entry = interpreter.entry;
    }
    vm_set_brk(program.end);
    u64 vdso = map_vdso();
    i64 stack = vm_map(STACK_TOP - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_STACK, NULL, 0);
    NEED(stack > 0);
    struct strings argv = read_strings("/ovum/argv", "/init"), envp = read_strings("/ovum/environ", "");
    add_command_line(&argv);
    enter_directory();
    struct frame f = {.rip = entry, .cs = KERNEL_CS, .rflags = RFLAGS_IF | 2, .ss = KERNEL_SS, .orig_rax = (u64)-1};
    f.rsp = build_stack(&argv, &envp, &program, interpreter.base, vdso);
    kfree(argv.text);
    kfree(envp.text);
    struct thread *t = thread_create(&f, 0);
    NEED(t);
    memcpy(t->name, "python3.13", 11);
    open_standard_files();
    return t;
}
