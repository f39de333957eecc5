import config from "../deno.json" with { type: "json" };

/** As in deno.json. */
export const VERSION: string = config.version;
