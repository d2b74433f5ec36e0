"""Modules from the file system, and which file a name means."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.services import js
from ovum.services.js.lexer import exported_names
from ovum.services.js.resolve import NotFound, Resolver

Files = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Makes files by their names, with `/` for folders; a dict becomes JSON."""

    def write(texts: dict[str, object]) -> Path:
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if isinstance(text, str) else json.dumps(text))
        return tmp_path.resolve()

    return write


def run(path: Path) -> list[object]:
    """Runs a program; what it has passed to `log`."""
    seen: list[object] = []
    with js.Context() as context:
        context.set_global("log", lambda *values: seen.extend(values))
        context.add_builtin("shelf", lambda context: {"put": lambda x: x, "size": 3})
        context.modules.run_main(str(path))
        context.run()
    return seen


def test_es_modules(files: Files) -> None:
    here = files({
        "main.mjs": """
            import data from "./data.json" with {type: "json"};
            import first, {second as other} from "./lib/one.mjs";
            import * as all from "./lib/one.mjs";
            import shelf, {size} from "shelf";
            import {put} from "node:shelf";
            log(data.list[1], first, other(), Object.keys(all).join(), shelf.put(size), put(4));
            log(import.meta.filename, import.meta.dirname, import.meta.url);
            log(import.meta.resolve("./lib/two.mjs"));
            const late = await import("./lib/two.mjs?query");
            log(late.default);
            await new Promise((done) => setTimeout(done, 1));
            log((await import("./lib/one.mjs")) === all);
        """,
        "data.json": {"list": [1, 2]},
        "lib/one.mjs": "export default 1; export function second() { return up() }\n"
                       "import {up} from './two.mjs'",
        "lib/two.mjs": "export let up = () => 'up'; export default import.meta.url;",
    })  # fmt: skip
    assert run(here / "main.mjs") == [
        *(2, 1, "up", "default,second", 3, 4, f"{here}/main.mjs", str(here)),
        *(f"file://{here}/main.mjs", f"file://{here}/lib/two.mjs"),
        *(f"file://{here}/lib/two.mjs", True),
    ]


def test_commonjs(files: Files) -> None:
    here = files({
        "main.js": """#!/usr/bin/env node
            const path = require("./a"), shelf = require("node:shelf");
            log(path.name, path.b.done, path.b.early, shelf === require("shelf"), __dirname);
            log(require.main === module, module.children.length, require.resolve("./a"));
            log(require("./data").x, require("./folder").where, this === exports);
            delete require.cache[require.resolve("./a")];
            log(require("./a") === path, typeof require("./empty"));
            import("./a.js").then((a) => log(a.name, a.default.name));
            try { require("./nowhere") } catch (error) { log(error.code) }
            try { require("./broken") } catch (error) { log(error.name, error.stack) }
            return;
        """,
        "a.js": "exports.early = true; exports.name = __filename; exports.b = require('./b.js')",
        "b.js": "exports.early = require('./a').early; exports.done = !('b' in require('./a'))",
        "data.json": {"x": 7},
        "empty.js": "",
        "broken.js": "let x\nlet 1x",
        "folder/package.json": {"main": "./lib"},
        "folder/lib/index.js": "exports.where = 'lib'",
    })  # fmt: skip
    seen = run(here / "main.js")
    broken = seen.pop(15)
    assert f"{here}/broken.js:2:" in str(broken)
    assert seen == [
        *(f"{here}/a.js", True, True, True, str(here), True, 1, f"{here}/a.js", 7, "lib", True),
        *(False, "object", "MODULE_NOT_FOUND", "SyntaxError", f"{here}/a.js", f"{here}/a.js"),
    ]


def test_commonjs_and_es_modules_together(files: Files) -> None:
    here = files({
        "package.json": {"type": "module"},
        "main.js": """
            import legacy, {named, deep} from "./legacy.cjs";
            import {createRequire} from "module";
            log(legacy.named, named, deep(), legacy.unseen);
            log(createRequire(import.meta.url)("./legacy.cjs") === legacy);
            try { createRequire(import.meta.filename)("./main.js") } catch (e) { log(e.code) }
        """,
        "legacy.cjs": "module.exports = {named: 'n', deep, [`un${'seen'}`]: 1};\n"
                      "function deep() { return module.id }",
    })  # fmt: skip
    seen = run(here / "main.js")
    assert seen == ["n", "n", f"{here}/legacy.cjs", 1, True, "ERR_REQUIRE_ESM"]


