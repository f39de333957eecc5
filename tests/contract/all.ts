/** Every case of the contract, in the order in which the cases run. */
import { deviceCases } from "./cases/device.ts";
import { frozenCases } from "./cases/frozen.ts";
import { fileCases } from "./cases/files.ts";
import { fileRebootCases } from "./cases/handover_file.ts";
import { sessionErrorRebootCases } from "./cases/handover_errors.ts";
import { sessionRebootCases } from "./cases/handover_session.ts";
import { holderCases, holderRebootCases } from "./cases/holders.ts";
import { kexecCases } from "./cases/kexec.ts";
import { khoCases, khoRebootCases } from "./cases/kho.ts";
import { malformedCases } from "./cases/malformed.ts";
import { preserveCases } from "./cases/preserve.ts";
import { sealCases, sealRebootCases } from "./cases/seals.ts";
import { sessionCases } from "./cases/sessions.ts";
import type { Case, RebootCase } from "./world.ts";

/** The cases within one boot. */
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

/** The cases across a kexec, which share one kexec on Linux. */
export const rebootCases: readonly RebootCase[] = [
  ...fileRebootCases,
  ...sealRebootCases,
  ...sessionRebootCases,
  ...sessionErrorRebootCases,
  ...holderRebootCases,
  ...khoRebootCases,
];

/** The cases across a kexec of their own. */
export { wordsCases } from "./cases/next_kernel.ts";
