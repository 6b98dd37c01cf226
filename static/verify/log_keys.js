// Which keys sign a log's checkpoints at which tree size, by the log's own word. Twin of ledger/log_keys.py.

import { equal, hex } from "./bytes.js";
import { keyId } from "./statement.js";

const need = (condition, why) => {
  if (!condition) throw new Error(`key entry: ${why}`);
};

export class LogKeys {
  /** { key, from, until }, oldest first; empty as long as the log has not replaced the key that everybody pins. */
  records = [];

  signing(size) {
    return this.records.filter(({ from, until }) => from <= size && size < until);
  }

  /** Whether the log names `key` as one that signs checkpoints of this size. */
  names(key, size) {
    return this.signing(size).some((record) => equal(record.key, key));
  }

  /** Entry `index` puts `key` in the place of the key `replaces`; without `overlap` it retires every key that signs. */
  follow(index, { key, replaces, overlap }) {
    const records = this.records.length ? this.records : [{ key: replaces, from: 0, until: Infinity }];
    const signing = records.filter(({ until }) => index < until);
    need(equal(signing.at(-1).key, replaces) && !(overlap && signing.length > 1), "replaces what is not the one key of the log");
    need(!records.some((record) => equal(record.key, key)), "names a key that is or was the log's");
    if (!overlap) for (const record of signing) record.until = index + 1;
    this.records = [...records, { key, from: index + 1, until: Infinity }];
  }

  /** Entry `index` retires the older of the two keys that sign. */
  retire(index, kid) {
    const signing = this.signing(index + 1);
    need(signing.length === 2 && hex(keyId(signing[0].key)) === kid, "retires a key that nothing has followed");
    signing[0].until = index + 1;
  }
}
