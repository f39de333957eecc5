/** KHO's way into a kernel of arm64: two properties of the node `chosen` of its device tree (kho_add_chosen() of drivers/of/kexec.c). */
import { decode_fdt, type FdtNode } from "../../../lib/kho/fdt.ts";
import { type Memory, read } from "../../../lib/kho/kept_memory.ts";
import { KhoError } from "../../../lib/kho/kho_error.ts";
import { view } from "../../../lib/kho/struct_fields.ts";

/** A range of memory. */
export interface Range {
  readonly address: bigint;
  readonly size: bigint;
}

/** The bytes of the tree at an address; its header says how many. */
export function device_tree(memory: Memory, address: bigint): Uint8Array {
  const size = view(read(memory, address, 8, "the device tree")).getUint32(4);
  return read(memory, address, size, "the device tree");
}

/** `linux,kho-fdt` is KHO's tree, `linux,kho-scratch` the list of scratch areas. */
export function kho_in(tree: Uint8Array): { fdt: Range; scratch: Range } {
  const chosen = decode_fdt(tree).root.children.find(({ name }) => name === "chosen");
  return { fdt: range(chosen, "linux,kho-fdt"), scratch: range(chosen, "linux,kho-scratch") };
}

/** The root of the tree of QEMU's machine has two cells for an address, and two for a size. Cells are big endian. */
function range(node: FdtNode | undefined, name: string): Range {
  const value = node?.properties.find((one) => one.name === name)?.value;
  if (value?.length !== 16) throw new KhoError(name, "is not in the node chosen as two numbers of 64 bits");
  return { address: view(value).getBigUint64(0), size: view(value).getBigUint64(8) };
}
