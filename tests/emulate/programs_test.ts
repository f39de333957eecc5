/** C and Python programs, and luo itself, run unmodified under `luo emulate`. */
import assert from "node:assert/strict";
import { BINARY, LUO } from "../luo_under_test.ts";
import { isInstalled, Lab } from "./run.ts";

const gcc = isInstalled("gcc");
const name = (what: string) => gcc ? what : `${what} (ignored: no gcc)`;

const recorded = (program: string) =>
  Deno.readTextFileSync(new URL(`programs/${program}.linux`, import.meta.url));
interface Recorded {
  readonly program: string;
  readonly options: readonly string[];
  /** The output of the same program on Linux 7.3.4, recorded in a virtual machine. */
  readonly says: string;
  /** Its argument is a kernel. */
  readonly kernel?: true;
  /** It changes its user. */
  readonly root?: true;
}

function strict(program: string): Recorded {
  return { program, options: ["--strict"], says: recorded(program) };
}

/** They read the registers of x86-64, and spoil an x86 image. */
const ONLY_X86 = ["traced", "messages_of_the_kernel"];

const programs: readonly Recorded[] = [
  { program: "device_names", options: [], says: recorded("device_names") },
  { program: "kinds_of_fd", options: ["--strict"], says: recorded("kinds_of_fd") },
  { program: "leftovers", options: [], says: recorded("leftovers"), root: true },
  ...[
    "tables",
    "sizes_of_structs",
    "maps",
    "names",
    "signals",
    "sources",
    "numbers",
    "interruptions",
    "not_dumpable",
    "passed_on",
    "fcntls",
    "requests",
    "waits",
    "moves",
    "mappings",
  ].map((
    program,
  ) => strict(program)),
  ...[
    "roots",
    "capabilities",
    "every_file",
    "namespaces",
    "kernel_files",
    "odd_nodes",
    "magic_links",
    "masks",
    "rights",
    "raised",
    "socketnames",
    "spelt",
    "handles",
    "owners",
    "handing",
    "filters",
    "watchers",
    "executing",
    "publicdirs",
    "trees",
    "openflags",
    "byempty",
    "userspaces",
  ].map((
    program,
  ) => ({
    ...strict(program),
    root: true as const,
  })),
  // What changes a preserved file, what a boot leaves, who reboots.
  ...[
    "pages",
    "load_limits",
    "command_lines",
    "sysctls",
    "traces_of_a_boot",
    "who_reboots",
    "holders",
    "lazy",
    "log",
    "reopened",
    "crash_kernel",
    "kinds_of_memory",
    "restored",
    "leaderless",
    "peeked",
    "appended",
    "fanotify",
    "tokens",
    "storm",
    "debugged",
    "reads",
  ].map((program) => ({ ...strict(program), root: true as const })),
  ...(Deno.build.arch === "x86_64" ? ONLY_X86.map(strict) : []),
  { program: "kexec_arguments", options: [], says: recorded("kexec_arguments"), kernel: true },
  { program: "sizes", options: ["--strict"], says: recorded("sizes") },
  { program: "users", options: ["--strict"], says: recorded("users"), root: true },
  { program: "ways", options: ["--strict"], says: recorded("ways") },
  {
    program: "frozen",
    options: ["--strict"],
    says: `preserve: 0
grow: EPERM
shrink: EPERM
same size: 0
punch: EPERM
allocate: EPERM
remove: EPERM
truncate by opening: EPERM
seal against writing: EBUSY
write within: 4096
write past the end: EPERM
vector over the end: EPERM
after the session's close: 0
`,
  },
  {
    program: "spellings",
    options: [],
    says: `plain: EBUSY
slashes: EBUSY
dots: EBUSY
link: EBUSY
link to it: EBUSY
linked directory: EBUSY
openat: EBUSY
openat2: EBUSY
relative: EBUSY
by its fd: EBUSY
O_EXCL: EEXIST
another file: ENOENT
a link that is followed no more: ELOOP
a name that goes on: ENOENT
stat: 20600, major 10
fstat: 20600, major 10
access: 0, execute: -1
closed: opened
`,
  },
  {
    program: "lazy_line",
    options: [],
    says: "userfaultfd: 0\napi: 0\nregister: 0\nloaded: 40\nleft in luo: nothing\n",
    root: true,
  },
  {
    program: "many_requests",
    options: ["--strict"],
    says: "preserve: 0\ncontext: 0\nsubmit: EFAULT\nit took no time\n",
  },
  { program: "killed", options: ["--strict"], says: "killed: 100\n" },
  { program: "executed", options: ["--strict"], says: "executed: 60\n" },
  {
    program: "many",
    options: [],
    says: `thread: made
child: made
child's name after its death: made
vforked: made
spawned: made
in flight: EEXIST
socket closed: made
held by a daemon: EEXIST
`,
  },
];

