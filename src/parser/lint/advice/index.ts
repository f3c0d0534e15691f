export type { Advice, AdviceLevel, AdviceRule } from "./advice.ts";
export { adviceRules } from "./advice-rules.ts";
export { type AdviceOptions, adviseDockerfile } from "./advise.ts";
