# What runs before Deno does, on x86-64: see ../stub.ts. Assemble with ./assemble.sh.
#
# Entered as _start is: rsp points at argc, rdx is the loader's rtld_fini. ld.so has done its work.
    .intel_syntax noprefix
    .set SYS_write, 1
    .set SYS_close, 3
    .set SYS_mmap, 9
    .set SYS_fcntl, 72
    .set SYS_exit_group, 231
    .set SYS_memfd_create, 319
    .set MFD_CLOEXEC, 1
    .set MFD_NOEXEC_SEAL, 8
    .set F_DUPFD_CLOEXEC, 1030
    .set PROT_READ_WRITE, 3
    .set MAP_PRIVATE_ANONYMOUS, 0x22

    mov r12, rdx
    lea rbx, [rip + payload]

# r13 = a memfd. Linux before 6.3 does not know MFD_NOEXEC_SEAL, later ones may insist on it.
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

# r14 = the same above the standard streams, which may be closed.
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

# The script into it.
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

# rdi = "/proc/self/fd/N", written from its end, in a page of its own.
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
    lea rdi, [rax + 63]
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

# argc and argv[0] move down, the words go between them and argv[1].
    mov rcx, [rbx + 24]
    mov rax, [rsp]
    mov rdx, [rsp + 8]
    lea r8, [rcx * 8]
    sub rsp, r8
    add rax, rcx
    mov [rsp], rax
    mov [rsp + 8], rdx
    lea r9, [rsp + 16]
    lea rsi, [rbx + 32]
    dec ecx
4:  mov [r9], rsi
    add r9, 8
5:  lodsb
    test al, al
    jnz 5b
    dec ecx
    jnz 4b
    mov [r9], rdi

    mov rdx, r12
    add rbx, [rbx]
    jmp rbx

fail:
    mov edi, 2
    lea rsi, [rip + message]
    mov edx, offset message_length
    mov eax, SYS_write
    syscall
    mov edi, 1
    mov eax, SYS_exit_group
    syscall

name:
    .asciz "luo"
prefix:
    .ascii "/proc/self/fd/"
message:
    .ascii "Cannot start luo: no memory for its program\n"
    .set message_length, . - message
    .balign 8
payload:
