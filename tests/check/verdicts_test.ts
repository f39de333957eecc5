/** Verdicts on real kernels, also packed and wrapped anew, and on stand-ins. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { unpackBzImage } from "../../lib/kexec/image/x86_payload.ts";
import { UNPACKED_MAX } from "../../lib/kexec/image/decompress.ts";
import { Budget } from "../../lib/kexec/image/sink.ts";
import { type PreservedFiles, preservedFiles } from "../../lib/kexec/check/preserved_files.ts";
import { type Against, checkBytes, codes } from "./check_image.ts";
import { pack, PACKERS, realImage, repack, uki, withNames, zboot } from "./images.ts";

interface Case {
  readonly image: string;
  readonly against?: Against;
  readonly verdict: string;
  /** The lines that do not fit. */
  readonly against_it?: readonly string[];
}

const REAL: readonly Case[] = [
  { image: "bzImage-7.3.4-luo", against: { running: "7.2.12-luo" }, verdict: "fits" },
  { image: "bzImage-7.2.12-luo", against: { running: "7.3.4-luo" }, verdict: "fits" },
  { image: "bzImage-7.3.4-luo-full", verdict: "fits" },
  { image: "Image-7.3.4-luo-arm64", against: { machine: "aarch64" }, verdict: "fits" },
  { image: "bzImage-7.3.4-mismatch", verdict: "does_not_fit", against_it: ["luo_format"] },
  {
    image: "bzImage-7.3.4-luo",
    against: { running: "6.19.3" },
    verdict: "does_not_fit",
    against_it: ["kho_format", "luo_format", "file_handlers"],
  },
  {
    image: "bzImage-7.3.4-luo",
    against: { commandLine: "kho=on quiet" },
    verdict: "does_not_fit",
    against_it: ["liveupdate_on"],
  },
  {
    image: "bzImage-7.3.4-luo",
    against: { commandLine: "liveupdate=on -- kho=off" },
    verdict: "fits",
  },
  {
    image: "bzImage-7.3.4-luo",
    against: { commandLine: "liveupdate=on kho=off" },
    verdict: "does_not_fit",
    against_it: ["kho_on"],
  },
  {
    image: "bzImage-7.3.4-luo",
    against: { initrdBytes: 60 << 20 },
    verdict: "does_not_fit",
    against_it: ["scratch"],
  },
  { image: "Image-7.3.4-luo-arm64", verdict: "does_not_fit", against_it: ["image"] },
  {
    image: "Image-7.3.4-luo-arm64",
    against: { machine: "aarch64", initrdBytes: 60 << 20 },
    verdict: "does_not_fit",
    against_it: ["scratch"],
  },
];

for (const { image, against = {}, verdict, against_it = [] } of REAL) {
  const bytes = realImage(image);
  Deno.test({
    name: `${image} ${JSON.stringify(against)}: ${verdict} ${against_it.join(" ")}`,
    ignore: bytes === undefined,
    async fn() {
      const check = await checkBytes(bytes ?? new Uint8Array(0), against);
      assert.deepEqual([check.verdict, codes(check, "does_not_fit")], [verdict, against_it]);
      assert.ok(check.lines.every(({ reason, source }) => reason !== "" && source !== ""));
    },
  });
}

/** Some commands that pack do not append the unpacked size. */
const WITH_SIZE = (name: string) => name !== "gzip" && name !== "none";

/** Every packing of a kernel that fits, and two of one that does not. */
const PACKED = [
  { name: "bzImage-7.3.4-luo", verdict: "fits", packers: Object.keys(PACKERS) },
  { name: "bzImage-7.3.4-mismatch", verdict: "does_not_fit", packers: ["gzip", "zstd"] },
];

