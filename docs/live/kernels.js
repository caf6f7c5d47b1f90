// Change convolution itself: the plain kernels of conv1d.py, to train with and to check.
"use strict";

live.Kernels = class extends live.Block {
  constructor(node) {
    super(node);
    this.task = "kernels.train";
    this.runButton.dataset.train = "";
    this.runButton.after(live.button("Check this", "check", () => {
      if (["loading", "running"].includes(this.state)) return;
      this.start("check");
    }));
  }

  run() { return this.start("train"); }

  async start(task) {
    this.task = `kernels.${task}`;
    await super.run();
    for (const block of live.blocks) if (block !== this) block.ran = null; // the package was imported again
  }

  reset() {
    super.reset();
    if (live.kernel.worker) live.kernel.ask("kernels.reset", {}).catch(() => {});
    for (const block of live.blocks) block.ran = null;
  }
};
