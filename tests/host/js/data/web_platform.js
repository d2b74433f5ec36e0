// Runs the cases of web-platform-tests for URLs: (kind, cases as JSON) -> the failing ones' names.
(function (kind, text) {
    const failures = [];
    const matches = (url, expected) =>
        Object.keys(expected).every((name) => !(name in url) || String(url[name]) === expected[name]);
    const make = (input, base) => {
        try {
            return base === null || base === undefined ? new URL(input) : new URL(input, base);
        } catch (error) {
            if (error.code !== 'ERR_INVALID_URL') throw error;
            return null;
        }
    };
    const check = {
        urltestdata({ input, base, failure, ...expected }) {
            const url = make(input, base);
            return failure ? url === null : url !== null && matches(url, expected);
        },
        setters_tests({ property, href, new_value: value, expected }) {
            const url = new URL(href);
            try {
                url[property] = value;
            } catch (error) {
                if (property !== 'href') throw error;
            }
            return matches(url, expected);
        },
        toascii({ input, output }) {
            return (make(`https://${input}/x`)?.host ?? null) === output;
        },
    };
    const cases = JSON.parse(text);
    for (const one of cases) {
        const name = [
            one.property,
            one.href && one.property ? one.href : one.input,
            one.new_value ?? one.base,
        ];
        if (!check[kind](one)) failures.push(JSON.stringify(name.filter((part) => typeof part === 'string')));
    }
    return [cases.length, failures];
});
