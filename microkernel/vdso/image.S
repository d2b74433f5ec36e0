/* The linked vDSO inside the kernel. */
.section .rodata
.balign 8
.globl vdso_image, vdso_image_end
vdso_image:
    .incbin VDSO_FILE
vdso_image_end:
.section .note.GNU-stack, "", @progbits
