"""A live update in three boots, as a program sees it that knows nothing of luo. Prints what it finds."""
import ctypes, errno, fcntl, os, struct, sys

CREATE, RETRIEVE, PRESERVE, RETRIEVE_FD, FINISH = 0xBA00, 0xBA01, 0xBA40, 0xBA41, 0xBA42
libc = ctypes.CDLL(None, use_errno=True)


def session(device, request, name):
    argument = bytearray(struct.pack("Ii64s", 72, -1, name))
    fcntl.ioctl(device, request, argument)
    return struct.unpack_from("i", argument, 4)[0]


def fd(session, request, token, number=-1):
    argument = bytearray(struct.pack("IiQ", 16, number, token))
    fcntl.ioctl(session, request, argument)
    return struct.unpack_from("i", argument, 4)[0]


def refused(what, call):
    try:
        call()
        print(what, "done")
    except OSError as error:
        print(what, errno.errorcode[error.errno])


def kexec(image):
    with open(image, "rb") as file:
        if libc.syscall(320, file.fileno(), -1, ctypes.c_ulong(14), b"liveupdate=on", ctypes.c_ulong(4)) != 0:
            raise OSError(ctypes.get_errno(), "kexec_file_load")
    sys.stdout.flush()
    libc.reboot(0x45584543)
    raise OSError(ctypes.get_errno(), "reboot")


def first(image):
    device = os.open("/dev/liveupdate", os.O_RDWR)
    refused("second open", lambda: os.open("/dev/../dev//liveupdate", os.O_RDWR))
    print("stat", oct(os.stat("/dev/liveupdate").st_mode), os.access("/dev/liveupdate", os.R_OK))
    vm = session(device, CREATE, b"vm0")
    memfd = os.memfd_create("guest", os.MFD_ALLOW_SEALING)
    os.write(memfd, b"kept" * 2048)
    os.lseek(memfd, 100, os.SEEK_SET)
    fd(vm, PRESERVE, 7, memfd)
    refused("no such fd", lambda: fd(vm, PRESERVE, 8, 999))
    refused("grow", lambda: os.ftruncate(memfd, 1 << 20))
    refused("shrink", lambda: os.ftruncate(memfd, 1))
    refused("same size", lambda: os.ftruncate(memfd, 8192))
    refused("fallocate", lambda: os.posix_fallocate(memfd, 0, 1 << 20))
    refused("write inside", lambda: os.pwrite(memfd, b"late", 0))
    if "strict" in sys.argv:
        refused("write past the end", lambda: os.pwrite(memfd, b"late", 8190))
    if libc.reboot(0x01234567) != 0:
        print("restart", errno.errorcode[ctypes.get_errno()])
    # A daemon that nobody waits for: it ends with its machine.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            libc.pause()
        os._exit(0)
    kexec(image)


def second(image):
    device = os.open("/dev/liveupdate", os.O_RDWR)
    vm = session(device, RETRIEVE, b"vm0")
    memfd = fd(vm, RETRIEVE_FD, 7)
    print("position", os.lseek(memfd, 0, os.SEEK_CUR), "size", os.fstat(memfd).st_size)
    print("name", os.readlink(f"/proc/self/fd/{memfd}"))
    print("contents", os.pread(memfd, 4, 0), os.pread(memfd, 4, 8188))
    fcntl.ioctl(vm, FINISH, bytearray(struct.pack("II", 8, 0)))
    os.ftruncate(memfd, 1 << 20)
    os.close(vm)
    refused("finished", lambda: session(device, RETRIEVE, b"vm0"))
    sys.exit(5)


boot = int(os.environ.get("LUO_BOOT", "1"))
print("boot", boot)
(first if boot == 1 else second)(sys.argv[1])
