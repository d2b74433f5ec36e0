// Run on Linux and in a guest: both must print the same.
const {version} = require("dep");
const data = require("./data.json");
console.log(version, data.answer, __filename.endsWith("/lib/main.js"), require.main === module);
console.log([..."größer 漢 😀"].length, "x".padStart(3, "ab"), (2n ** 100n).toString(16));
console.log(/(?<year>\d{4})-(?<month>\d\d)/u.exec("am 2024-02-29").groups.month,
    JSON.stringify({a: [1, {b: null}], c: new Date(0)}), [3, 1, 2].toSorted());
console.log(0.1 + 0.2, (1234.5678).toFixed(2), Math.hypot(3, 4), parseInt("ff", 16), 1e21);
queueMicrotask(() => console.log("microtask"));
Promise.reject(new Error("handled")).catch((error) => console.log(error.message));

(async () => {
    const {default: sum, same} = await import("./later.mjs");
    console.log(sum, same);
    await new Promise((done) => setImmediate(done));
    let ticks = 0;
    await new Promise((done) => {
        const every = setInterval(() => {
            if (++ticks === 3) {
                clearInterval(every);
                done();
            }
        }, 2);
    });
    console.log("ticks", ticks);
    function failing() {
        throw new RangeError("the end");
    }
    setTimeout(failing, 1);
})();
