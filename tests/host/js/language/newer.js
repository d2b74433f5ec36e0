// The language after 2019, by chapters of ECMA-262 (https://tc39.es/ecma262/): each case is the body
// of an async function that returns true where the language has the feature.
//
//# 7.1 type conversion / Symbol.toPrimitive gets a hint
const seen = []; const o = {[Symbol.toPrimitive](hint) { seen.push(hint); return 1 }};
`${o}`; +o; o + ""; return seen.join() === "string,number,default";
//# 12.9.3 numeric literals / separators
return 1_000_000 === 1e6 && 0xff_ff === 65535 && 1_0n === 10n;
//# 12.9.3 numeric literals / separators at the end are refused
try { new Function("1_"); return false } catch (e) { return e instanceof SyntaxError }
//# 12.9.4 string literals / U+2028 may stand in them
return eval("'\u2028'") === "\u2028";
//# 12.5 hashbang comments
return new Function("return 1") && (0, eval)("#!shebang\n2") === 2;
//# 13.2.5 object initializer / __proto__ sets the prototype
const p = {}; return Object.getPrototypeOf({__proto__: p}) === p && !Object.hasOwn({__proto__: p}, "__proto__");
//# 13.3.9 optional chains / members, calls, delete
const a = {b: {c: () => 1}}; let d;
return a?.b?.["c"]?.() === 1 && d?.x.y.z() === undefined && a.x?.() === undefined && delete d?.x;
//# 13.3.9 optional chains / arguments are not evaluated
let n = 0, d; d?.[n++]; d?.(n++); return n === 0;
//# 13.13 nullish coalescing
return (null ?? 1) === 1 && (0 ?? 1) === 0 && ("" ?? 1) === "";
//# 13.13 nullish coalescing / not mixed with || without parentheses
try { new Function("a ?? b || c"); return false } catch (e) { return e instanceof SyntaxError }
//# 13.15 logical assignment
let x = null, y = 1, z = 0, m = 0; x ??= 2; y &&= 3; z ||= 4; y ||= m++; return x + y + z === 9 && m === 0;
//# 13.10 relational operators / #name in object
class A { #x; static has(o) { return #x in o } } return A.has(new A()) && !A.has({});
//# 14.3 destructuring / rest of objects, computed keys, defaults
const k = "b"; const {a, [k]: b = 5, ...rest} = {a: 1, c: 3, d: 4};
return a + b === 6 && JSON.stringify(rest) === '{"c":3,"d":4}';
//# 14.7.5 for await
let sum = 0; for await (const x of [1, Promise.resolve(2)]) sum += x; return sum === 3;
//# 14.15 try without a parameter
try { throw 1 } catch { return true }
//# 15.5 generators / return runs finally
let ran; function* g() { try { yield 1 } finally { ran = true } } for (const _ of g()) break; return ran;
//# 15.6 async generators
async function* g() { yield 1; yield Promise.resolve(2) } const all = []; for await (const x of g()) all.push(x);
return all.join() === "1,2";
//# 15.7 classes / public fields and computed ones
let i = 0; class A { a = ++i; ["b" + 1] = this.a; static s = this.name } const o = new A();
return o.a === 1 && o.b1 === 1 && A.s === "A";
//# 15.7 classes / private methods, accessors, statics
class A { #v = 1; #m() { return this.#v } get #g() { return this.#m() + 1 } set #g(x) { this.#v = x }
    static #s = 5; static all() { const o = new A(); o.#g = 3; return o.#g + A.#s } }
return A.all() === 9;
//# 15.7 classes / private names are checked
class A { #x = 1; static get(o) { return o.#x } } try { A.get({}); return false } catch (e) { return e instanceof TypeError }
//# 15.7 classes / static blocks
class A { static x; static { this.x = 7; } } return A.x === 7;
//# 15.7 classes / accessors have names
class A { get x() { return 1 } } return Object.getOwnPropertyDescriptor(A.prototype, "x").get.name === "get x";
//# 15.7 classes / extends null and new.target
class A { constructor() { this.t = new.target } } class B extends A {} return new B().t === B;
//# 15.8 async functions / await takes three turns off a promise less
const order = []; const p = Promise.resolve();
(async () => { await p; order.push("a") })(); p.then(() => order.push("b")); await p; await p; return order.join() === "a,b";
//# 16.2 modules / import.meta is none of a script's
try { new Function("import.meta"); return false } catch (e) { return e instanceof SyntaxError }
//# 19.2 globals / globalThis
return globalThis === (0, eval)("this") && !Object.keys(globalThis).includes("globalThis");
//# 20.1 Object / fromEntries, hasOwn, groupBy
return Object.fromEntries(new Map([["a", 1]])).a === 1 && Object.hasOwn({a: 1}, "a")
    && Object.groupBy([1, 2, 3], (x) => x % 2 ? "odd" : "even").odd.join() === "1,3";
//# 20.2 Function / toString is the source
function  f ( a,b ) { /* c */ } return f.toString() === "function  f ( a,b ) { /* c */ }";
//# 20.4 Symbol / description
return Symbol("x").description === "x" && Symbol().description === undefined;
//# 20.5 Error / cause
const c = {}; return new Error("m", {cause: c}).cause === c && !("cause" in new Error("m"));
//# 20.5 Error / AggregateError
const e = new AggregateError([1, 2], "m"); return e.errors.length === 2 && e instanceof Error;
//# 20.5 Error / isError
return Error.isError(new TypeError()) && !Error.isError({__proto__: Error.prototype});
//# 21.1 Number / isSafeInteger and parsing
return Number.isSafeInteger(2 ** 53 - 1) && !Number.isSafeInteger(2 ** 53) && Number("0b11") === 3;
//# 21.2 BigInt / arithmetic and asUintN
return 2n ** 64n - 1n === BigInt.asUintN(64, -1n) && -7n / 2n === -3n && 7n % -2n === 1n && 5n << 70n === 5n * 2n ** 70n;
//# 21.2 BigInt / compares with numbers, does not add to them
try { 1n + 1; return false } catch (e) { return 1n == 1 && 2n > 1 && typeof 1n === "bigint" && e instanceof TypeError }
//# 21.3 Math / f16round and clz32
return Math.clz32(1) === 31 && Math.f16round(1.337) === 1.3369140625;
//# 21.3 Math / sumPrecise
return Math.sumPrecise([1e20, 0.1, -1e20]) === 0.1;
//# 21.4 Date / ISO strings of all years
return new Date(Date.UTC(-1, 0)).toISOString() === "-000001-01-01T00:00:00.000Z" && Number.isNaN(Date.parse("2024-13-01"));
//# 22.1 String / matchAll, replaceAll, at, trimStart
return [..."a1b2".matchAll(/\d/g)].length === 2 && "aXbX".replaceAll("X", "-") === "a-b-" && "abc".at(-1) === "c"
    && " x ".trimStart() === "x ";
//# 22.1 String / isWellFormed and toWellFormed
return !"\ud800".isWellFormed() && "\ud800".toWellFormed() === "\ufffd";
//# 22.1 String / normalize and localeCompare
return "\u0041\u030a".normalize("NFC") === "\u00c5" && "a".localeCompare("b") < 0;
//# 22.1 String / case of letters that become several
return "straße".toUpperCase() === "STRASSE" && "İ".toLowerCase().length === 2 && "ΑΣ".toLowerCase() === "ας";
//# 22.2 RegExp / named groups and lookbehind
return /(?<=\$)(?<n>\d+)/.exec("a$42").groups.n === "42" && !/(?<!\$)\b\d/.test("$4");
//# 22.2 RegExp / duplicate names in alternatives
return /(?<y>\d{4})-|-(?<y>\d{4})/.exec("-2024").groups.y === "2024";
//# 22.2 RegExp / s, y, d flags
const m = /a(?<z>b)/d.exec("xab"); return /a.b/s.test("a\nb") && m.indices.groups.z[0] === 2 && /b/y.test("ab") === false;
//# 22.2 RegExp / v flag and properties of strings
return /^[\p{Letter}--[a-z]]$/v.test("É") && !/^[\p{Letter}--[a-z]]$/v.test("e") && /^\p{RGI_Emoji}$/v.test("👍🏽");
//# 22.2 RegExp / Unicode properties and case
return /\p{Script=Greek}/u.test("π") && /^s$/iu.test("ſ") && /\u{1F600}/u.test("😀");
//# 22.2 RegExp / modifiers
return /a(?i:b)c/.test("aBc") && !/a(?i:b)c/.test("aBC");
//# 22.2 RegExp / escape
return RegExp.escape("a.b") === "\\x61\\.b";
//# 23.1 Array / flat, flatMap, at, findLast, with, toSorted, toSpliced, toReversed
const a = [3, [1, [2]]]; return a.flat(2).join() === "3,1,2" && [1, 2].flatMap((x) => [x, x]).length === 4
    && [1, 2].at(-1) === 2 && [1, 2, 3].findLast((x) => x < 3) === 2 && [1, 2].with(0, 5).join() === "5,2"
    && [3, 1].toSorted().join() === "1,3" && [1, 2, 3].toSpliced(0, 2).join() === "3" && [1, 2].toReversed()[0] === 2;
//# 23.1 Array / sort is stable
const a = Array.from({length: 200}, (_, i) => ({k: i % 2, i})); a.sort((x, y) => x.k - y.k);
return a.every((x, i) => i === 0 || a[i - 1].k < x.k || a[i - 1].i < x.i);
//# 23.1 Array / fromAsync
return (await Array.fromAsync((async function* () { yield 1; yield 2 })(), (x) => x * 2)).join() === "2,4";
//# 23.1 Array / copyWithin, fill, includes NaN
return [1, 2, 3].copyWithin(0, 1).join() === "2,3,3" && [NaN].includes(NaN) && [1, 2].fill(0).join() === "0,0";
//# 23.2 TypedArray / at, toSorted, findLast, Float16Array, BigInt64Array
return new Uint8Array([3, 1]).toSorted().join() === "1,3" && new Float16Array([1.1])[0] === 1.099609375
    && new BigInt64Array([-1n])[0] === -1n && new Int8Array([1, 2]).at(-1) === 2;
//# 23.2 TypedArray / base64 and hex
return new Uint8Array([1, 255]).toHex() === "01ff" && Uint8Array.fromBase64("AQI=").join() === "1,2";
//# 24.1 Map / groupBy and order
return Map.groupBy([1, 2, 3], (x) => x % 2).get(1).length === 2 && [...new Map([[2, 0], [1, 0]]).keys()].join() === "2,1";
//# 24.1 Map / getOrInsert
const m = new Map([["a", 1]]); return m.getOrInsert("a", 2) === 1 && m.getOrInsertComputed("b", (k) => k + 1) === "b1";
//# 24.2 Set / union, intersection, difference, isSubsetOf
const a = new Set([1, 2]), b = new Set([2, 3]); return [...a.union(b)].join() === "1,2,3"
    && [...a.intersection(b)].join() === "2" && [...a.difference(b)].join() === "1"
    && [...a.symmetricDifference(b)].join() === "1,3" && new Set([2]).isSubsetOf(a) && a.isDisjointFrom(new Set([9]));
//# 24.3 WeakMap / symbols as keys
const s = Symbol(), w = new WeakMap([[s, 1]]); return w.get(s) === 1;
//# 25.1 ArrayBuffer / resize, transfer
const b = new ArrayBuffer(2, {maxByteLength: 8}); b.resize(4); const c = b.transfer(); return c.byteLength === 4 && b.detached;
//# 25.3 DataView / big integers and half floats
const v = new DataView(new ArrayBuffer(8)); v.setBigInt64(0, -2n); v.setFloat16(0, 1.5); return v.getFloat16(0) === 1.5 && v.getUint8(7) === 254;
//# 25.4 Atomics
const a = new Int32Array(new SharedArrayBuffer(8)); Atomics.add(a, 0, 5); return Atomics.compareExchange(a, 0, 5, 7) === 5 && a[0] === 7;
//# 25.5 JSON / stringify of lone surrogates, parse with source
return JSON.stringify("\ud800") === '"\\ud800"' && JSON.stringify({a: 1n, toJSON() { return 2 }}) === "2";
//# 25.5 JSON / parse gives the source text, rawJSON
return JSON.parse("1.0", (k, v, c) => c.source) === "1.0" && JSON.stringify(JSON.rawJSON("1e1000")) === "1e1000";
//# 26.1 WeakRef and FinalizationRegistry
const o = {}; return new WeakRef(o).deref() === o && new FinalizationRegistry(() => {}) instanceof FinalizationRegistry;
//# 27.1 iterator helpers
return Iterator.from([1, 2, 3, 4]).filter((x) => x % 2).map((x) => x * 10).toArray().join() === "10,30"
    && [5, 6].values().drop(1).take(1).reduce((a, b) => a + b) === 6 && [1].values().flatMap((x) => [x, x]).some((x) => x === 1);
//# 27.1 Iterator.concat
return [...Iterator.concat([1], new Set([2]))].join() === "1,2";
//# 27.1 Iterator.zip
return [...Iterator.zip([[1, 2], [3, 4]])].join("|") === "1,3|2,4";
//# 27.2 Promise / allSettled, any, withResolvers, try
const all = await Promise.allSettled([1, Promise.reject(2)]); const {promise, resolve} = Promise.withResolvers(); resolve(3);
return all[1].reason === 2 && await Promise.any([Promise.reject(1), 2]) === 2 && await promise === 3 && await Promise.try(() => 4) === 4;
//# 27.2 Promise / finally passes the value on
return await Promise.resolve(1).finally(() => 2) === 1;
//# 27.2 Promise / thenables and order
const order = []; const t = {then(r) { order.push("t"); r() }}; const p = Promise.resolve(t).then(() => order.push("done"));
order.push("sync"); await p; return order.join() === "sync,t,done";
//# 27.3 explicit resource management / using
const seen = []; { using a = {[Symbol.dispose]() { seen.push("a") }}; using b = {[Symbol.dispose]() { seen.push("b") }}; seen.push("in") }
return seen.join() === "in,b,a";
//# 27.3 explicit resource management / await using and stacks
const seen = []; { await using a = {async [Symbol.asyncDispose]() { seen.push("a") }} } const s = new DisposableStack();
s.defer(() => seen.push("s")); s.dispose(); return seen.join() === "a,s";
//# 28.1 Reflect and Proxy / invariants
const p = new Proxy(Object.freeze({a: 1}), {get: () => 2}); try { p.a; return false } catch (e) { return Reflect.ownKeys({b: 1, 1: 0}).join() === "1,b" }
//# 28.2 Proxy / revocable, ownKeys, has
const {proxy, revoke} = Proxy.revocable({}, {has: (t, k) => k === "x"}); const had = "x" in proxy; revoke();
try { proxy.x; return false } catch (e) { return had && e instanceof TypeError }
//# B.2 annex B / escape, substr, HTML methods, Date.prototype.getYear
return escape("ä") === "%E4" && "abc".substr(-2, 1) === "b" && "a".bold() === "<b>a</b>" && new Date(2000, 0).getYear() === 100;
//# B.3 annex B / functions in blocks
{ function f() { return 1 } } return f() === 1;
//# Temporal
return Temporal.PlainDate.from("2024-02-29").add({years: 1}).toString() === "2025-02-28";
//# Intl
return new Intl.NumberFormat("de").format(1234.5) === "1.234,5";
//# decorators
return (0, eval)("let n = 0; const d = () => { n++ }; class A { @d m() {} } n") === 1;
