/** `deno task test:kexecs [LAST [STEP]]`: kexecs in one emulated machine up to boot LAST, with the figures of every STEP-th boot. */
import { manyKexecs } from "./many_kexecs.ts";
import { Lab } from "./run.ts";

const [last = "20001", step = "1000"] = Deno.args;
using lab = new Lab();
for await (const figures of manyKexecs(lab, Number(last), Number(step))) console.log(JSON.stringify(figures));
