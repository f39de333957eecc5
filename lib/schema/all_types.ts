/** Every named type that an object of `--json` can refer to. */
import { INTERFACE_TYPES } from "./agent_interface.ts";
import { Version } from "./answers.ts";
import { Doctor } from "./doctor.ts";
import { FailureKind, FailureObject } from "./failure.ts";
import { Handover, HandoverFile, HandoverLuo } from "./handover.ts";
import { Rehearsal } from "./rehearsal.ts";
import { REPORT_TYPES } from "./report.ts";
import type { Schema } from "./parts.ts";
import { Systemd, SystemdStore } from "./systemd.ts";

/** Those that are not in the agent's interface. */
export const ANSWER_TYPES: readonly Schema[] = [
  HandoverFile,
  HandoverLuo,
  Handover,
  Doctor,
  Rehearsal,
  SystemdStore,
  Systemd,
  Version,
  FailureKind,
  FailureObject,
];

/** All of them, in the order in which documents list them. */
export const ALL_TYPES: readonly Schema[] = [...INTERFACE_TYPES, ...REPORT_TYPES, ...ANSWER_TYPES];
