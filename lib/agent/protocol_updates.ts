/** The methods of `io.luo.Agent` about live updates as types of TypeScript: `deno task reference` writes this file. */
import type { ParticipantEvent, UpdateRecord, UpdateState, UpdateSummary } from "../schema/types.ts";

/** Request and answer of each of these methods. */
export interface UpdateMethods {
  /**
   * The live update that is under way, or the last one. With more: an answer now and one after every
   * change. With id the one whose id begins so, of the history.
   */
  GetUpdate: {
    request: {
      /** The beginning of the id of an update */
      id?: string;
    };
    reply: { state: UpdateState; update?: UpdateRecord };
  };
  /** The history: the last 50 live updates, over all kexecs, the oldest first. */
  ListUpdates: { request: Record<string, never>; reply: { updates: UpdateSummary[] } };
  /**
   * Takes a step of a live update, and answers when it is taken. With more: an answer after every change
   * too. When the client ends before the kexec, the step is cancelled. run answers only when it fails,
   * as ExecImage.
   */
  StepUpdate: {
    request: {
      /**
       * prepare: a session for each participant, and the event prepare. freeze: the event freeze. run: all
       * that is missing, and the kexec; the next kernel finishes by itself. cancel: the way back. finish:
       * the event finish, and the end.
       */
      step: "prepare" | "freeze" | "run" | "cancel" | "finish";
      /** With prepare or run: the kernel to load first, an index among the fds of the message */
      kernelFd?: number;
      /** The name to show */
      kernel?: string;
      /** The index of the initrd among the fds of the message */
      initrdFd?: number;
      /** The name to show */
      initrd?: string;
      /** The command line of the next kernel */
      commandLine?: string;
      /** Take the command line of the running kernel */
      reuseCommandLine?: boolean;
      /** Words to add to the command line */
      append?: string;
      /** Take the command line in a unified kernel image, when it has one, and not the running kernel's */
      imageCommandLine?: boolean;
      /** Take digests of the participants' files, and compare them after the kexec */
      digest?: boolean;
      /** The most seconds for all of freeze. By default 60 */
      blackoutSeconds?: number;
      /** With freeze: the next kernel finishes by itself, as after run. The caller makes the kexec */
      finishes?: boolean;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { state: UpdateState; update?: UpdateRecord };
  };
  /**
   * Takes part in live updates, with more: an answer at once, and one with each event, until the
   * connection ends. While an update is under way that is the death of the participant. In the next
   * kernel call it again with the same name.
   */
  Participate: {
    request: {
      /** The name of the participant and of its session */
      name: string;
      /** The participants that are called before it with prepare and freeze */
      after?: string[];
      /** The deadline of each event */
      seconds?: {
        /** By default 300 */
        prepare?: number;
        /** By default 10 */
        freeze?: number;
        /** By default 30 */
        cancel?: number;
        /** By default 300 */
        updated?: number;
        /** By default 60 */
        finish?: number;
      };
      /**
       * True: send the session's descriptor with each event, where it can be sent (not on the model). luo
       * does not know which files are preserved through it, and takes ready at updated as the word that all
       * of them are restored
       */
      wantsSession?: boolean;
    };
    reply: {
      /** The index of the session among the fds of the message; close it at cancel and finish */
      sessionFd?: number;
      /** To be answered with AnswerEvent, on another connection */
      event?: ParticipantEvent;
    };
  };
  /** Answers an event of Participate. */
  AnswerEvent: {
    request: {
      /** The id of the update */
      update: string;
      /** The event */
      event: string;
      /** The name of the participant */
      participant: string;
      /** ready: its part is done. veto: it says no: the update is cancelled. later: it needs more time. */
      answer: "ready" | "veto" | "later";
      /** With veto: why */
      reason?: string;
      /** With later: the deadline from now, as far as the blackout allows */
      milliseconds?: number;
      /** With ready: text to be told again with later events, over the kexec too; at most 64 KiB */
      output?: string;
    };
    reply: Record<string, never>;
  };
}
