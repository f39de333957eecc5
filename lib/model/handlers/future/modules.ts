/**
 * Loads simulated drivers that LUO may support one day, so that a VMM can try the order of its steps today.
 * `luo_rehearsal=vfio,iommufd,guest_memfd,hugetlb` on a model kernel's command line selects them. Their rules are those
 * of the patches under discussion; Linux 7.3 has none of these handlers, and no such parameter.
 */
import type { Loading } from "./driver.ts";
import { load_guest_memfd } from "./guest_memfd.ts";
import { load_hugetlb } from "./hugetlb_handler.ts";
import { load_iommufd } from "./iommufd.ts";
import { load_vfio } from "./vfio.ts";

/** Ignores unknown names, as modprobe at boot does. vfio needs iommufd and loads it too. */
export function load_modules(names: readonly string[], loading: Loading): void {
  const has = (name: string) => names.includes(name);
  const iommufd = has("iommufd") || has("vfio") ? load_iommufd(loading) : undefined;
  if (has("vfio") && iommufd) load_vfio(loading, iommufd);
  if (has("guest_memfd")) load_guest_memfd(loading);
  if (has("hugetlb")) load_hugetlb(loading);
}
