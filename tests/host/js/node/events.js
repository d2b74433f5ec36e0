// EventEmitter.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message);
    }
};
const E = require('events');
const e = new E();
e.on('x', (...a) => console.log('x', a));
e.once('x', () => console.log('once'));
e.prependListener('x', () => console.log('first'));
T(() => e.emit('x', 1, 2));
T(() => e.emit('x'));
T(() => e.emit('y'));
T(() => e.listenerCount('x'));
T(() => e.eventNames());
T(() => e.emit('error', new Error('boom')));
T(() => e.emit('error', 'str'));
T(() => e.on('z', 5));
T(() => e.emit('error', { a: 1 }));
function Old() {
    E.call(this);
}
require('util').inherits(Old, E);
const o = new Old();
o.on('q', function () {
    console.log(this === o);
});
o.emit('q');
class My extends E {}
const my = new My();
my.on('removeListener', (n) => console.log('rm', n));
my.on('newListener', (n) => console.log('new', n));
const L = () => {};
my.on('w', L);
my.off('w', L);
my.removeAllListeners();
T(() => my.eventNames());
