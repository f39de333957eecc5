/** Which kernel image a virtual machine boots. */
import { stat } from "../../ffi/file.ts";
import { list_directory } from "../../ffi/proc.ts";
import { S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { MissingTool } from "./missing_tool.ts";

/** The places of images, and which place comes first when no image is named. */
export interface ImagePlaces {
  /** A directory of images for tests. */
  readonly directory?: string;
  /** The release of the running kernel. */
  readonly release: string;
  /** The image of the running kernel comes before those of the directory. */
  readonly preferRunning?: boolean;
}

/** Matches the images with LUO. The directory also has images that only the tests of luo use. */
const IMAGE = /^(?:bz)?Image-.*-luo$/;

/**
 * The path of an image. A given name is a path, or the name of an image in the directory (`7.3.4-luo` is `bzImage-7.3.4-luo`).
 * Without one it is the newest image of the directory, or the image of the running kernel.
 *
 * @throws MissingTool
 */
export function kernelImage(name: string | undefined, places: ImagePlaces): string {
  const { directory, release, preferRunning } = places;
  if (name !== undefined) return named(name, directory);
  const running = [`/boot/vmlinuz-${release}`, `/usr/lib/modules/${release}/vmlinuz`].find(isFile);
  const newest = directory === undefined ? undefined : newestImage(directory);
  const chosen = preferRunning ? running ?? newest : newest ?? running;
  if (chosen !== undefined) return chosen;
  throw new MissingTool(
    `Cannot read the image of the running kernel ${release} in /boot`,
    preferRunning ? "name another image: --from IMAGE" : "name another image: --kernel IMAGE",
  );
}

function named(name: string, directory: string | undefined): string {
  const places = directory === undefined || name.includes("/")
    ? [name]
    : [name, `${directory}/${name}`, `${directory}/bzImage-${name}`, `${directory}/Image-${name}`];
  const found = places.find(isFile);
  if (found !== undefined) return found;
  // Its kind is named when it is opened.
  if (typeof stat(name) !== "number") return name;
  throw new MissingTool(
    `Cannot find the kernel image ${JSON.stringify(name)}`,
    directory === undefined
      ? "LUO_TEST_KERNELS may name a directory of images"
      : `the directory of images is ${JSON.stringify(directory)} (LUO_TEST_KERNELS)`,
  );
}

function newestImage(directory: string): string | undefined {
  const newest = list_directory(directory).filter((name) => IMAGE.test(name))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  return newest && `${directory}/${newest}`;
}

function isFile(path: string): boolean {
  const found = stat(path);
  return typeof found !== "number" && (found.mode & S_IFMT) === S_IFREG;
}
