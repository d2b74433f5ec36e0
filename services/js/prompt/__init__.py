"""The JavaScript prompt: `ovum run --js`, and `js` in the machine."""

from __future__ import annotations

import os


def run_prompt() -> int:
    """Runs the prompt on this process's terminal; the exit status.

    Its history is kept in the file that `OVUM_JS_HISTORY` names, `~/.js_history` by default.
    """
    from ovum.services.js.context import Context
    from ovum.services.js.prompt.history import History
    from ovum.services.js.prompt.session import Session

    path = os.environ.get("OVUM_JS_HISTORY", os.path.expanduser("~/.js_history"))
    return Session(lambda: Context(environment=None), History(path or None)).run()