def test_a_file_without_a_type_is_what_its_syntax_says(files: Files) -> None:
    here = files({
        "module.js": "import {x} from './x.js'; log(x, await 2)",
        "x.js": "export const x = 1",
        "common.js": "with ({import: 1}) log(typeof module, 'export')",
    })  # fmt: skip
    assert run(here / "module.js") == [1, 2]
    assert run(here / "common.js") == ["object", "export"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import './nowhere.js'", "Cannot find module './nowhere.js' imported from"),
        ("import 'nobody'", "Cannot find package 'nobody' imported from"),
        ("import 'node:nobody'", "No such built-in module: node:nobody"),
        ("import {y} from './x.mjs'", "y"),
        ("import './fails.mjs'", "mine"),
        ("import './bad.json' with {type: 'json'}", "bad.json"),
    ],
)
def test_imports_that_fail(files: Files, source: str, message: str) -> None:
    here = files({
        "main.mjs": source, "x.mjs": "export let x", "fails.mjs": "throw new Error('mine')",
        "bad.json": "{",
    })  # fmt: skip
    with pytest.raises(js.JSError, match=message):
        run(here / "main.mjs")


PACKAGES = {
    "node_modules/plain/index.js": "",
    "node_modules/plain/sub.js": "",
    "node_modules/with-main/package.json": {"main": "lib/main"},
    "node_modules/with-main/lib/main.js": "",
    "node_modules/@scope/inner/package.json": {
        "exports": {
            ".": {"import": "./esm.mjs", "require": "./cjs.cjs"},
            "./feature": {"node": {"import": "./f.mjs"}, "default": "./f.js"},
            "./parts/*": "./parts/*.js",
            "./parts/secret/*": None,
            "./parts/*.json": "./data/*.json",
        }
    },
    **{
        f"node_modules/@scope/inner/{name}": ""
        for name in (
            "esm.mjs",
            "cjs.cjs",
            "f.mjs",
            "f.js",
            "parts/a.js",
            "data/a.json",
            "parts/secret/b.js",
        )
    },
    "package.json": {
        "name": "own",
        "exports": "./main.js",
        "imports": {"#dep": "./src/dep.js", "#out": "plain"},
    },
    "main.js": "",
    "src/dep.js": "",
    "src/deep/x.js": "",
    "src/node_modules/plain/index.js": "",
}


@pytest.mark.parametrize(
    ("name", "folder", "imported", "found"),
    [
        ("plain", "src", False, "src/node_modules/plain/index.js"),
        ("plain", ".", True, "node_modules/plain/index.js"),
        ("plain/sub", ".", False, "node_modules/plain/sub.js"),
        ("plain/sub", ".", True, None),
        ("plain/sub.js", ".", True, "node_modules/plain/sub.js"),
        ("with-main", "src/deep", False, "node_modules/with-main/lib/main.js"),
        ("@scope/inner", ".", True, "node_modules/@scope/inner/esm.mjs"),
        ("@scope/inner", ".", False, "node_modules/@scope/inner/cjs.cjs"),
        ("@scope/inner/feature", ".", True, "node_modules/@scope/inner/f.mjs"),
        ("@scope/inner/feature", ".", False, "node_modules/@scope/inner/f.js"),
        ("@scope/inner/parts/a", ".", True, "node_modules/@scope/inner/parts/a.js"),
        ("@scope/inner/parts/a.json", ".", True, "node_modules/@scope/inner/data/a.json"),
        ("@scope/inner/parts/secret/b", ".", True, "ERR_PACKAGE_PATH_NOT_EXPORTED"),
        ("@scope/inner/esm.mjs", ".", True, "ERR_PACKAGE_PATH_NOT_EXPORTED"),
        ("own", "src", True, "main.js"),
        ("#dep", "src/deep", True, "src/dep.js"),
        ("#out", "src/deep", False, "src/node_modules/plain/index.js"),
        ("#none", "src", True, "ERR_PACKAGE_IMPORT_NOT_DEFINED"),
        ("./dep", "src", False, "src/dep.js"),
        ("./dep", "src", True, None),
        ("../main.js", "src", True, "main.js"),
        ("..", "src/deep", False, None),
    ],
)
def test_names(files: Files, name: str, folder: str, imported: bool, found: str | None) -> None:
    here = files(PACKAGES)

    def find() -> str:
        return Resolver().find(name, str((here / folder).resolve()), imported=imported)

    if found is None or found.startswith("ERR_"):
        with pytest.raises(NotFound) as caught:
            find()
        missing = "ERR_MODULE_NOT_FOUND" if imported else "MODULE_NOT_FOUND"
        assert caught.value.code == (found or missing)
    elif name == "#out":
        # A target that is a package is looked for from the package itself.
        assert find() == str(here / "node_modules/plain/index.js")
    else:
        assert find() == str(here / found)


def test_names_of_commonjs_exports(files: Files) -> None:
    here = files({
        "all.js": """
            exports.a = 1; module.exports.b = 2; exports["c-d"] = 3; exports.e == 4; // exports.n=1
            Object.defineProperty(exports, "f", {value: 6});
            /* exports.not = 1 */ other.exports.not = 1; myexports.not = 1;
            module.exports = {g, h: x.y, 'i': 1 + 1, j: 2};
            __exportStar(require("./more"), exports);
        """,
        "more.js": "exports.more = require('nowhere')",
    })  # fmt: skip
    names = exported_names(str(here / "all.js"), Resolver())
    assert names == ["a", "b", "c-d", "f", "g", "h", "i", "more"]
