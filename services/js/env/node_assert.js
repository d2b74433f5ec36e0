// assert.
'use strict';

const { inspect } = require('internal/inspect');
const { isDeepEqual, isDeepStrictEqual } = require('internal/equal');
const { coded, expectFunction, invalidArgument } = require('internal/errors');

const HEADS = {
    strictEqual: 'Expected values to be strictly equal:',
    deepStrictEqual: 'Expected values to be strictly deep-equal:',
    deepEqual: 'Expected values to be loosely deep-equal:',
    notStrictEqual: 'Expected "actual" to be strictly unequal to:',
    notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
    notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};

function show(value) {
    return inspect(value, {
        compact: false,
        customInspect: false,
        depth: 1000,
        maxArrayLength: Infinity,
        showProxy: false,
        sorted: true,
        getters: true,
    });
}

// The longest common subsequence of lines, as lines with a sign before them.
function difference(actual, expected) {
    const [left, right] = [actual.split('\n'), expected.split('\n')];
    const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
    for (let i = left.length - 1; i >= 0; i--) {
        for (let j = right.length - 1; j >= 0; j--) {
            lengths[i][j] =
                left[i] === right[j]
                    ? lengths[i + 1][j + 1] + 1
                    : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
        }
    }
    const lines = [];
    let [i, j] = [0, 0];
    while (i < left.length || j < right.length) {
        if (i < left.length && j < right.length && left[i] === right[j]) {
            lines.push(`  ${left[i++]}`);
            j++;
        } else if (i < left.length && (j === right.length || lengths[i + 1][j] >= lengths[i][j + 1])) {
            lines.push(`+ ${left[i++]}`);
        } else {
            lines.push(`- ${right[j++]}`);
        }
    }
    return lines.join('\n');
}

function messageFor(operator, actual, expected) {
    const [left, right] = [show(actual), show(expected)];
    const head = HEADS[operator];
    if (operator === 'deepEqual') return `${head}\n\n${left}\n\nshould loosely deep-equal\n\n${right}`;
    if (operator.startsWith('not')) {
        return left.includes('\n') ? `${head}\n\n${left}\n` : `${head} ${left}`;
    }
    const isShort = !left.includes('\n') && !right.includes('\n');
    if (left === right) return `Values have same structure but are not reference-equal:\n\n${left}\n`;
    const isObject = typeof actual === 'object' && actual !== null;
    if (operator === 'strictEqual' && isObject && typeof expected === 'object' && expected !== null) {
        return `Expected "actual" to be reference-equal to "expected":\n+ actual - expected\n\n${difference(left, right)}`;
    }
    if (isShort && left.length + right.length <= 80 && !/^[[{]/.test(left))
        return `${head}\n\n${left} !== ${right}\n`;
    return `${head}\n+ actual - expected\n\n${difference(left, right)}`;
}

class AssertionError extends Error {
    constructor(options) {
        if (options === null || typeof options !== 'object')
            throw invalidArgument('options', 'of type object', options);
        const { message, operator, actual, expected, stackStartFn } = options;
        super(
            message === undefined || message === null
                ? messageFor(operator, actual, expected)
                : String(message),
        );
        this.generatedMessage = message === undefined || message === null;
        this.code = 'ERR_ASSERTION';
        this.actual = actual;
        this.expected = expected;
        this.operator = operator;
        if (Error.captureStackTrace) Error.captureStackTrace(this, stackStartFn ?? AssertionError);
        const frames = String(this.stack ?? '')
            .split('\n')
            .filter((line) => /^\s+at /.test(line))
            .join('\n');
        const stack = `AssertionError [ERR_ASSERTION]: ${this.message}\n${frames}`.trimEnd();
        Object.defineProperty(this, 'stack', { value: stack, writable: true, configurable: true });
    }

    toString() {
        return `${this.name} [${this.code}]: ${this.message}`;
    }
}
Object.defineProperty(AssertionError.prototype, 'name', {
    value: 'AssertionError',
    writable: true,
    configurable: true,
});

// `message` is the caller's; `own` is what to say if there is none.
function fail(message, operator, actual, expected, stackStartFn, own) {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? own, operator, actual, expected, stackStartFn });
    error.generatedMessage = message === undefined;
    throw error;
}

function assert(...values) {
    ok(...values);
}

function ok(...values) {
    if (values[0]) return;
    let [actual, message] = values;
    const isGenerated = message === undefined;
    if (values.length === 0) message = 'No value argument passed to `assert.ok()`';
    message ??= 'The expression evaluated to a falsy value:\n\n  ' + `assert(${inspect(actual)})\n`;
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message, operator: '==', actual, expected: true, stackStartFn: ok });
    error.generatedMessage = isGenerated;
    throw error;
}

function comparison(operator, test) {
    return {
        [operator](actual, expected, message) {
            if (arguments.length < 2) {
                throw coded(
                    TypeError,
                    'ERR_MISSING_ARGS',
                    'The "actual" and "expected" arguments must be specified',
                );
            }
            if (!test(actual, expected)) fail(message, operator, actual, expected, assert[operator]);
        },
    }[operator];
}

const same = (left, right) => left == right || (left !== left && right !== right);
const comparisons = {
    strictEqual: Object.is,
    notStrictEqual: (left, right) => !Object.is(left, right),
    deepStrictEqual: isDeepStrictEqual,
    notDeepStrictEqual: (left, right) => !isDeepStrictEqual(left, right),
    deepEqual: isDeepEqual,
    notDeepEqual: (left, right) => !isDeepEqual(left, right),
};
for (const operator of Object.keys(comparisons))
    assert[operator] = comparison(operator, comparisons[operator]);

