/** What `luo doctor` finds about the rights and limits of processes. */
import { processLimits, status } from "./hosts.ts";
import { tryCases } from "./try_cases.ts";

tryCases([
  {
    name: "no CAP_SYS_BOOT",
    tree: { "/proc/self/status": status("000001ffffbfffff") },
    finding: ["capability", "stops", /this process does not have it/, /CAP_SYS_BOOT/],
  },
  {
    name: "the agent without CAP_SYS_BOOT",
    tree: { "/proc/99/status": status("0000000000000000") },
    agent: { pid: 99, holdsDevice: true },
    finding: ["capability", "stops", /the agent \(process 99\) does not/, /AmbientCapabilities/],
  },
  {
    name: "another PID namespace",
    tree: { "/proc/self/ns/pid": { link: "pid:[4026532000]" } },
    finding: ["pid_namespace", "stops", /not the first PID namespace/, /--pid=host/],
  },
  {
    name: "a container, by its file",
    tree: { "/run/.containerenv": "" },
    finding: ["container", "warns", /container \(podman\)/, /host/],
  },
  {
    name: "a container, by the environment of PID 1",
    tree: { "/proc/1/environ": "PATH=/bin\0container=lxc\0" },
    finding: ["container", "warns", /container \(lxc\)/],
  },
  {
    name: "a user namespace",
    tree: { "/proc/self/uid_map": "         0       1000          1\n" },
    finding: ["user_namespace", "stops", /no rights over the kernel/, /root of the host/],
  },
  {
    name: "a seccomp filter",
    tree: { "/proc/self/status": status("000001ffffffffff", 2) },
    finding: ["seccomp", "warns", /kexec_file_load/, /SystemCallFilter/],
  },
  {
    name: "NoNewPrivs",
    tree: { "/proc/self/status": status("000001ffffffffff", 0, 1) },
    finding: ["no_new_privs", "warns", /sudo/, /NoNewPrivileges=no/],
  },
  {
    name: "little memory",
    tree: { "/proc/meminfo": "MemAvailable:     102400 kB\n" },
    finding: ["memory", "stops", /Only 100 MiB/, /memory/],
  },
  {
    name: "a cgroup of a unit with a limit, and a larger one above",
    tree: {
      "/sys/fs/cgroup/system.slice/luo.service/memory.max": "104857600\n",
      "/sys/fs/cgroup/system.slice/memory.max": "204857600\n",
    },
    finding: [
      "cgroup",
      "warns",
      /luo\.service limits .*100 MiB/,
      /systemctl set-property luo\.service MemoryMax=infinity/,
    ],
  },
  {
    name: "a cgroup without a unit",
    tree: { "/proc/self/cgroup": "0::/mine\n", "/sys/fs/cgroup/mine/memory.max": "1048576\n" },
    finding: ["cgroup", "warns", /\/mine limits .* 1 MiB/, /echo max >\/sys\/fs\/cgroup\/mine\/memory\.max/],
  },
  {
    name: "few descriptors",
    tree: { "/proc/self/limits": processLimits("256", "unlimited") },
    finding: ["open_files", "warns", /may hold 256/, /LimitNOFILE/],
  },
  {
    name: "little memory to lock",
    tree: { "/proc/self/limits": processLimits("1024", "65536") },
    finding: ["locked_memory", "warns", /may lock 65536 bytes/, /LimitMEMLOCK/],
  },
]);
