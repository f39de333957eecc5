/** A method of io.luo.Agent, and the parameters that several of them have. */
import { about, bool, exactInt, type Fields, maybe, type Schema, text } from "./parts.ts";

/** One method. */
export interface Method {
  /** The effect of the method, in full sentences. */
  readonly about: string;
  /** Its parameters. A request with any other is refused. */
  readonly request: Fields;
  /** The parameters of its answer. */
  readonly reply: Schema;
}

/** The parameters of a load, apart from the kernel itself. */
export const loading: Fields = {
  initrdFd: maybe(about(exactInt, "The index of the initrd among the fds of the message")),
  initrd: maybe(about(text, "The name to show")),
  commandLine: maybe(about(text, "The command line of the next kernel")),
  reuseCommandLine: maybe(about(bool, "Take the command line of the running kernel")),
  append: maybe(about(text, "Words to add to the command line")),
  imageCommandLine: maybe(
    about(
      bool,
      "Take the command line in a unified kernel image, when it has one, and not the running kernel's",
    ),
  ),
};
