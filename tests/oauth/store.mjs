// What a provider remembers: a map of rows, which the admin door can look through. Rows expire by what they say themselves.

export class Store {
  #rows = new Map();

  adapter = (model) => new Rows(model, this.#rows);

  /** All rows of a model, as [id, row]. */
  of(model) {
    const prefix = `${model}:`;
    return [...this.#rows].filter(([key]) => key.startsWith(prefix)).map(([key, row]) => [key.slice(prefix.length), row]);
  }

  /** Ends a grant and every token and code that came of it. */
  revoke(grantId) {
    for (const [key, row] of this.#rows) if (row.grantId === grantId || key === `Grant:${grantId}`) this.#rows.delete(key);
  }

  clear() {
    this.#rows.clear();
  }
}

class Rows {
  #model;
  #rows;

  constructor(model, rows) {
    this.#model = model;
    this.#rows = rows;
  }

  async upsert(id, row) {
    this.#rows.set(this.#key(id), row);
  }

  async find(id) {
    return this.#rows.get(this.#key(id));
  }

  async findByUid(uid) {
    return this.#first((row) => row.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.#first((row) => row.userCode === userCode);
  }

  async consume(id) {
    (await this.find(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.#rows.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, row] of this.#rows) if (key.startsWith(`${this.#model}:`) && row.grantId === grantId) this.#rows.delete(key);
  }

  #first(wanted) {
    for (const [key, row] of this.#rows) if (key.startsWith(`${this.#model}:`) && wanted(row)) return row;
    return undefined;
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }
}
