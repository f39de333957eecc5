# The start program on x86-64, which runs before Deno: see ../stub.ts. Assemble it with ./assemble.sh.
#
# Entered as _start is: rsp points at argc, rdx is the loader's rtld_fini. ld.so has finished.
    .intel_syntax noprefix
    .set SYS_write, 1
    .set SYS_close, 3
    .set SYS_mmap, 9
    .set SYS_access, 21
    .set SYS_fcntl, 72
    .set SYS_getcwd, 79
    .set SYS_exit_group, 231
    .set SYS_prlimit64, 302
    .set SYS_memfd_create, 319
    .set MFD_CLOEXEC, 1
    .set MFD_NOEXEC_SEAL, 8
    .set F_DUPFD_CLOEXEC, 1030
    .set ENOENT, 2
    .set RLIMIT_NOFILE, 7
    .set FILES_MIN, 24
    .set PROT_READ_WRITE, 3
    .set MAP_PRIVATE_ANONYMOUS, 0x22

    mov r12, rdx
    lea rbx, [rip + payload]

# Deno panics with fewer files than 14, and an agent needs FILES_MIN. The hard limit counts: Deno raises the soft one.
    xor edi, edi
    mov esi, RLIMIT_NOFILE
    xor edx, edx
    lea r10, [rsp - 16]
    mov eax, SYS_prlimit64
    syscall
    test eax, eax
    js 1f
    cmp qword ptr [rsp - 8], FILES_MIN
    jb few_files
1:

# r13 = a memfd. Linux before 6.3 refuses MFD_NOEXEC_SEAL, and later ones may require it.
    lea rdi, [rip + name]
    mov esi, MFD_CLOEXEC | MFD_NOEXEC_SEAL
    mov eax, SYS_memfd_create
    syscall
    test eax, eax
    jns 1f
    mov esi, MFD_CLOEXEC
    mov eax, SYS_memfd_create
    syscall
    test eax, eax
    js fail
1:  mov r13d, eax

# r14 = a copy of the memfd with a number above the standard streams, which may be closed.
    mov edi, r13d
    mov esi, F_DUPFD_CLOEXEC
    mov edx, 3
    mov eax, SYS_fcntl
    syscall
    test eax, eax
    js fail
    mov r14d, eax
    mov edi, r13d
    mov eax, SYS_close
    syscall

# Write the script into the memfd.
    mov rsi, rbx
    add rsi, [rbx + 8]
    mov rdx, [rbx + 16]
2:  mov edi, r14d
    mov eax, SYS_write
    syscall
    test rax, rax
    jle fail
    add rsi, rax
    sub rdx, rax
    jnz 2b

# rdi = "/proc/self/fd/N", written from its end, in a new page.
    xor edi, edi
    mov esi, 4096
    mov edx, PROT_READ_WRITE
    mov r10d, MAP_PRIVATE_ANONYMOUS
    mov r8, -1
    xor r9d, r9d
    mov eax, SYS_mmap
    syscall
    test rax, rax
    js fail

# Deno does not start in a directory that was removed. The rest of the page takes the path of this one.
    lea rdi, [rax + 1024]
    mov esi, 3072
    mov eax, SYS_getcwd
    syscall
    cmp eax, -ENOENT
    je no_directory
    sub rdi, 1024 - 63
    mov eax, r14d
    mov ecx, 10
3:  xor edx, edx
    div ecx
    add dl, '0'
    dec rdi
    mov [rdi], dl
    test eax, eax
    jnz 3b
    sub rdi, 14
    mov rax, [rip + prefix]
    mov [rdi], rax
    mov rax, [rip + prefix + 6]
    mov [rdi + 6], rax

# Without /proc Deno would blame the path for it, which no user has typed.
    xor esi, esi
    mov eax, SYS_access
    syscall
    test eax, eax
    js no_proc

# A new argc, argv and envp below the old ones, aligned to 16 bytes as the ABI requires. r8 = old envp, rcx = entries of it.
    mov rdx, [rsp]
    lea rsi, [rsp + 8]
    lea r8, [rsi + rdx * 8 + 8]
    xor ecx, ecx
4:  cmp qword ptr [r8 + rcx * 8], 0
    lea rcx, [rcx + 1]
    jne 4b
    lea rax, [rcx + rdx + 3]
    add rax, [rbx + 24]
    add rax, [rbx + 32]
    shl rax, 3
    sub rsp, rax
    and rsp, -16
    mov r9, rdi
    mov rdi, rsp

# argc, argv[0], the words, the path, the user's arguments.
    lea rax, [rdx + 1]
    add rax, [rbx + 24]
    stosq
    movsq
    lea r10, [rbx + 48]
    mov r11, [rbx + 24]
    call pointers
    mov rax, r9
    stosq
5:  lodsq
    stosq
    test rax, rax
    jnz 5b

# Our variables, then the old ones. The C library's environ points here.
    mov rax, [rbx + 40]
    mov rax, [rbx + rax]
    mov [rax], rdi
    mov r11, [rbx + 32]
    call pointers
    mov rsi, r8
    rep movsq

    mov rdx, r12
    add rbx, [rbx]
    jmp rbx

# Stores the addresses of r11 strings at r10.
pointers:
    mov rax, r10
    stosq
6:  inc r10
    cmp byte ptr [r10 - 1], 0
    jne 6b
    dec r11
    jnz pointers
    ret

fail:
    lea rsi, [rip + message]
    mov edx, offset message_length
    mov r15d, 1
    jmp say
no_proc:
    lea rsi, [rip + proc_message]
    mov edx, offset proc_message_length
    mov r15d, 3
    jmp say
few_files:
    lea rsi, [rip + files_message]
    mov edx, offset files_message_length
    mov r15d, 3
    jmp say
no_directory:
    lea rsi, [rip + directory_message]
    mov edx, offset directory_message_length
    mov r15d, 3
# Writes rdx bytes at rsi to standard error, and exits with r15.
say:
    mov edi, 2
    mov eax, SYS_write
    syscall
    mov edi, r15d
    mov eax, SYS_exit_group
    syscall

name:
    .asciz "luo"
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
