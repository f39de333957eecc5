/** One booted kernel: everything that begins at its boot and ends with it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LINUX_REBOOT_CMD_CAD_OFF, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_RESTART } from "../../ffi/abi/kexec.ts";
import type { Ret } from "../kernel.ts";
import { BadBytes } from "./bytes.ts";
import { initcall_blacklisted, kernel_parameter, kernel_values } from "./command_line.ts";
import { MountedDisk } from "./disk.ts";
import { decode_handover, encode_handover, type Handover, type SerializedLuo } from "./handover.ts";
import type { Hardware, NextKernel } from "./hardware.ts";
import type { LoadedImage } from "./kexec.ts";
import type { HostFile } from "./host.ts";
import type { HostInode } from "./host_file.ts";
import { Luo } from "./luo.ts";
import { MemfdHandler } from "./memfd_handler.ts";
import { KernelPanic } from "./panic.ts";
import { Process } from "./process.ts";
import { type Driver, load_modules } from "./rehearsal/modules.ts";
import { type Release, release_of } from "./releases.ts";
import { Tmpfs } from "./tmpfs.ts";

export class System {
  readonly release: string;
  readonly command_line: string;
  /** What this release of the kernel speaks and allows; undefined for one from before LUO. */
  readonly speaks: Release | undefined;
  readonly boot_id: string = crypto.randomUUID();
  readonly log: string[] = [];
  readonly processes = new Map<number, Process>();
  readonly shm: Tmpfs;
  readonly tmp: Tmpfs;
  readonly disk: MountedDisk;
  /** Undefined: no LUO, so no device. */
  readonly luo: Luo | undefined;
  /** Files of the host that are open here, by `dev:ino`, and the descriptions of each. */
  readonly host_inodes = new Map<string, HostInode>();
  readonly host_files = new Map<HostInode, Set<HostFile>>();
  /** Character devices of drivers, by path. */
  readonly drivers = new Map<string, Driver>();
  image: LoadedImage | undefined;
  kexec_load_disabled = false;
  /** CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y: on unless `kho=off`. */
  readonly #kho: boolean;
  #kexec_count = 0;
  #next_pid = 1;
  #next_ino = 1000n;

  constructor(readonly hardware: Hardware, boot: NextKernel) {
    this.release = boot.release;
    this.command_line = boot.command_line;
    this.shm = new Tmpfs(hardware.ram, "/dev/shm", 27n);
    this.tmp = new Tmpfs(hardware.ram, "/tmp", 28n);
    this.disk = new MountedDisk(hardware.disk);
    this.printk(`Linux version ${this.release}`);
    this.printk(`Command line: ${this.command_line}`);
    this.speaks = release_of(this.release);
    this.#kho = this.speaks !== undefined && (kernel_parameter(this.command_line, "kho") ?? true);
    const handover = this.#kho && boot.handover ? this.#receive(boot.handover) : undefined;
    if (handover === undefined) hardware.ram.keep([]);
    this.luo = this.speaks && this.#start_luo(this.speaks, handover?.luo);
    if (handover !== undefined) {
      this.printk(`KHO: exec from: ${handover.previous_release} (count ${handover.kexec_count})`);
    }
  }

  /** kho_populate() and kho_init(): the frames that are not in the list are free memory. Undefined: not its format. */
  #receive(bytes: Uint8Array): Handover | undefined {
    const handover = this.#decode(bytes);
    if (handover === undefined) return undefined;
    if (handover.format !== this.speaks?.formats.kho) {
      this.printk(`KHO: incompatible handover '${handover.format}', nothing is taken over`);
      return undefined;
    }
    this.hardware.ram.keep(handover.frames);
    this.#kexec_count = handover.kexec_count;
    this.printk("KHO: found kexec handover data.");
    return handover;
  }

  #decode(bytes: Uint8Array): Handover | undefined {
    try {
      return decode_handover(bytes);
    } catch (error) {
      if (!(error instanceof BadBytes)) throw error;
      this.printk(`luo: failed to retrieve LUO state from KHO: ${error.message}`);
      return this.#restore_failed();
    }
  }

  /** luo_restore_fail(): memory may be in use by devices, nothing can be trusted. @throws KernelPanic */
  #restore_failed(): undefined {
    const message = "The incoming tree failed to initialize properly [-EINVAL], disabling live update";
    if (this.speaks?.unreadable === "panic") throw new KernelPanic(message);
    this.printk(`luo: ${message}`);
  }

  /** liveupdate_early_init(): off unless `liveupdate=on`, never without KHO; what was handed over is looked at all the same. */
  #start_luo(release: Release, incoming: SerializedLuo | undefined): Luo | undefined {
    const wanted = kernel_parameter(this.command_line, "liveupdate") ?? false;
    if (!this.#kho) {
      if (wanted) this.printk("luo: Disabling liveupdate because KHO is disabled");
      return undefined;
    }
    if (incoming !== undefined && incoming.format !== release.formats.luo) {
      this.printk(`luo: LUO state is incompatible with '${release.formats.luo}'`);
      return this.#restore_failed();
    }
    if (incoming) {
      this.printk(`luo: Retrieved live update data, liveupdate number: ${incoming.number}`);
    }
    if (!wanted) return undefined;
    const { faults } = this.hardware;
    const print = (line: string) => this.printk(line);
    const luo = new Luo({ release, incoming, ino: this.new_ino(), faults, print });
    if (!initcall_blacklisted(this.command_line, "memfd_luo_init")) {
      luo.handlers.register(new MemfdHandler(this.hardware.ram, () => this.new_ino(), release));
    }
    const modules = kernel_values(this.command_line, "luo_rehearsal").flatMap((list) => list.split(","));
    load_modules(modules, { system: this, handlers: luo.handlers });
    return luo;
  }

  printk(line: string): void {
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

  /** reboot(2) (kernel/reboot.c); does not return when the machine goes down. */
  reboot(command: number): Ret {
    switch (command) {
      case LINUX_REBOOT_CMD_KEXEC:
        return this.#kexec();
      case LINUX_REBOOT_CMD_RESTART:
        this.#stop();
        this.hardware.restart();
        return 0;
      case LINUX_REBOOT_CMD_POWER_OFF:
        this.#stop();
        this.hardware.power_off();
        return 0;
      case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
      default:
        return -Errno.EINVAL;
    }
  }

  /** kernel_kexec(): an image, then liveupdate_reboot(), which may still refuse; from there on there is no way back. */
  #kexec(): Ret {
    const image = this.image;
    if (image === undefined) return -Errno.EINVAL;
    const frozen = this.luo?.freeze() ?? 0;
    if (frozen < 0) return frozen;
    const { faults } = this.hardware;
    const handover = this.#kho ? faults.handover(encode_handover(this.#hand_over())) : undefined;
    this.printk("kexec_core: Starting new kernel");
    this.#stop();
    this.hardware.kexec({
      release: image.release ?? this.release,
      command_line: image.command_line,
      handover,
    });
    return 0;
  }

  #hand_over(): Handover {
    const frames = [...this.luo?.frames() ?? []].map(({ base, count }) => ({ base, count }));
    return {
      format: this.speaks?.formats.kho ?? "",
      previous_release: this.release,
      kexec_count: this.#kexec_count + 1,
      luo: this.luo?.serialize(),
      frames: [...this.hardware.faults.frames(frames)],
    };
  }

  /** The CPUs stop: no file is closed, nothing is released. */
  #stop(): void {
    for (const process of this.processes.values()) process.forget();
    this.processes.clear();
  }
}
