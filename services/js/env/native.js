// What only the engine knows of a value.
'use strict';

const { look } = binding('native');

const NOTHING = 0;
const PROXY = 1;
const REVOKED = 2;
const STATES = { 3: 'pending', 4: 'fulfilled', 5: 'rejected' };
const found = [];

/** [state, result] of a promise, else undefined. */
function promiseDetails(value) {
    const kind = look(value, found);
    const state = STATES[kind];
    return state === undefined ? undefined : [state, ...found.splice(0)];
}

/** [target, handler] of a proxy, null if it is revoked, undefined for what is none. */
function proxyDetails(value) {
    const kind = look(value, found);
    if (kind === NOTHING) return undefined;
    const details = found.splice(0);
    if (kind === PROXY) return details;
    return kind === REVOKED ? null : undefined;
}

module.exports = { promiseDetails, proxyDetails };
