/* The guest of the example: a boot sector. One round after the other it looks at every page of its memory from 1 MiB to
   60 MiB, writes something else there, and prints on the serial port how many rounds it has done and how many pages were
   wrong.

       as -32 guest.S -o guest.o && ld -m elf_i386 --oformat binary -Ttext 0x7c00 guest.o -o guest.img */
        .intel_syntax noprefix
        .code16
        .globl _start

        .set FIRST, 0x100000            /* The first page that is looked at. */
        .set END, 0x3c00000             /* The first page that is not. The firmware keeps tables in the last pages. */
        .set PAGE, 0x1000
        .set STEP, 0x9e3779b1           /* The word in a page is ADDRESS ^ (ROUND * STEP): each round writes another. */
        .set SERIAL, 0x3f8

_start: cli
        xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00

        /* A moment in protected mode gives the segment FS a limit of 4 GiB. The limit stays in real mode. */
        lgdt    [gdt_pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     fs, bx
        and     al, 0xfe
        mov     cr0, eax
        mov     fs, [zero]

        xor     edx, edx                /* EDX: what this round expects, ROUND * STEP. */
        mov     ebx, FIRST
fill:   mov     fs:[ebx], ebx
        add     ebx, PAGE
        cmp     ebx, END
        jb      fill

round:  inc     dword ptr [rounds]
        mov     ebx, FIRST
check:  mov     eax, ebx
        xor     eax, edx
        cmp     fs:[ebx], eax
        je      right
        inc     dword ptr [errors]
right:  lea     eax, [edx + STEP]
        xor     eax, ebx
        mov     fs:[ebx], eax
        add     ebx, PAGE
        cmp     ebx, END
        jb      check
        add     edx, STEP

        mov     si, offset text_round
        call    print
        mov     eax, [rounds]
        call    decimal
        mov     si, offset text_errors
        call    print
        mov     eax, [errors]
        call    decimal
        mov     al, '\n'
        call    put

        mov     cx, 4                   /* Sleeps until the fourth tick of the timer: four rounds in a second. */
sleep:  sti
        hlt
        loop    sleep
        cli
        jmp     round

/* Prints the text at SI. */
print:  lodsb
        test    al, al
        jz      done
        call    put
        jmp     print

/* Prints EAX. */
decimal:
        push    edx
        mov     edi, 10
        xor     cx, cx
digit:  xor     edx, edx
        div     edi
        push    dx
        inc     cx
        test    eax, eax
        jnz     digit
write:  pop     ax
        add     al, '0'
        call    put
        loop    write
        pop     edx
done:   ret

/* Writes AL to the serial port. */
put:    push    dx
        push    ax
        mov     dx, SERIAL + 5
wait:   in      al, dx
        test    al, 0x20
        jz      wait
        pop     ax
        mov     dx, SERIAL
        out     dx, al
        pop     dx
        ret

text_round:     .asciz "round "
text_errors:    .asciz " errors "
zero:           .word 0
rounds:         .long 0
errors:         .long 0
        .balign 8
gdt:            .quad 0
                .quad 0x00cf92000000ffff
gdt_pointer:    .word 15
                .long gdt

        .org 510
        .word 0xaa55
