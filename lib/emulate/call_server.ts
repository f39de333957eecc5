/** Answers each trapped call: every name in `system_call_table.ts` has its handler in one of the files put together here. */
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { SystemCalls } from "../system_calls.ts";
import { AttributeCalls } from "./attribute_calls.ts";
import type { CallAnswer, Handlers } from "./call_answer.ts";
import { Subjects } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { ContentCalls } from "./content_calls.ts";
import { CopyCalls } from "./copy_calls.ts";
import { DeviceNodes } from "./device_nodes.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { Ioctls } from "./ioctls.ts";
import { KernelCalls } from "./kernel_calls.ts";
import { KernelLog, type LoggingKernel } from "./kernel_log.ts";
import { KernelFileNodes } from "./kernel_file_nodes.ts";
import { KmsgFiles } from "./kmsg_files.ts";
import { LookCalls } from "./look_calls.ts";
import { MountCalls } from "./mount_calls.ts";
import { MoveCalls } from "./move_calls.ts";
import { NameCalls } from "./name_calls.ts";
import { ObjectCalls } from "./object_calls.ts";
import { OpenCalls } from "./open_calls.ts";
import { PathOnlyCalls } from "./path_only_calls.ts";
import { PastTripwires } from "./past_tripwires.ts";
import { Paths } from "./paths.ts";
import { PreservedFiles } from "./preserved_files.ts";
import { SizeCalls } from "./size_calls.ts";
import { TransferCalls } from "./transfer_calls.ts";
import { SyslogCalls } from "./syslog_calls.ts";
import type { Call } from "./trapped_calls.ts";
import { TripwireContents } from "./tripwire_contents.ts";
import { WatchCalls } from "./watch_calls.ts";
import { WayCalls } from "./way_calls.ts";
import { WriteCalls } from "./write_calls.ts";
import { XattrCalls } from "./xattr_calls.ts";

/** The machine as the server needs it: init's system calls, and which files are preserved. */
export interface ServedMachine {
  readonly sys: SystemCalls;
  /** Whether the kernel of this boot has /dev/liveupdate. */
  readonly hasDevice: boolean;
  /** The machine's /dev, as luo can open it. */
  readonly deviceDirectory: string;
  /** Directories of /proc and /sys that were mounted for tripwires (tripwires.ts). */
  readonly copies: ReadonlySet<string>;
  /** The names with tripwires, in the order of their numbers. */
  readonly tripwires: readonly string[];
  /** Whether the host's inode `dev:ino` is preserved. */
  isPreserved(identity: string): boolean;
  /** The kernel of this boot. */
  readonly kernel: LoggingKernel;
}

/** Serves the trapped calls of one boot. */
export class CallServer implements Disposable {
  readonly #nodes: DeviceNodes;
  readonly #handlers: Handlers<Call>;
  readonly copies: CopyCalls;
  readonly log: KernelLog;
  readonly contents: TripwireContents;

  constructor(
    { sys, hasDevice, deviceDirectory, copies, tripwires, isPreserved, kernel }: ServedMachine,
    program: CallingProgram,
    objects: EmulatedFds,
  ) {
    const nodes = new DeviceNodes(deviceDirectory, hasDevice, () => program.watch.unsure(true));
    const paths = new Paths(nodes, objects.directories, () => program.watch.unsure());
    const subjects = new Subjects(program, objects, paths, new KernelFileNodes(sys));
    const past = new PastTripwires(program, paths, copies);
    const ioctls = new Ioctls(sys, program, objects);
    const preserved = new PreservedFiles(sys, objects, ioctls, isPreserved);
    this.log = new KernelLog(kernel);
    const kmsg = new KmsgFiles(program, objects, this.log);
    const contents = new ContentCalls(sys, program, objects, kmsg);
    this.copies = new CopyCalls(program, objects, preserved);
    this.contents = new TripwireContents(sys, program, subjects, tripwires);
    this.#nodes = nodes;
    this.#handlers = {
      ...new OpenCalls(sys, program, subjects, ioctls, preserved, this.copies, nodes, kmsg).handlers,
      ...new LookCalls(program, objects, subjects).handlers,
      ...new NameCalls(program, subjects, nodes, past).handlers,
      ...new MountCalls(program, subjects, nodes, past).handlers,
      ...new MoveCalls(program, subjects, nodes).handlers,
      ...new AttributeCalls(program, subjects).handlers,
      ...new XattrCalls(program, subjects).handlers,
      ...new WatchCalls(program, subjects).handlers,
      ...new WayCalls(program, subjects, nodes).handlers,
      ...new ObjectCalls(sys, objects, ioctls, preserved, contents).handlers,
      ...new SizeCalls(sys, program, objects, subjects, preserved, contents).handlers,
      ...new WriteCalls(sys, program, objects, preserved, contents).handlers,
      ...new TransferCalls(sys, program, objects, preserved).handlers,
      ...new PathOnlyCalls(program, objects).handlers,
      ...this.copies.handlers,
      ...new KernelCalls(sys, program, objects, ioctls).handlers,
      ...new SyslogCalls(program, this.log).handlers,
    };
  }

  /** @throws ProcessKilled the call was the kexec, or a fault killed init: no process is left that waits for an answer */
  serve(name: Call, call: Notification): CallAnswer {
    return this.#handlers[name](call);
  }

  [Symbol.dispose](): void {
    this.#nodes[Symbol.dispose]();
  }
}
