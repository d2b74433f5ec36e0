// FormData, and how it is sent: multipart/form-data (RFC 7578).
'use strict';

const { Blob, File } = require('internal/blob');
const { utf8 } = require('internal/encoding');

function entry(value, filename) {
    if (!(value instanceof Blob)) return String(value).toWellFormed();
    if (value instanceof File && filename === undefined) return value;
    return new File([value], filename ?? 'blob', { type: value.type });
}

class FormData {
    #list = [];

    append(name, value, filename) {
        this.#list.push([String(name), entry(value, filename)]);
    }
    delete(name) {
        this.#list = this.#list.filter(([key]) => key !== String(name));
    }
    get(name) {
        return this.#list.find(([key]) => key === String(name))?.[1] ?? null;
    }
    getAll(name) {
        return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value);
    }
    has(name) {
        return this.#list.some(([key]) => key === String(name));
    }

    set(name, value, filename) {
        const made = [String(name), entry(value, filename)];
        const at = this.#list.findIndex(([key]) => key === made[0]);
        this.#list = this.#list.filter(([key], i) => key !== made[0] || i === at);
        if (at === -1) this.#list.push(made);
        else this.#list[at] = made;
    }

    forEach(callback, self) {
        for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
        yield* this.#list.map((pair) => [...pair]);
    }
    *keys() {
        for (const [name] of this.#list) yield name;
    }
    *values() {
        for (const [, value] of this.#list) yield value;
    }
    [Symbol.iterator]() {
        return this.entries();
    }
}
Object.defineProperty(FormData.prototype, Symbol.toStringTag, { value: 'FormData', configurable: true });

/** [bytes, media type]. */
async function encodeForm(form) {
    const boundary = `----formdata-${globalThis.crypto.randomUUID()}`;
    const name = (text) => text.replace(/\r?\n|\r/g, '%0D%0A').replaceAll('"', '%22');
    const parts = [];
    for (const [key, value] of form) {
        let head = `--${boundary}\r\nContent-Disposition: form-data; name="${name(key)}"`;
        if (typeof value === 'string') {
            parts.push(utf8(`${head}\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`));
            continue;
        }
        head += `; filename="${name(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}`;
        parts.push(utf8(`${head}\r\n\r\n`), await value.bytes(), utf8('\r\n'));
    }
    parts.push(utf8(`--${boundary}--\r\n`));
    return [Buffer.concat(parts), `multipart/form-data; boundary=${boundary}`];
}

/** A form from a body of either kind. */
function decodeForm(bytes, type) {
    const form = new FormData();
    if (/^application\/x-www-form-urlencoded/i.test(type)) {
        for (const [key, value] of new URLSearchParams(Buffer.from(bytes).toString()))
            form.append(key, value);
        return form;
    }
    const boundary = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^;]+))/i.exec(type);
    if (boundary === null) throw new TypeError('Failed to parse body as FormData.');
    const mark = `--${(boundary[1] ?? boundary[2]).trim()}`;
    // One character for each byte.
    const text = Buffer.from(bytes).toString('latin1');
    for (const part of text.split(`${mark}`).slice(1, -1)) {
        const end = part.indexOf('\r\n\r\n');
        const head = Buffer.from(part.slice(2, end), 'latin1').toString();
        const body = Buffer.from(part.slice(end + 4, -2), 'latin1');
        const found = /name="([^"]*)"/.exec(head);
        if (end === -1 || found === null) throw new TypeError('Failed to parse body as FormData.');
        const filename = /filename="([^"]*)"/.exec(head);
        const plain = (escaped) => escaped.replaceAll('%22', '"').replaceAll('%0D%0A', '\r\n');
        if (filename === null) form.append(plain(found[1]), body.toString());
        else {
            const media = /^content-type:\s*(.*)$/im.exec(head)?.[1].trim() ?? 'text/plain';
            form.append(plain(found[1]), new File([body], plain(filename[1]), { type: media }));
        }
    }
    return form;
}

module.exports = { FormData, decodeForm, encodeForm };
