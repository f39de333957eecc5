/** Tests of which some fail on a real kernel: kernel_main.ts looks at their results. */
import assert from "node:assert/strict";
import { liveUpdateTest } from "../../../lib/testing.ts";

liveUpdateTest("fails before the kexec", () => assert.fail("in the first half"), () => {});
liveUpdateTest("fails after the kexec", () => {}, () => assert.fail("in the second half"));
liveUpdateTest("passes", () => {}, () => {});
