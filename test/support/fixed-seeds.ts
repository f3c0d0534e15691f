import fc from "fast-check";
import { testSeed } from "./seeded-random.ts";

/*
 * Loaded before every test file. Property tests try the same values in each run, so that what fails was broken by the
 * change at hand; whoever looks for what nobody has thought of gives seeds of his own.
 */
fc.configureGlobal({ seed: testSeed() });
