/** Cases with a kexec whose command line turns live update or KHO off. */
import { O_RDWR } from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import { preserve } from "../calls.ts";
import { answers, pattern, type RebootCase, type World } from "../world.ts";

/** A case whose first kexec adds words to the command line, so cases cannot share it. The second kexec does not have the words. */
export interface WordsCase extends RebootCase {
  readonly words: string;
}

const open = (world: World) => world.sys.open(LIVEUPDATE_DEVICE, O_RDWR);

function give(world: World): void {
  world.preserve(world.create("for the next"), world.memfd(pattern(100)), 1n);
}

/** After one more kexec the device exists again, and the session is lost. */
function lost(world: World): void {
  answers(world.tryRetrieve("for the next"), "ENOENT");
  world.close(world.create("for the next"));
}

export const wordsCases: readonly WordsCase[] = [
  ...["liveupdate=off", "kho=off"].map((words): WordsCase => ({
    name: `${words}: there is no device, and everything is lost`,
    words,
    before: give,
    after: (world) => answers(open(world), "ENOENT"),
    later: lost,
  })),
  {
    name: "a kernel without the handler of a file: every open of the device is EIO until the next kexec",
    words: "initcall_blacklist=memfd_luo_init",
    before: give,
    after(world) {
      answers(open(world), "EIO");
      answers(open(world), "EIO");
    },
    later: lost,
  },
  {
    name: "a kernel without the handler of a file, and no file handed over: PRESERVE_FD ENOENT",
    words: "initcall_blacklist=memfd_luo_init",
    before: (world) => void world.create("no files"),
    after(world) {
      const session = world.create("no handler");
      answers(preserve(world.sys, session, world.memfd(1), 1n), "ENOENT");
      world.retrieve("no files");
    },
  },
];
