# Lies at the 64-bit entry of a kernel image. Writes the address of boot_params (RSI) to the serial line and stops, so that
# memory stays as the old kernel left it. as halt.s -o halt.o && objcopy -O binary halt.o halt.bin; image.ts has the bytes.
.code64
    mov $16, %ecx
    mov $0x2b, %al        # '+': the line begins
    jmp put
next:
    rol $4, %rsi
    mov %sil, %al
    and $15, %al
    add $0x30, %al
    cmp $0x39, %al
    jbe put
    add $0x27, %al
put:
    mov %al, %ah
    mov $0x3fd, %edx
wait:
    in %dx, %al
    test $0x20, %al
    jz wait
    mov %ah, %al
    mov $0x3f8, %edx
    out %al, %dx
    dec %ecx
    jns next
    mov $10, %al
    out %al, %dx
    cli
stop:
    hlt
    jmp stop
