/** Every case of the contract, in the order in which the cases run. */
import { deviceCases } from "./cases/device.ts";
import { frozenCases } from "./cases/frozen.ts";
import { fileCases } from "./cases/files.ts";
import { fileRebootCases } from "./cases/handover_file.ts";
import { sessionRebootCases } from "./cases/handover_session.ts";
import { holderCases, holderRebootCases } from "./cases/holders.ts";
import { kexecCases } from "./cases/kexec.ts";
import { khoCases, khoRebootCases } from "./cases/kho.ts";
import { malformedCases } from "./cases/malformed.ts";
import { preserveCases } from "./cases/preserve.ts";
import { sealCases, sealRebootCases } from "./cases/seals.ts";
import { sessionCases } from "./cases/sessions.ts";
import type { Case, RebootCase } from "./world.ts";

/** Every case, in the order in which they run. */
export const cases: readonly Case[] = [
  ...deviceCases,
  ...malformedCases,
  ...sessionCases,
  ...preserveCases,
  ...frozenCases,
  ...sealCases,
  ...holderCases,
  ...fileCases,
  ...khoCases,
  ...kexecCases,
];

export const rebootCases: readonly RebootCase[] = [
  ...fileRebootCases,
  ...sealRebootCases,
  ...sessionRebootCases,
  ...holderRebootCases,
  ...khoRebootCases,
];

export { wordsCases } from "./cases/next_kernel.ts";
