/** How many of the newest lines the log keeps at least: a ring of 128 KiB (CONFIG_LOG_BUF_SHIFT=17) has no more. */
const LOG_LINES = 4096;
/** linux/kern_levels.h */
const [KERN_NOTICE, KERN_INFO] = [5, 6];

/** One booted kernel: all state that begins at its boot and ends with it. */
import { encodeOsText } from "../../../ffi/abi/os_text.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret } from "../../system_calls.ts";
import { initcall_blacklisted, kernel_parameter, kernel_values } from "./boot_parameters.ts";
import { CrashKernel } from "./crash_kernel.ts";
import { MountedDisk } from "../fs/disk.ts";
import type { Hardware, NextKernel } from "./hardware.ts";
import type { LoadedImage } from "./kexec.ts";
import { KexecPermission } from "./kexec_permission.ts";
import { HostFiles } from "../fs/host_files.ts";
import { type Handover, Kho, reserve_scratch, type Scratch } from "../kho/kho.ts";
import { type HandedOver, populate, retrieve_memory } from "../kho/incoming_kho.ts";
import { read_metadata, write_metadata } from "../kho/origin.ts";
import { formats_of } from "./release_formats.ts";
import { Luo } from "../luo/luo.ts";
import type { IncomingLuo } from "../luo/handover.ts";
import { MemfdHandler } from "../handlers/memfd_handler.ts";
import { KernelPanic } from "../ground/panic.ts";
import { Process } from "./process.ts";
import { reboot } from "./reboot.ts";
import type { Driver } from "../handlers/future/driver.ts";
import { load_modules } from "../handlers/future/modules.ts";
import { type Release, release_of } from "../ground/releases.ts";
import { Tmpfs } from "../fs/tmpfs.ts";

export class System {
  readonly release: string;
  readonly command_line: string;
  /** The formats and limits of this release; undefined for a kernel from before LUO. */
  readonly speaks: Release | undefined;
  readonly boot_id: string = crypto.randomUUID();
  readonly log: string[] = [];
  /** The number of the first line that is still in the log. */
  log_start = 0;
  /** The levels of lines (by number) that are not KERN_INFO. */
  readonly log_levels: Map<number, number> = new Map();
  readonly processes: Map<number, Process> = new Map();
  readonly shm: Tmpfs;
  readonly tmp: Tmpfs;
  readonly disk: MountedDisk;
  /** Undefined when LUO is off; then there is no device. */
  readonly luo: Luo | undefined;
  readonly host_files: HostFiles;
  /** Character devices of drivers, by path. */
  readonly drivers: Map<string, Driver> = new Map();
  image: LoadedImage | undefined;
  readonly crash: CrashKernel;
  readonly kexec: KexecPermission = new KexecPermission();
  /** The handover of the previous kernel; undefined when there was none, or when this kernel cannot read it. */
  readonly handed: HandedOver | undefined;
  /** Undefined when KHO is off (`kho=off`), or when the kernel is from before KHO. */
  readonly kho: Kho | undefined;
  /** Frames from `alloc_preserve` that were held at the end of boot. The kernel keeps them; `audit` subtracts them. */
  readonly kho_at_boot: number;
  /** Number of blocks that were preserved at the end of boot. The kernel keeps them; `audit` subtracts them. */
  readonly blocks_at_boot: number;
  #scratch_frames = 0;
  #boot_page = 0;
  #luo_disabled = false;
  #next_pid = 1;
  #next_ino = 1000n;

  readonly hardware: Hardware;

  constructor(hardware: Hardware, boot: NextKernel) {
    this.hardware = hardware;
    this.release = boot.release;
    this.command_line = boot.command_line;
    this.speaks = release_of(this.release);
    this.printk(`Linux version ${this.release}`, KERN_NOTICE);
    this.printk(`Command line: ${this.command_line}`);
    const { ram } = hardware;
    this.host_files = new HostFiles(ram, hardware.host, (from, to) => this.luo?.handlers.rename(from, to));
    const handed = this.handed = this.#start_memory(boot.handover);
    this.crash = new CrashKernel(this.command_line, ram.frames * PAGE_SIZE, handed?.scratch);
    this.shm = new Tmpfs(ram, "/dev/shm", 27n);
    this.tmp = new Tmpfs(ram, "/tmp", 28n);
    this.disk = new MountedDisk(hardware.disk);
    const incoming = this.speaks && this.#receive_luo(this.speaks, handed);
    this.kho = this.#start_kho(handed);
    this.luo = this.speaks && this.#start_luo(this.speaks, incoming);
    this.kho_at_boot = this.kho?.allocated ?? 0;
    this.blocks_at_boot = this.kho?.preserved_blocks().length ?? 0;
    ram.up = true;
  }

  /**
   * Frames that the kernel itself uses: the command line's page, scratch, KHO's tree and map, and all that
   * `alloc_preserve` gave.
   */
  get own_frames(): number {
    const kho = this.kho === undefined ? 0 : 1 + this.kho.map.nodes + this.kho.allocated;
    return 1 + this.#scratch_frames + kho;
  }

