/** `--help` and `--version`. */
import type { StricliIntegration } from "@stricli/core";
import type { Context } from "../base/context.ts";
import { VERSION } from "../../lib/version.ts";

export const help: StricliIntegration<Context> = {
  flag: {
    brief: "Print this help",
    aliases: ["h"],
    global: true,
    defaultForRouteMap: true,
    async run(app, { text, result, additionalFlags }) {
      const { helpText } = await import("../help/help_text.ts");
      const all = result.target.formatHelp({
        prefix: result.prefix,
        additionalFlags,
        includeArgumentEscapeSequenceFlag: false,
        includeHidden: false,
        config: app.config.documentation,
        text,
        ansiColor: false,
      });
      // stricli's text begins with a heading and the usage lines, up to an empty line.
      const usage = all.split("\n\n")[0]?.split("\n").slice(1).map((line) => line.trim()) ?? [];
      this.process.stdout.write(helpText(result.target, usage));
    },
  },
};

/** The version in places that `main.ts` does not answer, such as `luo --version --help`. */
export const version: StricliIntegration<Context> = {
  flag: {
    brief: "Print the version",
    aliases: ["v"],
    global: false,
    run() {
      this.process.stdout.write(`${VERSION}\n`);
    },
  },
};
