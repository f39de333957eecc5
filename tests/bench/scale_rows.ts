/** Live updates of many sessions on the model: the time grows with their number, not faster. */
import { ratios, type Row, type Section, times } from "./report.ts";
import { modelRun } from "./scale_main.ts";

const [FEW, MANY] = [1_000, 10_000];
const PAIRS = 3;

export const scale: Section = {
  name: "scale",
  title: "Many sessions on the model",
  about:
    `One live update: sessions with 10 files of 10 pages each are made, handed over by a kexec, retrieved and finished. The time is
    that of the processor in user mode, so that the host's search for memory does not count.`,
  rows: async (): Promise<Row[]> => {
    const user = (sessions: number) => modelRun(sessions).user ?? NaN;
    const ratio = await ratios(PAIRS, () => user(MANY), () => user(FEW));
    return [{
      what: `${MANY.toLocaleString("en")} sessions x 10 files`,
      against: `${FEW.toLocaleString("en")} sessions x 10 files`,
      target: "at most 12x",
      measured: ratio.text(times),
      met: ratio.median <= 12,
      why: "the collection of garbage takes longer with more memory.",
    }];
  },
};
