/** How long a command takes that does nothing. */
export const startUp = {
  name: "start-up",
  title: "Start-up: `--version`",
  peers: ["docker", "buildah", "crane", "skopeo"],
  async begin(lab) {
    const words = {
      strake: ["--version"],
      docker: ["--version"],
      buildah: ["--version"],
      crane: ["version"],
      skopeo: ["--version"],
    };
    return { prepare: (tool) => ({ argv: [...lab.tools[tool].command, ...words[tool]] }) };
  },
};
