/** The methods of io.luo.Agent about live updates: request and answer of each. */
import { about, bool, exactInt, int, list, maybe, struct, text, words } from "./parts.ts";
import { loading, type Method } from "./method.ts";
import { UpdateRecord, UpdateSummary } from "./update.ts";
import { deadlines, ParticipantEvent } from "./update_participant.ts";
import { UpdateState } from "./update_words.ts";

const force = maybe(about(bool, "Do what is otherwise answered with Refused"));

/** These methods by name, in the order in which documents list them. */
export const UPDATE_METHODS: Readonly<Record<string, Method>> = {
  GetUpdate: {
    about:
      "The live update that is under way, or the last one. With more: an answer now and one after every change. " +
      "With id the one whose id begins so, of the history.",
    request: { id: maybe(about(text, "The beginning of the id of an update")) },
    reply: struct({ state: UpdateState, update: maybe(UpdateRecord) }),
  },
  ListUpdates: {
    about: "The history: the last 50 live updates, over all kexecs, the oldest first.",
    request: {},
    reply: struct({ updates: list(UpdateSummary) }),
  },
  StepUpdate: {
    about:
      "Takes a step of a live update, and answers when it is taken. With more: an answer after every change too. When the client ends " +
      "before the kexec, the step is cancelled. run answers only when it fails, as ExecImage.",
    request: {
      step: words({
        prepare: "a session for each participant, and the event prepare",
        freeze: "the event freeze",
        run: "all that is missing, and the kexec; the next kernel finishes by itself",
        cancel: "the way back",
        finish: "the event finish, and the end",
      }),
      kernelFd: maybe(
        about(
          exactInt,
          "With prepare or run: the kernel to load first, an index among the fds of the message",
        ),
      ),
      kernel: maybe(about(text, "The name to show")),
      ...loading,
      digest: maybe(about(bool, "Take digests of the participants' files, and compare them after the kexec")),
      blackoutSeconds: maybe(about(exactInt, "The most seconds for all of freeze. By default 60")),
      finishes: maybe(
        about(
          bool,
          "With freeze: the next kernel finishes by itself, as after run. The caller makes the kexec",
        ),
      ),
      force,
    },
    reply: struct({ state: UpdateState, update: maybe(UpdateRecord) }),
  },
  Participate: {
    about:
      "Takes part in live updates, with more: an answer at once, and one with each event, until the connection ends. While an update is " +
      "under way that is the death of the participant. In the next kernel call it again with the same name.",
    request: {
      name: about(text, "The name of the participant and of its session"),
      after: maybe(about(list(text), "The participants that are called before it with prepare and freeze")),
      seconds: maybe(about(deadlines, "The deadline of each event")),
      wantsSession: maybe(about(
        bool,
        "True: send the session's descriptor with each event, where it can be sent (not on the model). luo does not know which files are " +
          "preserved through it, and takes ready at updated as the word that all of them are restored",
      )),
    },
    reply: struct({
      sessionFd: maybe(
        about(int, "The index of the session among the fds of the message; close it at cancel and finish"),
      ),
      event: maybe(about(ParticipantEvent, "To be answered with AnswerEvent, on another connection")),
    }),
  },
  AnswerEvent: {
    about: "Answers an event of Participate.",
    request: {
      update: about(text, "The id of the update"),
      event: about(text, "The event"),
      participant: about(text, "The name of the participant"),
      answer: words({
        ready: "its part is done",
        veto: "it says no: the update is cancelled",
        later: "it needs more time",
      }),
      reason: maybe(about(text, "With veto: why")),
      milliseconds: maybe(
        about(exactInt, "With later: the deadline from now, as far as the blackout allows"),
      ),
      output: maybe(
        about(
          text,
          "With ready: text to be told again with later events, over the kexec too; at most 64 KiB",
        ),
      ),
    },
    reply: struct({}),
  },
};