for (const { name, verdict, packers } of PACKED) {
  const image = realImage(name);
  const unpacked = image && unpackBzImage(image, new Budget(UNPACKED_MAX));
  for (const packer of packers) {
    Deno.test({
      name: `${name} packed with ${packer}, alone and in a UKI and a gzip file: ${verdict}`,
      ignore: image === undefined,
      async fn(test) {
        if (image === undefined || unpacked === undefined) return;
        const { kernel } = await unpacked;
        const packed = await pack(kernel, packer);
        if (packed === undefined) {
          return void await test.step({ name: `no ${packer} here`, fn() {}, ignore: true });
        }
        const again = repack(image, packed, kernel.length, WITH_SIZE(packer));
        const alone = await checkBytes(again);
        assert.equal(alone.verdict, verdict, JSON.stringify(alone.lines));
        const unified = uki({ ".cmdline": "quiet", ".linux": again });
        const wrapped = await checkBytes(await pack(unified, "gzip") ?? unified);
        assert.equal(wrapped.verdict, verdict);
        assert.deepEqual(wrapped.wraps.slice(-1), ["uki"]);
        assert.deepEqual(wrapped.lines, alone.lines);
      },
    });
  }
}

const arm64 = realImage("Image-7.3.4-luo-arm64");
for (
  const [packer, compression] of [["gzip", "gzip"], ["zstd", "zstd"], ["xz", "xzkern"], [
    "lzo",
    "lzo",
  ]] as const
) {
  Deno.test({
    name: `Image-7.3.4-luo-arm64 as EFI zboot image with ${packer}: fits`,
    ignore: arm64 === undefined,
    async fn() {
      const packed = await pack(arm64 ?? new Uint8Array(0), packer);
      if (packed === undefined) return;
      const check = await checkBytes(zboot(packed, compression), { machine: "aarch64" });
      assert.deepEqual([check.verdict, check.wraps], ["fits", [`zboot (${packer})`]]);
    },
  });
}

Deno.test("a stand-in fits the kernel of the model that it stands for, and no other", async () => {
  for (const release of ["7.3.4", "7.2.12-x", "6.19.3", "7.3.4-luo-v9", "7.3.4-kho-v8"]) {
    const image = standInBzImage({ release });
    const { verdict } = await checkBytes(image, { running: release });
    assert.equal(verdict, "fits", release);
  }
  const check = await checkBytes(standInBzImage({ release: "7.3.4-luo-v9" }));
  assert.deepEqual(codes(check, "does_not_fit"), ["luo_format"]);
});

Deno.test("an image that cannot be unpacked: the formats cannot be told, and nothing else is wrong", async () => {
  const image = standInBzImage({ release: "7.3.4" });
  new DataView(image.buffer).setUint32(0x24c, 0, true);
  const check = await checkBytes(image);
  assert.equal(check.verdict, "cannot_tell");
  assert.deepEqual(codes(check, "does_not_fit"), []);
  assert.ok(codes(check, "cannot_tell").includes("luo_format"));
});

Deno.test("a kernel without a configuration in it: the one beside it counts", async () => {
  const image = standInBzImage({ release: "7.3.4" });
  const mark = new TextDecoder("latin1").decode(image).indexOf("IKCFG_ST");
  image[mark] = 0;
  const text = (words: string) => new TextEncoder().encode(words);
  const without = await checkBytes(image, { commandLine: "liveupdate=on", runningLine: "liveupdate=on" });
  // No agent tells how much memory is preserved.
  assert.deepEqual([without.verdict, codes(without, "cannot_tell")], ["cannot_tell", ["kho_on", "memory"]]);
  const config = "CONFIG_LIVEUPDATE=y\nCONFIG_KEXEC_HANDOVER=y\n";
  const disk = { "/images/config-7.3.4": text(config) };
  const off = await checkBytes(image, { disk, path: "/images/vmlinuz", commandLine: "liveupdate=on" });
  assert.deepEqual(codes(off, "does_not_fit"), ["kho_on"]);
  const line = off.lines.find(({ code }) => code === "kho_on");
  assert.match(`${line?.reason} ${line?.source}`, /KHO off by default.*\/images\/config-7\.3\.4/);
});

