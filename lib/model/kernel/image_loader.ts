/** The loader of images of each architecture, as kexec_file_load(2) of its kernel has it. */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret } from "../../system_calls.ts";
import {
  ARM64_COMMAND_LINE_SIZE,
  check_load_arm64,
  probe_arm64,
  release_arm64,
  segments_arm64,
} from "./arm64_image_probe.ts";
import { check_load, image_release, kernel_segment, probe } from "./bzimage_probe.ts";
import type { MachineArchitecture } from "./hardware.ts";
import type { Segment } from "./kexec_segments.ts";

/** The start of an image file; all headers lie in it. */
export interface ImageHead {
  readonly head: Uint8Array;
  /** Bytes of the whole file. */
  readonly length: number;
  /** Bytes of the file, fewer at its end. */
  read(offset: number, length: number): Uint8Array;
}

export interface ImageLoader {
  /** `print` takes what the kernel says of an image that it refuses. */
  probe(image: ImageHead, print: (line: string) => void): Ret;
  /** The loader's checks after it has read the initrd and the command line. `cmdline_len` includes the NUL. */
  check(image: ImageHead, cmdline_len: number, print: (line: string) => void): Ret;
  segments(image: ImageHead, initrd_bytes: number): Segment[];
  /** uname's release of the kernel in the image. */
  release(image: ImageHead): string | undefined;
  /** The command line as the next kernel takes it. */
  command_line(text: string): string;
}

const initrd = (bytes: number): Segment => ({ bytes, alignment: PAGE_SIZE });

export const IMAGE_LOADERS: Readonly<Record<MachineArchitecture, ImageLoader>> = {
  x86_64: {
    probe: ({ head, length }, print) => probe(head, length, print),
    check: ({ head, length }, cmdline_len, print) => check_load(head, length, cmdline_len, print),
    segments: ({ head }, initrd_bytes) => [kernel_segment(head), initrd(initrd_bytes)],
    release: ({ head }) => image_release(head),
    command_line: (text) => text,
  },
  aarch64: {
    probe: ({ head }) => probe_arm64(head),
    check: ({ head }) => check_load_arm64(head),
    segments: ({ head }, initrd_bytes) => [...segments_arm64(head), initrd(initrd_bytes)],
    release: ({ read }) => release_arm64(read),
    command_line: (text) => text.slice(0, ARM64_COMMAND_LINE_SIZE - 1),
  },
};
