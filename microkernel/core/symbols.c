#include "core/symbols.h"

#include "arch/x86_64/layout.h"

/* Made by the Makefile from the first link: sorted by address. */
struct symbol {
    u32 address_low;                            /* the kernel lies within the top 2 GiB */
    u32 name;                                   /* offset from the table */
};
extern const struct symbol kernel_symbols[], kernel_symbols_end[];
extern const char kernel_headers[], kernel_text_end[];

const char *symbol_of(vaddr_t address, u64 *offset) {
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