Deno.test("a kernel that takes its own command line only: the given one switches nothing on", async () => {
  const image = standInBzImage({ release: "7.3.4" });
  const mark = new TextDecoder("latin1").decode(image).indexOf("IKCFG_ST");
  image[mark] = 0;
  const config = "CONFIG_LIVEUPDATE=y\nCONFIG_KEXEC_HANDOVER=y\nCONFIG_CMDLINE_BOOL=y\n" +
    'CONFIG_CMDLINE="kho=on quiet"\nCONFIG_CMDLINE_OVERRIDE=y\n';
  const disk = { "/images/config-7.3.4": new TextEncoder().encode(config) };
  const check = await checkBytes(image, { disk, path: "/images/vmlinuz" });
  assert.deepEqual(codes(check, "does_not_fit"), ["liveupdate_on"]);
  const reasons = check.lines.map(({ reason }) => reason).join("\n");
  assert.match(reasons, /in place of every other \(CONFIG_CMDLINE_OVERRIDE\), lacks liveupdate=on/);
});

Deno.test("each handler of the running kernel is compared, also in a list of versions", async () => {
  const running = withNames("7.3.4", ["vfio-pci-v2;vfio-pci-v1", "iommufd-v1", "operating-points-v2"]);
  const disk = { "/boot/vmlinuz-7.3.4": running };
  const lines = async (...names: string[]) => {
    const { verdict, lines } = await checkBytes(withNames("7.3.5", names), { running: "7.3.4", disk });
    const handlers = lines.filter(({ code }) => code === "file_handlers").map(({ reason }) => reason);
    return [verdict, ...handlers.slice(1)];
  };
  assert.deepEqual(await lines("vfio-pci-v1", "iommufd-v1"), ["fits"]);
  const [verdict, first, second] = await lines("vfio-pci-v3");
  assert.equal(verdict, "cannot_tell");
  assert.match(first ?? "", /iommufd-v1 may be preserved, and the image knows none/);
  assert.match(second ?? "", /vfio-pci-v1, vfio-pci-v2 may be preserved, and the image knows vfio-pci-v3/);
});

const FILES: PreservedFiles = { bytes: 0, counts: { memfd: 0, hugetlb: 0, unknown: 0 }, unlisted: [] };