Deno.test("every program with a recorded output is run", () => {
  const files = Array.from(Deno.readDirSync(new URL("programs", import.meta.url)), ({ name }) => name);
  const recordings = files.filter((name) => name.endsWith(".linux")).map((name) => name.slice(0, -6));
  const run = new Set(programs.map(({ program }) => program));
  assert.deepEqual(recordings.filter((name) => !run.has(name) && !ONLY_X86.includes(name)), []);
});

/** From the checkout the programs are linked with shared libraries; those of the single executable are static. */
const linked = BINARY === undefined ? [] : ["-static"];

for (const { program, options, says, kernel, root } of programs) {
  const user = root && Deno.uid() !== 0;
  const what = `${program}.c prints what it prints on Linux${user ? " (ignored: not root)" : ""}`;
  Deno.test({ name: name(what), ignore: !gcc || user }, async () => {
    using lab = new Lab();
    const command = [lab.compile(program, ...linked), ...(kernel ? [lab.kernel] : [])];
    const { code, out, err } = await lab.emulate(...options, ...command);
    assert.equal(out, says);
    assert.deepEqual([code, err], [0, ""]);
  });
}

Deno.test(
  { name: name("without --strict a write past the end grows a preserved file"), ignore: !gcc },
  async () => {
    using lab = new Lab();
    const { out } = await lab.emulate(lab.compile("frozen"));
    assert.match(out, /grow: EPERM/);
    assert.match(out, /write past the end: 4096/);
  },
);

Deno.test(
  { name: name("where ptrace is forbidden --strict serves more calls, and says so"), ignore: !gcc },
  async () => {
    using lab = new Lab();
    const command = [...LUO, "emulate", "--strict", lab.compile("frozen")];
    const { code, out, err } = await lab.run(lab.compile("no_ptrace"), command);
    assert.equal(out, programs.find(({ program }) => program === "frozen")?.says);
    assert.deepEqual([code, err.split(":")[1]], [0, " no ptrace"]);
  },
);

Deno.test(
  { name: name("no call on the names of the device reaches the host's /dev"), ignore: !gcc },
  async () => {
    using lab = new Lab();
    const names = () => Array.from(Deno.readDirSync("/dev"), ({ name }) => name).sort();
    const before = names();
    const { code } = await lab.emulate(lab.compile("device_names"));
    assert.deepEqual([code, names()], [0, before]);
  },
);

Deno.test("nothing that is made in the place of an unlinked device is made in the host's /dev", async () => {
  using lab = new Lab();
  const names = () => Array.from(Deno.readDirSync("/dev"), ({ name }) => name).sort();
  const before = names();
  const script = `
    d=/dev/liveupdate; rm $d && echo gone; mkdir $d $d/; ln -s x $d; mkfifo $d; mkdir m; mv -T m $d; mv -T m $d/; touch f
    ln f $d; mv f $d; touch $d/; ln -s $d l; mkdir l; (cd /proc/self/cwd; : >l); test -f $d && echo a file
    rm $d; test -e $d || echo gone`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "gone\na file\ngone\n");
  assert.deepEqual(names(), before);
});

Deno.test("names, modes and devices of /dev are those of one machine", async () => {
  using lab = new Lab();
  const seen = () =>
    Array.from(Deno.readDirSync("/dev"), ({ name }) => [name, Deno.lstatSync(`/dev/${name}`).mode]);
  const before = seen();
  const script = `
    mkdir /dev/made && : >/dev/file && echo >/dev/null && stat -c %t,%T /dev/zero && ls -d /dev/made /dev/file
    if [ "$(id -u)" = 0 ]; then chmod 600 /dev/null; rm /dev/zero; mknod /dev/zeros c 1 5; fi`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "1,5\n/dev/file\n/dev/made\n");
  assert.deepEqual(seen(), before);
});

