// The start program on aarch64, which runs before Deno: see ../stub.ts. Assemble it with ./assemble.sh.
//
// Entered as _start is: sp points at argc, x0 is the loader's rtld_fini. ld.so has finished.
    .set SYS_getcwd, 17
    .set SYS_fcntl, 25
    .set SYS_faccessat, 48
    .set SYS_close, 57
    .set SYS_write, 64
    .set SYS_exit_group, 94
    .set SYS_mmap, 222
    .set SYS_prlimit64, 261
    .set SYS_memfd_create, 279
    .set MFD_CLOEXEC, 1
    .set MFD_NOEXEC_SEAL, 8
    .set F_DUPFD_CLOEXEC, 1030
    .set ENOENT, 2
    .set AT_FDCWD, -100
    .set RLIMIT_NOFILE, 7
    .set FILES_MIN, 24
    .set PROT_READ_WRITE, 3
    .set MAP_PRIVATE_ANONYMOUS, 0x22

    mov x19, x0
    adr x20, payload

// Deno panics with fewer files than 14, and an agent needs FILES_MIN. The hard limit counts: Deno raises the soft one.
    mov x0, #0
    mov x1, #RLIMIT_NOFILE
    mov x2, #0
    sub x3, sp, #16
    mov x8, #SYS_prlimit64
    svc #0
    tbnz w0, #31, 1f
    ldur x10, [sp, #-8]
    cmp x10, #FILES_MIN
    b.lo few_files
1:

// w21 = a memfd. Linux before 6.3 refuses MFD_NOEXEC_SEAL, and later ones may require it.
    adr x0, name
    mov x1, #(MFD_CLOEXEC | MFD_NOEXEC_SEAL)
    mov x8, #SYS_memfd_create
    svc #0
    tbz w0, #31, 1f
    adr x0, name
    mov x1, #MFD_CLOEXEC
    mov x8, #SYS_memfd_create
    svc #0
    tbnz w0, #31, fail
1:  mov w21, w0

// w22 = a copy of the memfd with a number above the standard streams, which may be closed.
    mov x1, #F_DUPFD_CLOEXEC
    mov x2, #3
    mov x8, #SYS_fcntl
    svc #0
    tbnz w0, #31, fail
    mov w22, w0
    mov w0, w21
    mov x8, #SYS_close
    svc #0

// Write the script into the memfd.
    ldr x1, [x20, #8]
    add x1, x20, x1
    ldr x2, [x20, #16]
2:  mov w0, w22
    mov x8, #SYS_write
    svc #0
    cmp x0, #0
    b.le fail
    add x1, x1, x0
    subs x2, x2, x0
    b.ne 2b

// x9 = "/proc/self/fd/N", written from its end, in a new page.
    mov x0, #0
    mov x1, #4096
    mov x2, #PROT_READ_WRITE
    mov x3, #MAP_PRIVATE_ANONYMOUS
    mov x4, #-1
    mov x5, #0
    mov x8, #SYS_mmap
    svc #0
    tbnz x0, #63, fail

// Deno does not start in a directory that was removed. The rest of the page takes the path of this one.
    mov x9, x0
    add x0, x9, #1024
    mov x1, #3072
    mov x8, #SYS_getcwd
    svc #0
    cmn w0, #ENOENT
    b.eq no_directory
    add x9, x9, #63
    mov w10, #10
3:  udiv w11, w22, w10
    msub w12, w11, w10, w22
    add w12, w12, #'0'
    strb w12, [x9, #-1]!
    mov w22, w11
    cbnz w22, 3b
    sub x9, x9, #14
    adr x10, prefix
    ldr x11, [x10]
    str x11, [x9]
    ldur x11, [x10, #6]
    stur x11, [x9, #6]

// Without /proc Deno would blame the path for it, which no user has typed.
    mov x0, #AT_FDCWD
    mov x1, x9
    mov x2, #0
    mov x8, #SYS_faccessat
    svc #0
    tbnz w0, #31, no_proc

// A new argc, argv and envp below the old ones, aligned to 16 bytes as the ABI requires. x12 = old envp, x13 = entries of it.
    ldr x10, [sp]
    add x11, sp, #8
    add x12, x11, x10, lsl #3
    add x12, x12, #8
    mov x13, #0
4:  ldr x14, [x12, x13, lsl #3]
    add x13, x13, #1
    cbnz x14, 4b
    ldp x15, x16, [x20, #24]
    add x14, x13, x10
    add x14, x14, x15
    add x14, x14, x16
    add x14, x14, #3
    mov x17, sp
    sub x17, x17, x14, lsl #3
    and sp, x17, #-16
    mov x17, sp

// argc, argv[0], the words, the path, the user's arguments.
    add x10, x10, x15
    add x10, x10, #1
    ldr x14, [x11], #8
    stp x10, x14, [x17], #16
    add x14, x20, #48
    bl pointers
    str x9, [x17], #8
5:  ldr x10, [x11], #8
    str x10, [x17], #8
    cbnz x10, 5b

// Our variables, then the old ones. The C library's environ points here.
    ldr x10, [x20, #40]
    ldr x10, [x20, x10]
    str x17, [x10]
    mov x15, x16
    bl pointers
6:  ldr x10, [x12], #8
    str x10, [x17], #8
    cbnz x10, 6b

    mov x0, x19
    ldr x10, [x20]
    add x10, x20, x10
    br x10

// Stores the addresses of x15 strings at x14.
pointers:
    str x14, [x17], #8
7:  ldrb w10, [x14], #1
    cbnz w10, 7b
    subs x15, x15, #1
    b.ne pointers
    ret

fail:
    adr x1, message
    mov x2, #message_length
    mov x21, #1
    b say
no_proc:
    adr x1, proc_message
    mov x2, #proc_message_length
    mov x21, #3
    b say
few_files:
    adr x1, files_message
    mov x2, #files_message_length
    mov x21, #3
    b say
no_directory:
    adr x1, directory_message
    mov x2, #directory_message_length
    mov x21, #3
// Writes x2 bytes at x1 to standard error, and exits with x21.
say:
    mov x0, #2
    mov x8, #SYS_write
    svc #0
    mov x0, x21
    mov x8, #SYS_exit_group
    svc #0

name:
    .asciz "luo"
    .balign 8
prefix:
    .ascii "/proc/self/fd/"
message:
    .ascii "luo: Cannot start luo: no memory for its program\n"
    .set message_length, . - message
proc_message:
    .ascii "luo: Cannot read \"/proc/self/fd\": /proc is not mounted\n  mount it: mount -t proc proc /proc\n"
    .set proc_message_length, . - proc_message
files_message:
    .ascii "luo: Cannot start luo: the limit of open files is below 24\n  raise it (see: ulimit -Hn), 1024 is usual\n"
    .set files_message_length, . - files_message
directory_message:
    .ascii "luo: Cannot start luo: the working directory was removed\n  go to another one first: cd /\n"
    .set directory_message_length, . - directory_message
    .balign 8
payload:
