/** The map of all commands. */
import { buildRouteMap } from "@stricli/core";
import * as agentRun from "../agent_run.ts";
import * as agentStart from "../agent_start.ts";
import * as agentStatus from "../agent_status.ts";
import * as agentStop from "../agent_stop.ts";
import * as batch from "../batch.ts";
import * as completion from "../completion.ts";
import type { Context } from "../base/context.ts";
import * as doctor from "../doctor.ts";
import * as drop from "../drop.ts";
import * as emulate from "../emulate.ts";
import * as fileList from "../file_list.ts";
import * as filePreserve from "../file_preserve.ts";
import * as fileRestore from "../file_restore.ts";
import * as get from "../get.ts";
import * as kexecCheck from "../kexec_check.ts";
import * as kexecExec from "../kexec_exec.ts";
import * as kexecLoad from "../kexec_load.ts";
import * as kexecShow from "../kexec_show.ts";
import * as kexecUnload from "../kexec_unload.ts";
import * as keys from "../keys.ts";
import * as khoShow from "../kho_show.ts";
import * as losses from "../losses.ts";
import * as machineRun from "../machine_run.ts";
import * as machineStop from "../machine_stop.ts";
import * as man from "../man.ts";
import * as put from "../put.ts";
import * as rehearse from "../rehearse.ts";
import * as schema from "../schema.ts";
import * as sessionClose from "../session_close.ts";
import * as sessionCreate from "../session_create.ts";
import * as sessionFinish from "../session_finish.ts";
import * as sessionKeep from "../session_keep.ts";
import * as sessionList from "../session_list.ts";
import * as sessionRetrieve from "../session_retrieve.ts";
import * as sessionShow from "../session_show.ts";
import * as status from "../status.ts";
import * as updateCancel from "../update_cancel.ts";
import * as updateFinish from "../update_finish.ts";
import * as updateFreeze from "../update_freeze.ts";
import * as updatePrepare from "../update_prepare.ts";
import * as updateHistory from "../update_history.ts";
import * as updateReport from "../update_report.ts";
import * as updateRun from "../update_run.ts";
import * as updateState from "../update_state.ts";

const session = buildRouteMap<string, Context>({
  docs: { brief: "Sessions: named sets of files that survive a kexec" },
  routes: {
    create: sessionCreate.command,
    list: sessionList.command,
    show: sessionShow.command,
    keep: sessionKeep.command,
    retrieve: sessionRetrieve.command,
    finish: sessionFinish.command,
    close: sessionClose.command,
  },
});

const file = buildRouteMap<string, Context>({
  docs: { brief: "The files in a session" },
  routes: { preserve: filePreserve.command, restore: fileRestore.command, list: fileList.command },
});

const kexec = buildRouteMap<string, Context>({
  docs: { brief: "The next kernel" },
  routes: {
    check: kexecCheck.command,
    load: kexecLoad.command,
    show: kexecShow.command,
    unload: kexecUnload.command,
    exec: kexecExec.command,
  },
});

const update = buildRouteMap<string, Context>({
  docs: { brief: "A live update of the whole machine, with everybody who takes part" },
  routes: {
    run: updateRun.command,
    prepare: updatePrepare.command,
    freeze: updateFreeze.command,
    cancel: updateCancel.command,
    finish: updateFinish.command,
    state: updateState.command,
    report: updateReport.command,
    history: updateHistory.command,
  },
});

const kho = buildRouteMap<string, Context>({
  docs: { brief: "What one kernel hands to the next" },
  routes: { show: khoShow.command },
});

const agent = buildRouteMap<string, Context>({
  docs: { brief: "The agent, which holds sessions from one command to the next" },
  routes: {
    start: agentStart.command,
    stop: agentStop.command,
    status: agentStatus.command,
    run: agentRun.command,
  },
});

const machine = buildRouteMap<string, Context>({
  docs: { brief: "The machine of the software model, which the agent starts by itself" },
  routes: { run: machineRun.command, stop: machineStop.command },
});

/** All routes. The words that are typed are the name of the file: `session create` is commands/session_create.ts. */
export const routes = buildRouteMap<string, Context>({
  docs: {
    brief: "Keep files alive across a kexec, with Linux's live update",
  },
  routes: {
    status: status.command,
    losses: losses.command,
    session,
    file,
    put: put.command,
    get: get.command,
    keys: keys.command,
    drop: drop.command,
    kexec,
    update,
    kho,
    agent,
    doctor: doctor.command,
    batch: batch.command,
    emulate: emulate.command,
    rehearse: rehearse.command,
    completion: completion.command,
    man: man.command,
    schema: schema.command,
    machine,
  },
});