/** The files of the running kernel, whose image has `hugetlb-v1` and `hugetlbfs-v1`, against an image with the names. */
const PRESERVED: readonly {
  readonly what: string;
  readonly preserved: Partial<PreservedFiles>;
  readonly names?: readonly string[];
  readonly running?: boolean;
  readonly verdict: string;
  /** Found in the reasons, the code of the line before each. */
  readonly lines: readonly RegExp[];
}[] = [
  {
    what: "memfds are counted",
    preserved: { counts: { memfd: 3, hugetlb: 0, unknown: 0 } },
    names: ["hugetlb-v1", "hugetlbfs-v1"],
    verdict: "fits",
    lines: [
      /file_handlers fits: memfd-v2 is handed over \(3 files now\), the image knows memfd-v2 \[the agent;/,
    ],
  },
  {
    what: "huge pages, and the image has their handler",
    preserved: { counts: { memfd: 0, hugetlb: 1, unknown: 0 } },
    names: ["hugetlb-v1", "hugetlbfs-v1"],
    verdict: "fits",
    lines: [/file_handlers fits: hugetlbfs-v1 is handed over \(1 file now\), the image knows hugetlbfs-v1/],
  },
  {
    what: "huge pages, and the image lacks their pool",
    preserved: { counts: { memfd: 0, hugetlb: 2, unknown: 0 } },
    names: ["hugetlbfs-v1"],
    verdict: "does_not_fit",
    lines: [
      /file_handlers does_not_fit: hugetlb-v1 is handed over \(2 files now\), the image knows none: .*EIO/,
    ],
  },
  {
    what: "huge pages of a kernel whose image is not there",
    preserved: { counts: { memfd: 0, hugetlb: 2, unknown: 0 } },
    names: ["hugetlbfs-v1", "hugetlb-v1"],
    running: false,
    verdict: "cannot_tell",
    lines: [/file_handlers cannot_tell: 2 files with huge pages .* kernel 7\.3\.4 is not known/],
  },
  {
    what: "files of another kind",
    preserved: { counts: { memfd: 1, hugetlb: 0, unknown: 2 } },
    names: ["hugetlbfs-v1", "hugetlb-v1"],
    verdict: "cannot_tell",
    lines: [/file_handlers cannot_tell: 2 files of a kind that luo does not know/],
  },
  {
    what: "sessions of other programs do not decide",
    preserved: { unlisted: ["a", "b", "c", "d", "e"] },
    names: ["hugetlbfs-v1", "hugetlb-v1"],
    verdict: "fits",
    lines: [/unlisted_files cannot_tell: .* session "a", "b", "c" and 2 more/],
  },
];

for (const { what, preserved, names = [], running = true, verdict, lines } of PRESERVED) {
  Deno.test(`files that are preserved now: ${what}`, async () => {
    const disk: Record<string, Uint8Array> = running
      ? { "/boot/vmlinuz-7.3.4": withNames("7.3.4", ["hugetlb-v1", "hugetlbfs-v1"]) }
      : {};
    const image = withNames("7.3.5", names);
    const check = await checkBytes(image, { running: "7.3.4", disk, preserved: { ...FILES, ...preserved } });
    const text = check.lines.map(({ code, verdict, reason, source }) =>
      `${code} ${verdict}: ${reason} [${source}]`
    ).join("\n");
    assert.equal(check.verdict, verdict, text);
    for (const line of lines) assert.match(text, line);
  });
}

Deno.test("without an agent it is not known how much memory is preserved, and that does not decide", async () => {
  const image = standInBzImage({ release: "7.3.4" });
  const line = async (preserved?: PreservedFiles) => {
    const { verdict, lines } = await checkBytes(image, { preserved });
    return [verdict, lines.find(({ code }) => code === "memory")?.verdict];
  };
  assert.deepEqual(await line(), ["fits", "cannot_tell"]);
  assert.deepEqual(await line(FILES), ["fits", "fits"]);
  assert.deepEqual(await line({ ...FILES, bytes: 2 ** 50 }), ["does_not_fit", "does_not_fit"]);
});

Deno.test("a kernel that is built without live update does not panic: it does not look at what is handed over", async () => {
  const image = withNames("7.3.4", []);
  const text = new TextDecoder("latin1").decode(image);
  for (const name of ["kho-v4", "luo-v5", "memfd-v2"]) image[text.indexOf(`${name}\0`)] = 0;
  const { lines } = await checkBytes(image);
  const luo = lines.find(({ code }) => code === "luo_format");
  assert.match(
    `${luo?.verdict} ${luo?.reason}`,
    /^does_not_fit .*knows none: it would not look at what is handed over/,
  );
});

Deno.test("the files of outgoing sessions are counted by kind; those that only the agent holds are not handed over", () => {
  const file = { token: "1", size: 10, seals: 0, state: "preserved" } as const;
  const session = { name: "a", createdAt: "", state: "outgoing", files: [] } as const;
  const counted = preservedFiles([
    {
      ...session,
      files: [{ ...file, kind: "memfd" }, { ...file, kind: "hugetlb" }, file, { ...file, state: "held" }],
    },
    { ...session, name: "b", files: [], opened: true },
    { ...session, name: "c", files: [], filesKnown: false },
    { ...session, name: "d", state: "retrieved", files: [{ ...file, state: "waiting" }], opened: true },
  ]);
  assert.deepEqual(counted, {
    bytes: 30,
    counts: { memfd: 1, hugetlb: 1, unknown: 1 },
    unlisted: ["b", "c"],
  });
});

Deno.test("a running kernel without live update hands nothing over", async () => {
  const check = await checkBytes(standInBzImage({ release: "7.3.4" }), { running: "6.12.1" });
  assert.equal(check.verdict, "fits");
  assert.match(check.lines.find(({ code }) => code === "luo_format")?.reason ?? "", /hands nothing over/);
});