  get #luo_wanted(): boolean {
    return kernel_parameter(this.command_line, "liveupdate") ?? false;
  }

  /** CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y: KHO is on unless `kho=off`. */
  get #kho_wanted(): boolean {
    return this.speaks !== undefined && (kernel_parameter(this.command_line, "kho") ?? true);
  }

  /**
   * Reserves the memory that was handed over, also with `kho=off`; all other memory is this kernel's. Until the map is
   * read, frames come from scratch only.
   */
  #start_memory(handover: Handover | undefined): HandedOver | undefined {
    const { ram } = this.hardware;
    const handed = handover && this.speaks
      ? populate(ram, handover, formats_of(this.speaks).tree, (line) => this.printk(line))
      : undefined;
    if (handed === undefined) ram.open([]);
    // setup_command_line(): one of the pages that a kernel needs before it has read the map.
    const page = ram.kernel_page();
    if (page === undefined) throw new KernelPanic("Out of memory");
    this.#boot_page = page;
    ram.page(page)?.set(encodeOsText(this.command_line).subarray(0, 512));
    if (handed === undefined) return undefined;
    if (this.speaks !== undefined) retrieve_memory(ram, formats_of(this.speaks).tree.map, handed.map);
    this.#scratch_frames = ram.open(handed.scratch);
    return handed;
  }

  /** liveupdate_early_init(): reads the LUO data even when the command line does not switch LUO on. */
  #receive_luo(release: Release, handed: HandedOver | undefined): IncomingLuo | undefined {
    if (!this.#kho_wanted && this.#luo_wanted) {
      this.printk("luo: Disabling liveupdate because KHO is disabled");
    }
    if (!this.#kho_wanted || handed === undefined) return undefined;
    const incoming = formats_of(release).luo.receive(
      this.hardware.ram,
      handed,
      release.formats.luo,
      (line) => this.printk(line),
    );
    return typeof incoming === "number" ? this.#restore_failed() : incoming;
  }

  /**
   * luo_restore_fail(): devices may be using the memory that was handed over, so no memory can be trusted.
   *
   * @throws KernelPanic
   */
  #restore_failed(): undefined {
    const message = "The incoming tree failed to initialize properly [-EINVAL], disabling live update";
    if (this.speaks?.unreadable === "panic") throw new KernelPanic(message);
    this.printk(`luo: ${message}`);
    this.#luo_disabled = true;
  }

  /**
   * kho_init(): creates the map and the tree for the next kernel, and adds the blob that says where this kernel comes
   * from.
   */
  #start_kho(handed: HandedOver | undefined): Kho | undefined {
    const { ram } = this.hardware;
    if (this.speaks === undefined || !this.#kho_wanted) return undefined;
    const from = handed && read_metadata(ram, handed);
    if (from !== undefined) {
      this.printk(`KHO: exec from: ${from.previous_release} (count ${from.kexec_count})`);
    }
    const scratch = handed?.scratch ?? this.#reserve_scratch() ?? [];
    const kho = scratch.length > 0 ? Kho.init(ram, formats_of(this.speaks).tree, scratch) : undefined;
    const previous_release = this.release;
    const metadata = { previous_release, kexec_count: (from?.kexec_count ?? 0) + 1 };
    // 6.19 does not write that blob.
    if (kho === undefined || (this.speaks.layout === "v5" && !write_metadata(kho, metadata))) {
      this.printk("KHO: failed to initialize: -12");
      kho?.stop();
      this.#free_scratch(scratch);
      return undefined;
    }
    kho.up();
    return kho;
  }

  /** Frees the scratch areas, except the page of the command line, which may lie there. */
  #free_scratch(scratch: readonly Scratch[]): void {
    for (const { base, count } of scratch) {
      for (let frame = base; frame < base + count; frame++) {
        if (frame !== this.#boot_page) this.hardware.ram.free_kernel(frame);
      }
    }
    this.#scratch_frames = 0;
  }

  #reserve_scratch(): Scratch[] | undefined {
    const scratch = reserve_scratch(this.hardware.ram);
    this.#scratch_frames = scratch?.reduce((sum, { count }) => sum + count, 0) ?? 0;
    return scratch;
  }

  /** luo_late_startup(): LUO is off unless `liveupdate=on`, and always without KHO. */
  #start_luo(release: Release, incoming: IncomingLuo | undefined): Luo | undefined {
    if (this.kho === undefined || !this.#luo_wanted || this.#luo_disabled) return undefined;
    const outgoing = formats_of(release).luo.setup(this.kho, release, (incoming?.number ?? 0n) + 1n);
    if (outgoing === undefined) {
      this.printk("luo: failed to allocate/preserve LUO state memory");
      return undefined;
    }
    const { hardware: { faults }, kho } = this;
    const print = (line: string, level?: number) => this.printk(line, level);
    const luo = new Luo({ release, outgoing, incoming, ino: this.new_ino(), faults, print });
    if (!initcall_blacklisted(this.command_line, "memfd_luo_init")) {
      luo.handlers.register(new MemfdHandler(kho, () => this.new_ino(), release, formats_of(release).memfd));
    }
    const modules = kernel_values(this.command_line, "luo_rehearsal").flatMap((list) => list.split(","));
    load_modules(modules, {
      ram: this.hardware.ram,
      new_ino: () => this.new_ino(),
      add_device: (path, driver) => void this.drivers.set(path, driver),
      kho,
      handlers: luo.handlers,
    });
    return luo;
  }

  printk(line: string, level: number = KERN_INFO): void {
    if (this.log.length === 2 * LOG_LINES) {
      this.log.splice(0, LOG_LINES);
      this.log_start += LOG_LINES;
    }
    if (level !== KERN_INFO) this.log_levels.set(this.log_start + this.log.length, level);
    this.log.push(line);
    this.hardware.console(line);
  }

  new_ino(): bigint {
    return this.#next_ino++;
  }

  spawn(uid: number, nofile: number): Process {
    const pid = this.#next_pid++;
    const process = new Process(this, pid, uid, nofile);
    this.processes.set(pid, process);
    return process;
  }

  /** reboot(2). When the machine goes down, the call does not return to its process. */
  reboot(command: number): Ret {
    return reboot(this, command);
  }

  /** Stops the CPUs: the processes end, but no file is closed and no memory released. */
  stop(): void {
    for (const process of this.processes.values()) process.forget();
    this.processes.clear();
  }
}
