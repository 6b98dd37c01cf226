// What the script says, in English. It stands here and not in the server's HTML: only a check that ran may say it.

export const words = {
  checking: ["Checking on this device …", "Your browser is checking signatures and proofs."],
  checked: ["Checked on this device", "Your browser verified these points itself:"],
  unavailable: ["Could not check here", "Your browser could not load the proof. This says nothing about your pack; try again later."],
  mismatch: ["The proof does not match", "What this server shows is not what the log's signatures and proofs say. Do not rely on this page. Keep the downloaded proof and tell the medicines authority or the log's operator."],
  backwards: ["The log went backwards", "The log that this device saw before is not part of the log shown now. Do not rely on this page; keep the downloaded proof and tell the log's operator. If this is a test system that was set up anew, you can let this device start again."],
  signature: (c) => `Signature of the log over ${c.size} entries: verified.`,
  entries: (n) => `${n} ${n === 1 ? "record" : "records"} about this pack: signed by a registered party and contained in the log.`,
  shown: (n) => `${n} ${n === 1 ? "step" : "steps"} shown on this page: same day, step and party as in the proof.`,
  first: "First visit: this device keeps the log's size and root to compare next time.",
  same: "The log is the one this device saw before.",
  larger: "The log contains everything that this device saw of it before.",
  replaced: "The log's key was replaced since your last visit. The log contains everything that this device saw of it before, and names the new key itself.",
  forget: "Let this device start again",
  reason: "Reason",
  records: "Records: entry, day, step, recorded by, leaf hash",
  root: "Checkpoint",
};