// What of an error is expected: a class, a pattern, a function that checks, or properties.
function checkError(error, expected, message, operator) {
    if (expected === undefined) return;
    const refuse = (text) => fail(message, operator, error, expected, assert[operator], text);
    if (expected instanceof RegExp) {
        if (!expected.test(String(error))) {
            refuse(
                `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(error))}\n`,
            );
        }
        return;
    }
    if (typeof expected === 'function') {
        if (expected.prototype !== undefined && error instanceof expected) return;
        if (Error.isPrototypeOf(expected) || expected === Error) {
            refuse(
                `The error is expected to be an instance of "${expected.name}". Received "${error?.name ?? inspect(error)}"${error?.message ? `\n\nError message:\n\n${error.message}` : ''}`,
            );
        }
        const result = expected.call({}, error);
        if (result !== true) {
            refuse(
                `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(result)}`,
            );
        }
        return;
    }
    if (typeof expected !== 'object' || expected === null) {
        throw invalidArgument(
            'expected',
            'of type function or an instance of Error, RegExp, or Object',
            expected,
        );
    }
    const keys = Object.keys(expected);
    if (expected instanceof Error) keys.push('name', 'message');
    for (const key of keys) {
        const value = expected[key];
        const isFine =
            value instanceof RegExp && typeof error[key] === 'string'
                ? value.test(error[key])
                : key in error && isDeepStrictEqual(error[key], value);
        if (!isFine) {
            const pick = (object) =>
                Object.fromEntries(keys.filter((one) => one in object).map((one) => [one, object[one]]));
            refuse(messageFor('deepStrictEqual', pick(error), pick(expected)));
        }
    }
}

function missing(operator, expected, message) {
    const name = expected?.name ? ` (${expected.name})` : '';
    const kind = operator === 'rejects' ? 'rejection' : 'exception';
    const text = `Missing expected ${kind}${name}${message ? `: ${message}` : '.'}`;
    fail(text, operator, undefined, expected, assert[operator]);
}

function unwanted(operator, error, expected, message) {
    const kind = operator === 'doesNotReject' ? 'rejection' : 'exception';
    const text = `Got unwanted ${kind}${message ? `: ${message}` : '.'}\nActual message: "${error?.message}"`;
    fail(text, operator, error, expected, assert[operator]);
}

async function outcome(promise) {
    const value = typeof promise === 'function' ? promise() : promise;
    if (typeof value?.then !== 'function')
        throw invalidArgument('promiseFn', 'of type function or an instance of Promise', value);
    try {
        await value;
    } catch (error) {
        return { error };
    }
    return undefined;
}

function expectation(expected, message) {
    return typeof expected === 'string' ? [undefined, expected] : [expected, message];
}

Object.assign(assert, {
    AssertionError,
    ok,
    equal(actual, expected, message) {
        if (!same(actual, expected)) {
            fail(message, '==', actual, expected, assert.equal, `${inspect(actual)} == ${inspect(expected)}`);
        }
    },
    notEqual(actual, expected, message) {
        if (same(actual, expected)) {
            fail(
                message,
                '!=',
                actual,
                expected,
                assert.notEqual,
                `${inspect(actual)} != ${inspect(expected)}`,
            );
        }
    },
    fail(message) {
        fail(message, 'fail', undefined, undefined, assert.fail, 'Failed');
    },
    throws(call, expected, message) {
        expectFunction('fn', call);
        [expected, message] = expectation(expected, message);
        let thrown;
        try {
            call();
        } catch (error) {
            thrown = { error };
        }
        if (thrown === undefined) missing('throws', expected, message);
        else checkError(thrown.error, expected, message, 'throws');
    },
    doesNotThrow(call, expected, message) {
        expectFunction('fn', call);
        [expected, message] = expectation(expected, message);
        try {
            call();
        } catch (error) {
            unwanted('doesNotThrow', error, expected, message);
        }
    },
    async rejects(promise, expected, message) {
        [expected, message] = expectation(expected, message);
        const found = await outcome(promise);
        if (found === undefined) missing('rejects', expected, message);
        else checkError(found.error, expected, message, 'rejects');
    },
    async doesNotReject(promise, expected, message) {
        [expected, message] = expectation(expected, message);
        const found = await outcome(promise);
        if (found !== undefined) unwanted('doesNotReject', found.error, expected, message);
    },
    ifError(value) {
        if (value === null || value === undefined) return;
        const text = value instanceof Error ? value.message : inspect(value);
        fail(`ifError got unwanted exception: ${text}`, 'ifError', value, null, assert.ifError);
    },
    match(text, pattern, message) {
        if (typeof text !== 'string' || !pattern.test(text)) {
            const what = `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
            fail(message, 'match', text, pattern, assert.match, what);
        }
    },
    doesNotMatch(text, pattern, message) {
        if (pattern.test(text)) {
            const what = `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
            fail(message, 'doesNotMatch', text, pattern, assert.doesNotMatch, what);
        }
    },
});

function strict(...values) {
    ok(...values);
}
Object.assign(strict, assert, {
    equal: assert.strictEqual,
    notEqual: assert.notStrictEqual,
    deepEqual: assert.deepStrictEqual,
    notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict = strict;
strict.strict = strict;

module.exports = assert;