Deno.test("when the process that serves the tripwires is killed, an open of one fails and waits for nothing", async () => {
  using lab = new Lab();
  const script = `for pid in $(cat /proc/$PPID/task/$PPID/children); do [ $pid = $$ ] || kill -9 $pid; done
    sleep 0.2; cat /proc/cmdline 2>/dev/null || echo "not opened"; exec 3<>/dev/liveupdate && echo "the device is there"`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "not opened\nthe device is there\n");
});

Deno.test("a program mounts a /proc of its own in a user namespace, as on the host", async () => {
  using lab = new Lab();
  const command = ["-Urpf", "--mount-proc", "cat", "/proc/cmdline"];
  const { code } = await lab.run("unshare", command);
  const { out } = await lab.emulate("unshare", ...command);
  assert.equal(out, code === 0 ? "liveupdate=on\n" : "");
});

Deno.test({
  name: `the machine's files are no mounts of its own, and take no new names${
    Deno.uid() === 0 ? "" : " (ignored: not root)"
  }`,
  ignore: Deno.uid() !== 0,
}, async () => {
  using lab = new Lab();
  const script = `for path in /proc/cmdline /dev/liveupdate /sys/kernel /sys/class/misc; do
    umount $path 2>/dev/null && echo "no mount: $path"
  done
  touch /sys/kernel/new /sys/class/misc/new 2>/dev/null && echo made
  cat /proc/cmdline; cat /sys/class/misc/liveupdate/dev; ls -d /sys/class/misc/liveupdate`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "liveupdate=on\n10:261\n/sys/class/misc/liveupdate\n");
});

Deno.test({
  name: `root cannot change the host's own files of /proc and /sys for good${
    Deno.uid() === 0 ? "" : " (ignored: not root)"
  }`,
  ignore: Deno.uid() !== 0,
}, async () => {
  using lab = new Lab();
  const files = ["/proc/uptime", "/proc/cmdline", "/sys/kernel/uevent_seqnum"];
  const modes = () => files.map((file) => [Deno.statSync(file).mode, Deno.statSync(file).uid]);
  const before = modes();
  const script = `for file in ${files.join(" ")}; do
    chmod 600 $file && echo changed; chown 1 $file && echo given; stat -c %a:%u $file
  done
  echo c >/proc/sysrq-trigger || echo refused`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "444:0\nchanged\ngiven\n600:1\n444:0\nrefused\n");
  assert.deepEqual(modes(), before);
});

Deno.test({
  name: `kexec_load_disabled is the machine's own${Deno.uid() === 0 ? "" : " (ignored: not root)"}`,
  ignore: !gcc || Deno.uid() !== 0,
}, async () => {
  using lab = new Lab();
  const file = "/proc/sys/kernel/kexec_load_disabled";
  const script = `echo 1 >${file}; cat ${file}; echo 0 >${file}; cat ${file}; ${
    lab.compile("update")
  } ${lab.kernel}`;
  const { out } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "1\n1\nkexec_file_load: EPERM\n");
});

Deno.test({
  name: `a user without rights reads the next kernel's files, and runs a program that may not be dumped${
    BINARY !== undefined && Deno.uid() === 0 ? "" : " (ignored: it needs root and the single executable)"
  }`,
  ignore: BINARY === undefined || Deno.uid() !== 0,
}, async () => {
  using lab = new Lab();
  const script = 'test -r "$LUO_KERNEL" && test -s "$LUO_INITRD" && head -c 518 "$LUO_KERNEL" | tail -c 4';
  assert.equal(await withoutRights("sh", "-c", script), "HdrS");
  const program = lab.compile("not_dumpable", "-static");
  Deno.chmodSync(lab.directory, 0o755);
  assert.equal(await withoutRights("--strict", program), recorded("not_dumpable"));
});

