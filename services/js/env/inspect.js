// util.inspect: any value as text, laid out as node does. Nothing of the value is run: getters are
// named, proxies looked through; only [util.inspect.custom] is called, where the value asks for it.
'use strict';

const kinds = require('internal/inspect_kinds');
const { describe } = require('internal/inspect_objects');
const { primitive, propertyName, stringWidth } = require('internal/inspect_text');
const { reduce } = require('internal/inspect_layout');
const { constructorName, typeName } = require('internal/inspect_names');

const custom = Symbol.for('nodejs.util.inspect.custom');
// Beyond this many characters in one value only the outermost level is shown.
const BUDGET = 2 ** 27;

const defaultOptions = Object.seal({
    showHidden: false,
    depth: 2,
    colors: false,
    customInspect: true,
    showProxy: false,
    maxArrayLength: 100,
    maxStringLength: 10000,
    breakLength: 80,
    compact: 3,
    sorted: false,
    getters: false,
    numericSeparator: false,
});

const plain = (text) => text;

function coloured(text, style) {
    const { colors, styles } = require('internal/inspect_colors');
    const color = colors[styles[style]];
    return color === undefined ? text : `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
}

/**
 * A value as text.
 *
 * `options` are node's: showHidden, depth, colors, customInspect, showProxy, maxArrayLength,
 * maxStringLength, breakLength, compact, sorted, getters, numericSeparator.
 */
function inspect(value, options, depth, useColors) {
    const context = {
        ...defaultOptions,
        stylize: plain,
        indentation: 0,
        currentDepth: 0,
        seen: [],
        budget: {},
        circular: undefined,
        userOptions: undefined,
    };
    if (depth !== undefined) context.depth = depth;
    if (useColors !== undefined) context.colors = useColors;
    if (typeof options === 'boolean') {
        context.showHidden = options;
    } else if (options) {
        for (const key of Object.keys(options)) {
            if (Object.hasOwn(defaultOptions, key) || key === 'stylize') context[key] = options[key];
            else context.userOptions ??= options;
        }
    }
    if (context.colors) context.stylize = coloured;
    context.maxArrayLength ??= Infinity;
    context.maxStringLength ??= Infinity;
    return formatValue(context, value, 0);
}

function userOptions(context) {
    const options = { stylize: context.stylize };
    for (const key of Object.keys(defaultOptions)) options[key] = context[key];
    return { ...options, ...context.userOptions };
}

const tooDeep = (context, depth) => context.depth !== null && depth > context.depth;

function formatValue(context, value, depth, typed) {
    if (value === null) return context.stylize('null', 'null');
    if (typeof value !== 'object' && typeof value !== 'function') return primitive(value, context);
    const original = value;
    let proxy = kinds.proxyDetails(value);
    if (proxy !== undefined) {
        if (proxy === null) return context.stylize('<Revoked Proxy>', 'special');
        if (context.showProxy) return formatProxy(context, proxy, depth);
        for (; proxy; proxy = kinds.proxyDetails(value)) value = proxy[0];
        if (proxy === null) return context.stylize('<Revoked Proxy>', 'special');
    }
    if (context.customInspect) {
        const method = value[custom];
        const isPrototype = () => value.constructor && value.constructor.prototype === value;
        if (typeof method === 'function' && method !== inspect && !isPrototype()) {
            const left = context.depth === null ? null : context.depth - depth;
            const result = method.call(original, left, userOptions(context), inspect);
            if (result !== original) {
                if (typeof result !== 'string') return formatValue(context, result, depth);
                return result.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
            }
        }
    }
    if (context.seen.includes(value)) {
        context.circular ??= new Map();
        if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
        return context.stylize(`[Circular *${context.circular.get(value)}]`, 'special');
    }
    return formatObject(context, value, depth, typed);
}

function formatProxy(context, [target, handler], depth) {
    if (tooDeep(context, depth)) return context.stylize('Proxy [Array]', 'special');
    context.indentation += 2;
    const output = [formatValue(context, target, depth + 1), formatValue(context, handler, depth + 1)];
    context.indentation -= 2;
    return reduce(context, output, '', ['Proxy [', ']'], true, depth + 1);
}

function toStringTag(context, value) {
    const tag = value[Symbol.toStringTag];
    if (typeof tag !== 'string' || tag === '') return '';
    const isShown = context.showHidden
        ? Object.hasOwn(value, Symbol.toStringTag)
        : Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag);
    return isShown ? '' : tag;
}

function formatObject(context, value, depth, typed) {
    const format = (part, level, inside) => formatValue(context, part, level, inside);
    const inherited = context.showHidden && !tooDeep(context, depth) ? [] : undefined;
    const lister = (of, key, descriptor, original) =>
        formatProperty(context, of, depth, key, false, descriptor, original);
    const constructor = constructorName(context, value, depth, inherited, lister, inspect);
    const tag = toStringTag(context, value);
    const item = (of, key) => formatProperty(context, of, depth + 1, key, true);
    const property = (of, key) => formatProperty(context, of, depth + 1, key, false);
    const hasMore = inherited !== undefined && inherited.length > 0;
    const look = describe(context, value, {
        depth,
        constructor,
        tag,
        hasMore,
        typed,
        format,
        item,
        property,
        tooDeep: tooDeep(context, depth),
    });
    if (look.whole !== undefined) return look.whole;
    if (tooDeep(context, depth)) {
        const name = typeName(value, constructor, tag).slice(0, -1);
        return context.stylize(constructor === null ? name : `[${name}]`, 'special');
    }
    context.seen.push(value);
    context.currentDepth = depth + 1;
    const { indentation } = context;
    const { braces } = look;
    let { base } = look;
    let output;
    try {
        output = look.list(depth + 1);
        for (const key of look.keys) output.push(property(value, key));
        if (hasMore) output.push(...inherited);
    } catch (error) {
        if (!(error instanceof RangeError || error.name === 'InternalError')) throw error;
        if (!/stack/.test(error.message)) throw error;
        context.seen.pop();
        context.indentation = indentation;
        const name = typeName(value, constructor, tag).slice(0, -1);
        const text = 'Inspection interrupted prematurely. Maximum call stack size exceeded.';
        return context.stylize(`[${name}: ${text}]`, 'special');
    }
    const reference = context.circular?.get(value);
    if (reference !== undefined) {
        const mark = context.stylize(`<ref *${reference}>`, 'special');
        if (context.compact === true) braces[0] = `${mark} ${braces[0]}`;
        else base = base === '' ? mark : `${mark} ${base}`;
    }
    context.seen.pop();
    if (context.sorted) {
        const order = context.sorted === true ? undefined : context.sorted;
        if (!look.isArray) output.sort(order);
        else if (look.keys.length > 1) {
            output.push(...output.splice(output.length - look.keys.length).sort(order));
        }
    }
    const text = reduce(context, output, base, braces, look.isArray, depth + 1, value);
    context.budget[context.indentation] = (context.budget[context.indentation] ?? 0) + text.length;
    if (context.budget[context.indentation] > BUDGET) context.depth = -1;
    return text;
}

function formatGetter(context, value, depth, descriptor) {
    const label = descriptor.set !== undefined ? 'Getter/Setter' : 'Getter';
    const special = (text) => context.stylize(text, 'special');
    const { getters } = context;
    const isRun =
        getters === true ||
        (getters === 'get' && descriptor.set === undefined) ||
        (getters === 'set' && descriptor.set !== undefined);
    if (!isRun) return special(`[${label}]`);
    let text;
    try {
        const result = descriptor.get.call(value);
        context.indentation += 2;
        if (typeof result === 'object' && result !== null) {
            text = `${special(`[${label}]`)} ${formatValue(context, result, depth)}`;
        } else {
            text = `${special(`[${label}:`)} ${formatValue(context, result, depth)}${special(']')}`;
        }
        context.indentation -= 2;
    } catch (error) {
        text = `${special(`[${label}:`)} <Inspection threw (${error.message})>${special(']')}`;
    }
    return text;
}

/** A property as `name: value`, or of an array's item (`isItem`) just the value. */
function formatProperty(context, value, depth, key, isItem, descriptor, original = value) {
    descriptor ??= Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: true };
    let text;
    let space = ' ';
    if (descriptor.value !== undefined) {
        const indent = context.compact === true && !isItem ? 3 : 2;
        context.indentation += indent;
        text = formatValue(context, descriptor.value, depth);
        if (indent === 3 && context.breakLength < stringWidth(text)) {
            space = `\n${' '.repeat(context.indentation)}`;
        }
        context.indentation -= indent;
    } else if (descriptor.get !== undefined) {
        text = formatGetter(context, original, depth, descriptor);
    } else if (descriptor.set !== undefined) {
        text = context.stylize('[Setter]', 'special');
    } else {
        text = context.stylize('undefined', 'undefined');
    }
    if (isItem) return text;
    return `${propertyName(key, descriptor.enumerable !== false, context.stylize)}:${space}${text}`;
}

inspect.custom = custom;
for (const name of ['colors', 'styles']) {
    Object.defineProperty(inspect, name, {
        enumerable: true,
        configurable: true,
        get: () => require('internal/inspect_colors')[name],
        set(value) {
            require('internal/inspect_colors')[name] = value;
        },
    });
}
Object.defineProperty(inspect, 'defaultOptions', {
    get: () => defaultOptions,
    set: (options) => Object.assign(defaultOptions, options),
});

module.exports = { inspect };
