/** `luo rehearse` as a command: what is missing here, images that nothing boots, and signals. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { stat } from "../../ffi/file.ts";
import { standInArm64Image } from "../../lib/kexec/arm64_image.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { LUO, luoCommand } from "../luo_under_test.ts";

const text = (data: Uint8Array) => new TextDecoder().decode(data);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("luo rehearse without QEMU or busybox, image or program says what is missing", async (t) => {
  const [image, foreign] = [Deno.makeTempFileSync(), Deno.makeTempFileSync()];
  const standIn = Deno.build.arch === "aarch64" ? standInBzImage : standInArm64Image;
  const own = Deno.build.arch === "aarch64" ? standInArm64Image : standInBzImage;
  Deno.writeFileSync(image, own({ release: "7.3.4" }));
  Deno.writeFileSync(foreign, standIn({ release: "7.3.4" }));
  Deno.writeFileSync(`${foreign}.gz`, gzipSync(standIn({ release: "7.3.4" })));
  Deno.writeTextFileSync(`${foreign}.text`, "hello");
  Deno.writeTextFileSync(`${foreign}.empty`, "");
  Deno.writeTextFileSync(`${foreign}.huge`, "");
  Deno.truncateSync(`${foreign}.huge`, 2 ** 40);
  const cases: [string, string[], Record<string, string>, number, RegExp][] = [
    [
      "no QEMU",
      ["--kernel", image, "--", "/bin/true"],
      { PATH: "/nowhere" },
      3,
      /not installed\n.*apt-get install/,
    ],
    ["no image", ["--kernel", "/nowhere", "--", "true"], {}, 3, /kernel image "\/nowhere"/],
    [
      "another architecture",
      ["--kernel", foreign, "--", "true"],
      {},
      3,
      /is a kernel for .*rehearse on a host of/s,
    ],
    ["another architecture", [foreign, "--from", image], {}, 3, /luo kexec check/],
    ["another architecture in a gzip file", [`${foreign}.gz`, "--from", image], {}, 3, /luo kexec check/],
    ["a root without programs", [foreign, "--root", "/proc"], {}, 3, /"\/proc" has no busybox.*--root is/s],
    ["a root for a program", ["--root", "/tmp", "--", "true"], {}, 2, /Cannot take --root/],
    ["a directory", ["/tmp", "--from", image], {}, 1, /"\/tmp": it is a directory/],
    ["a device", [image, "--from", "/dev/null"], {}, 1, /"\/dev\/null": it is a device/],
    [
      "first a text",
      [image, "--from", `${foreign}.text`],
      {},
      3,
      /Cannot rehearse on ".*text": it is a text file/,
    ],
    [
      "an empty initramfs",
      [image, "--from", image, "--initrd", `${foreign}.empty`],
      {},
      1,
      /the file is empty/,
    ],
    [
      "a huge initramfs",
      [image, "--from", image, "--initrd", `${foreign}.huge`],
      {},
      2,
      /give the machine more/,
    ],
    ["no program", ["--kernel", image, "--", "luo-no-such-program"], {}, 127, /no such command/],
    ["not executable", ["--kernel", image, "--", image], {}, 126, /EACCES/],
    ["nothing", ["--"], {}, 2, /Cannot rehearse nothing/],
    ["little memory", ["--memory", "1", "--", "true"], {}, 2, /from 256/],
  ];
  try {
    for (const [name, args, env, code, words] of cases) {
      await t.step(name, async () => {
        const outcome = await luoCommand(["rehearse", ...args], { env, stdin: "null" }).output();
        assert.match(text(outcome.stderr), words);
        assert.equal(outcome.code, code);
      });
    }
  } finally {
    Deno.removeSync(image);
    for (const end of ["", ".gz", ".text", ".empty", ".huge"]) Deno.removeSync(`${foreign}${end}`);
  }
});

Deno.test("an image that nothing can boot has its verdict without a virtual machine", async (t) => {
  const directory = Deno.makeTempDirSync();
  const own = Deno.build.arch === "aarch64" ? standInArm64Image : standInBzImage;
  const from = `${directory}/from`;
  Deno.writeFileSync(from, own({ release: "7.3.4" }));
  Deno.writeTextFileSync(`${directory}/text`, "hello");
  Deno.writeTextFileSync(`${directory}/empty`, "");
  Deno.writeTextFileSync(`${directory}/huge`, "");
  Deno.truncateSync(`${directory}/huge`, 2 ** 40);
  const cases = [["text", 4, "does_not_fit"], ["empty", 4, "does_not_fit"], [
    "huge",
    1,
    "cannot_tell",
  ]] as const;
  for (const [name, code, verdict] of cases) {
    await t.step(name, async () => {
      const args = ["rehearse", `${directory}/${name}`, "--from", from, "--json"];
      const outcome = await luoCommand(args, { env: { PATH: "/nowhere" }, stdin: "null" }).output();
      assert.equal(outcome.code, code, text(outcome.stderr));
      assert.equal(JSON.parse(text(outcome.stdout)).rehearsal.verdict, verdict);
    });
  }
  Deno.removeSync(directory, { recursive: true });
});

/** Rehearses with a program in place of QEMU that never ends, and sends the signals once it runs. */
async function signalled(
  before: string,
  signals: readonly Deno.Signal[],
): Promise<{ code: number; left: string[] }> {
  const directory = Deno.makeTempDirSync();
  const [image, programs, temporary] = [`${directory}/image`, `${directory}/programs`, `${directory}/tmp`];
  const [own, program] = Deno.build.arch === "aarch64"
    ? [standInArm64Image, "qemu-system-aarch64"]
    : [standInBzImage, "qemu-system-x86_64"];
  Deno.writeFileSync(image, own({ release: "7.3.4" }));
  for (const name of [programs, temporary]) Deno.mkdirSync(name);
  Deno.writeTextFileSync(
    `${programs}/${program}`,
    `#!/bin/sh\necho runs >${directory}/runs\nexec sleep 600\n`,
    {
      mode: 0o755,
    },
  );
  const child = new Deno.Command("sh", {
    args: ["-c", `${before}exec "$@"`, "sh", ...LUO, "rehearse", image, "--from", image],
    env: { PATH: `${programs}:${Deno.env.get("PATH")}`, TMPDIR: temporary },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  while (typeof stat(`${directory}/runs`) === "number") await sleep(20);
  for (const signal of signals) {
    child.kill(signal);
    await sleep(200);
  }
  const { code } = await child.status;
  const left = [...Deno.readDirSync(temporary)].map(({ name }) => name);
  Deno.removeSync(directory, { recursive: true });
  return { code, left };
}

Deno.test("Ctrl-C, and a terminal that is closed, leave no files of a rehearsal", async () => {
  assert.deepEqual(await signalled("", ["SIGINT"]), { code: 130, left: [] });
  assert.deepEqual(await signalled("", ["SIGHUP"]), { code: 130, left: [] });
});

Deno.test("under nohup a rehearsal goes on when the terminal is closed", async () => {
  assert.deepEqual(await signalled("trap '' HUP; ", ["SIGHUP", "SIGTERM"]), { code: 130, left: [] });
});
