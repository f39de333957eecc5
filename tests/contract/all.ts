import { deviceCases } from "./cases/device.ts";
import { malformedCases } from "./cases/malformed.ts";
import { preserveCases } from "./cases/preserve.ts";
import { sessionCases } from "./cases/sessions.ts";
import type { Case, RebootCase } from "./world.ts";

/** Every case, in the order in which they run. */
export const cases: readonly Case[] = [...deviceCases, ...malformedCases, ...sessionCases, ...preserveCases];

export const rebootCases: readonly RebootCase[] = [];
