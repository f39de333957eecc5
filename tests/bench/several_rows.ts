/** Several files with digests, preserved by several commands at once: luo beside cat and openssl. */
import { ofPipeline } from "./processor_time.ts";
import { ratios, type Row, times } from "./report.ts";

const BINARY = new URL("../../dist/luo", import.meta.url).pathname;
const TOKENS = [1, 2, 3, 4];
const PAIRS = 5;
/** With four starts of luo. */
const MOST = 1.25;
const COPY = "/dev/shm/luo-bench-several";

/** @param part the path of a file in the page cache @param scratch a directory for the agent's socket */
export async function severalRows(part: string, scratch: string): Promise<Row[]> {
  const luo = (words: string) => `${BINARY} ${words} --backend model --socket ${scratch}/s`;
  const preserve = () => {
    ofPipeline(luo("session create s"));
    const time = atOnce((token) => luo(`file preserve s --from ${part} --token ${token} --digest`));
    ofPipeline(luo("session close s --force"));
    return time;
  };
  const others = () => {
    const copying = atOnce((token) => `cat ${part} >${COPY}-${token}`);
    for (const token of TOKENS) Deno.removeSync(`${COPY}-${token}`);
    return copying + atOnce(() => `openssl dgst -sha256 ${part}`);
  };
  try {
    const ratio = await ratios(PAIRS, preserve, others);
    return [{
      what: "4 files at once, with digest",
      against: "cat and openssl dgst",
      target: `at most ${MOST}x`,
      measured: ratio.text(times),
      met: ratio.median <= MOST,
      why: "four starts of luo, each of which loads the code of digests, take a seventh of the time.",
    }];
  } finally {
    ofPipeline(luo("machine stop --force"));
  }
}

/** The processor time of commands that run at the same time, all together. */
function atOnce(command: (token: number) => string): number {
  return ofPipeline(`{ ${TOKENS.map((token) => `${command(token)} &`).join(" ")} wait; }`);
}
