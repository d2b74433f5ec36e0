// atob, btoa, TextEncoder, TextDecoder, StringDecoder.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message);
    }
};
T(() => atob('aGk='));
T(() => btoa('hi'));
T(() => {
    try {
        atob('a');
    } catch (e) {
        return e.name + e.code;
    }
});
T(() => btoa('\u0100') === 1);
T(() => new TextEncoder().encode('hé€😀'));
T(() => new TextEncoder().encodeInto('hé€', new Uint8Array(4)));
T(() => new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65, 0xc3])));
T(() => new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])).length);
T(() => new TextDecoder('latin1').encoding);
T(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])));
T(() => {
    const d = new TextDecoder();
    return (
        d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) +
        d.decode(new Uint8Array([0xac]), { stream: true }) +
        d.decode()
    );
});
T(() => new TextDecoder('nope'));
T(() => new TextDecoder('utf-16le').decode(new Uint8Array([65, 0, 66, 0])));
const { StringDecoder } = require('string_decoder');
T(() => {
    const d = new StringDecoder('utf8');
    return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end()];
});