/** What `luo emulate` prints for a user without rights. */
async function withoutRights(...args: string[]): Promise<string> {
  const luo = [BINARY ?? "", "emulate", ...args];
  const { stdout, stderr } = await new Deno.Command("setpriv", {
    args: ["--reuid=65534", "--regid=65534", "--clear-groups", ...luo],
    cwd: "/",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test({ name: name("a whole live update of a C program"), ignore: !gcc }, async () => {
  using lab = new Lab();
  const { code, out } = await lab.emulate(lab.compile("update"), lab.kernel);
  assert.equal(
    out,
    `boot 1: preserved
boot 2: 12289 bytes at 1234: state of the guest, written afterwards
cloexec 1, links 0, mode 777
`,
  );
  assert.equal(code, 42);
});

const python = isInstalled("python3");

Deno.test({
  name: `a live update of a Python program${python ? "" : " (ignored: no python3)"}`,
  ignore: !python,
}, async () => {
  using lab = new Lab();
  const script = `
import fcntl, os, struct
device = os.open("/dev/liveupdate", os.O_RDWR)
def session(request):
    argument = bytearray(struct.pack("Ii64s", 72, -1, b"py"))
    fcntl.ioctl(device, request, argument)
    return struct.unpack_from("Ii", argument)[1]
def file(session, request, fd):
    argument = bytearray(struct.pack("IiQ", 16, fd, 3))
    fcntl.ioctl(session, request, argument)
    return struct.unpack_from("Ii", argument)[1]
if os.environ["LUO_BOOT"] == "1":
    memory = os.memfd_create("m")
    os.write(memory, b"from python")
    file(session(0xba00), 0xba40, memory)
    import ctypes
    libc = ctypes.CDLL(None)
    libc.syscall(320, os.open("${lab.kernel}", os.O_RDONLY), -1, 14, b"liveupdate=on\\0", 4)
    libc.reboot(0x45584543)
print(os.pread(file(session(0xba01), 0xba41, -1), 100, 0))
`;
  const { out, err } = await lab.emulate("python3", "-c", script);
  assert.deepEqual([out, err], ["b'from python'\n", ""]);
});

Deno.test("a live update by luo itself, with its agent, in the emulated machine", async () => {
  using lab = new Lab();
  const script = `
export LUO_BACKEND=linux LUO_SOCKET=${lab.directory}/run/s
luo() { ${LUO.join(" ")} "$@"; }
mkdir -p -m 700 run
luo agent start >/dev/null
case $LUO_BOOT in
1)
  luo session create vm >/dev/null
  echo "from Deno" | luo file preserve vm --stdin --token 1 --digest >/dev/null
  luo kexec load ${lab.kernel} --command-line "liveupdate=on kho=on" --force >/dev/null
  luo kexec exec
  ;;
2)
  luo session retrieve vm >/dev/null
  luo file restore vm 1 --stdout
  luo session finish vm >/dev/null
  exit 6
  ;;
esac`;
  const { code, out, err } = await lab.emulate("sh", "-c", script);
  assert.equal(out, "from Deno\n", err);
  assert.equal(code, 6);
});

/** The exit code and the output of update.c with a fault. */
const faults: readonly { spec: string; code: number; out: RegExp; err: RegExp }[] = [
  { spec: "ioctl@2=ENOMEM", code: 1, out: /^preserve: ENOMEM\n$/, err: /^$/ },
  { spec: "freeze@1=EBUSY", code: 1, out: /^boot 1: preserved\nreboot: EBUSY\n$/, err: /^$/ },
  { spec: "handover@1=corrupt", code: 137, out: /^boot 1: preserved\n$/, err: /Kernel panic/ },
  { spec: "ioctl@1=crash", code: 137, out: /^$/, err: /^$/ },
  { spec: "nonsense", code: 2, out: /^$/, err: /"nonsense" is not PLACE/ },
];

for (const { spec, code, out, err } of faults) {
  Deno.test({ name: name(`--faults ${spec}`), ignore: !gcc }, async () => {
    using lab = new Lab();
    const outcome = await lab.emulate("--faults", spec, lab.compile("update"), lab.kernel);
    assert.equal(outcome.code, code, outcome.err);
    assert.match(outcome.out, out);
    assert.match(outcome.err, err);
  });
}
