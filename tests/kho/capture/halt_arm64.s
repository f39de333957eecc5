// Lies in an arm64 Image, whose first instruction branches here. Writes the address of the device tree (x0) to the serial line
// (PL011 of QEMU's machine "virt") and stops, so that memory stays as the old kernel left it.
// aarch64-linux-gnu-as halt_arm64.s -o halt.o && aarch64-linux-gnu-objcopy -O binary halt.o halt.bin; image.ts has the bytes.
    mov x9, #0x09000000
    mov w2, #16
    mov w3, #'+'        // The line begins.
    b put
next:
    ror x0, x0, #60
    and w3, w0, #15
    add w3, w3, #0x30
    cmp w3, #0x39
    b.ls put
    add w3, w3, #0x27
put:
    ldr w4, [x9, #0x18]
    tbnz w4, #5, put
    str w3, [x9]
    subs w2, w2, #1
    b.pl next
    mov w3, #10
    str w3, [x9]
stop:
    wfi
    b stop
