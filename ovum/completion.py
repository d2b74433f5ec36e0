"""`ovum completion`: what a shell needs to complete ovum's words; made of the parsers."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final

HELP: Final = """\
usage: ovum completion bash|zsh|fish

Prints what has the shell complete ovum's commands and options.

examples:
  source <(ovum completion bash)                                   in ~/.bashrc
  source <(ovum completion zsh)                                    in ~/.zshrc, after compinit
  ovum completion fish > ~/.config/fish/completions/ovum.fish
"""

_BASH: Final = """\
_ovum() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands}"
    else
        case ${{COMP_WORDS[1]}} in
{cases}
        esac
    fi
    if [ "$COMP_CWORD" -eq 1 ] || [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    fi
}}
complete -o default -o bashdefault -F _ovum ovum
"""

_ZSH: Final = """\
_ovum() {{
    local -a options
    if (( CURRENT == 2 )); then
        compadd -- {commands}
        return
    fi
    case ${{words[2]}} in
{cases}
    esac
    if [[ ${{words[CURRENT]}} == -* ]]; then
        compadd -- $options
    else
        _files
    fi
}}
compdef _ovum ovum
"""


def options_by_command() -> Mapping[str, Mapping[str, str]]:
    """Each command's options with their help."""
    from ovum.options import build_parser, run_parser
    from ovum.pack.options import pack_parser

    return {
        "run": _options(run_parser()),
        "build": _options(build_parser()),
        "pack": _options(pack_parser()),
        "new": {},
        "doctor": {},
        "completion": {},
    }


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {
        option: action.help or ""
        for action in parser._actions
        for option in action.option_strings
        if action.help is not argparse.SUPPRESS
    }


def script(shell: str) -> str:
    """What a shell of this name is to run. Raises KeyError for one that is not known."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](options_by_command())


def _bash(commands: Mapping[str, Mapping[str, str]]) -> str:
    cases = "\n".join(
        f'            {name}) words="{" ".join(options)}" ;;' for name, options in commands.items()
    )
    return _BASH.format(commands=" ".join(commands), cases=cases)


def _zsh(commands: Mapping[str, Mapping[str, str]]) -> str:
    cases = "\n".join(
        f"        {name}) options=({' '.join(options)}) ;;" for name, options in commands.items()
    )
    return _ZSH.format(commands=" ".join(commands), cases=cases)


def _fish(commands: Mapping[str, Mapping[str, str]]) -> str:
    lines = [f"complete -c ovum -n __fish_use_subcommand -f -a '{' '.join(commands)}'"]
    for name, options in commands.items():
        for option, text in options.items():
            kind = "-l" if option.startswith("--") else "-s"
            about = text.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(
                f"complete -c ovum -n '__fish_seen_subcommand_from {name}' "
                f"{kind} {option.lstrip('-')} -d '{about}'"
            )
    return "\n".join(lines) + "\n"


def main(words: Sequence[str]) -> int:
    """Runs the command. Raises UsageError."""
    from ovum.options import UsageError

    if words and words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if len(words) != 1 or words[0] not in ("bash", "zsh", "fish"):
        raise UsageError("ovum completion wants bash, zsh or fish")
    sys.stdout.write(script(words[0]))
    return 0
