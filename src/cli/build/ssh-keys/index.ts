export { type AgentKey, readPrivateKey } from "./private-key.ts";
export { serveAgent } from "./serve-agent.ts";
