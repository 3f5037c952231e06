// Who can sign in: anybody with an address. A person is the same as long as nobody says that the address was given to another.
import crypto from 'node:crypto';

export class People {
  #byAddress = new Map();
  #byId = new Map();

  /** The person who has this address now. */
  at(address) {
    const key = address.trim().toLowerCase();
    return this.#byAddress.get(key) ?? this.#add(key, 1, {});
  }

  /** Who signed in by that id, at whatever time. */
  known(id) {
    return this.#byId.get(id);
  }

  /** Gives the address to somebody else: another subject, another object id. */
  replace(address) {
    const before = this.at(address);
    return this.#add(before.address, before.generation + 1, before.claims);
  }

  /** Claims that the provider states of this person from now on, beside or instead of the usual ones. */
  describe(address, claims) {
    this.at(address).claims = claims;
  }

  clear() {
    this.#byAddress.clear();
    this.#byId.clear();
  }

  #add(address, generation, claims) {
    const digest = crypto.createHash('sha256').update(`${address} ${generation}`).digest('hex');
    const person = { address, generation, claims, id: BigInt(`0x${digest.slice(0, 17)}`).toString(), oid: guid(digest) };
    this.#byAddress.set(address, person);
    this.#byId.set(person.id, person);
    return person;
  }
}

function guid(digest) {
  return [digest.slice(0, 8), digest.slice(8, 12), digest.slice(12, 16), digest.slice(16, 20), digest.slice(20, 32)].join('-');
}
