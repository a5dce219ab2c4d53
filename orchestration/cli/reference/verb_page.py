"""The page of the command: every verb with its options, exit codes and JSON, from click's objects.

Not from the text of `--help`, which is broken to the width of a terminal.
"""

import inspect
import re
from collections.abc import Iterator

import click

from orchestration.cli.main import main
from orchestration.cli.output import FAILED, REFUSED, STOPPED
from orchestration.cli.reference.markdown import code, one_line, table
from orchestration.cli.reference.values import VALUES, file_name

PROGRAM = "tastemate"
USAGE = click.UsageError.exit_code
_DEFAULT = re.compile(r"\s*\[default: (.*?)\]")
_EXIT = re.compile(r"\bexit (\d) (.+?)(?=[.;]|$)", re.IGNORECASE)
_HEADER = f"""# The command

Every verb of `{PROGRAM}`, made from the code by `make reference`; change it there. \
`{PROGRAM} VERB --help` (or `-h`) says the same in a terminal.

What a verb found goes to stdout, what it is doing and what went wrong to stderr. With `--json`, \
where a verb has it, stdout is one JSON value and nothing else, also where the exit code is \
{FAILED} or {REFUSED} because of what was found; where the verb could not do its work, stdout is \
empty. The JSON Schemas lie in [json/](json/). What all verbs read of the environment stands in \
[settings](settings.md).
"""
_EXIT_CODES = {
    0: "done, and all is as it should be",
    FAILED: "failed: an error, told on stderr; or what a verb looked at is not as it should be, "
    "which it says below",
    USAGE: "the command was not understood: an option, an argument or a value of one",
    REFUSED: "refused by a gate, whose reasons are told on stderr",
    STOPPED: "stopped by Ctrl-C; the same command goes on",
}
# What the help need not say, for nobody waits for these to end by themselves.
_ENDS = {
    "serve": "Ctrl-C or a SIGTERM while it serves ends it with 0.",
    "dev": "Once it has begun it is Dagster's own process, with Dagster's exit codes.",
    "mlflow": "Once it has begun it is MLflow's own server, with MLflow's exit codes.",
}


def verbs(group: click.Group = main, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """List the verbs by name, those of a group as `release ls`, the group itself first."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from verbs(command, f"{before}{name} ")


def as_markdown() -> str:
    """Write the page."""
    codes = ((str(exit_code), when) for exit_code, when in _EXIT_CODES.items())
    parts = [
        _HEADER,
        "## Before the verb\n",
        _parameters(main),
        "\n## Exit codes\n",
        table(["code", "when"], codes),
        "\n## Verbs\n",
        table(["verb", "what"], _listed()),
        *(_verb(name, command) for name, command in verbs()),
    ]
    return "\n".join(parts) + "\n"


def _listed() -> Iterator[tuple[str, str]]:
    """Give each verb, as a link to its section, with the first sentence of its help."""
    for name, command in verbs():
        if not isinstance(command, click.Group):
            first = one_line(command.help or "").split(". ")[0].partition("; exit")[0]
            yield f"[{name}](#{name.replace(' ', '-')})", first.rstrip(".") + "."


def exits(command: click.Command) -> dict[int, list[str]]:
    """Tell when *command* ends with a code of its own, as its help says."""
    by_code: dict[int, list[str]] = {}
    for exit_code, when in _EXIT.findall(one_line(command.help or "")):
        by_code.setdefault(int(exit_code), []).append(when)
    for option in _options(command):
        for exit_code, when in _EXIT.findall(one_line(option.help or "")):
            by_code.setdefault(int(exit_code), []).append(f"with `{option.opts[0]}` {when}")
    return by_code


def has_json(command: click.Command) -> bool:
    """Say whether *command* reports as JSON."""
    return any("--json" in option.opts for option in _options(command))


def _verb(name: str, command: click.Command) -> str:
    pieces = command.collect_usage_pieces(click.Context(command))
    parts = [
        f"\n## {name}\n",
        f"    {PROGRAM} [--home FOLDER] {name} {' '.join(pieces)}\n",
        _help(command),
    ]
    if isinstance(command, click.Group):
        return "\n".join(parts)
    if command.params:
        parts += ["", _parameters(command)]
    parts += ["", f"Exit codes: {_exit_codes(name, command)}"]
    if has_json(command):
        parts.append(f"\nJSON: {_schemas(name)}.")
    return "\n".join(parts)


def _help(command: click.Command) -> str:
    """Give the help's paragraphs, each on a line."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(map(one_line, paragraphs))


def _exit_codes(name: str, command: click.Command) -> str:
    own = exits(command)
    told = ["0 done", ", or ".join([f"{FAILED} failed", *own.get(FAILED, [])]), f"{USAGE} usage"]
    told += [f"{REFUSED} refused, {', or '.join(own[REFUSED])}"] if REFUSED in own else []
    told.append(f"{STOPPED} stopped")
    return f"{'; '.join(told)}. {_ENDS.get(name, '')}".rstrip()


def _schemas(name: str) -> str:
    """Link the schemas of a verb; an option that changes what is told has one of its own."""
    links = {
        value: f"[{file_name(value)}](json/{file_name(value)})"
        for value in VALUES
        if value == name or value.startswith(f"{name} --")
    }
    return ", ".join(
        link if value == name else f"with `{value.removeprefix(name).strip()}` {link}"
        for value, link in links.items()
    )


def _options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option)]


def _parameters(command: click.Command) -> str:
    return table(["", "value", "default", "what"], map(_parameter, command.params))


def _parameter(one: click.Parameter) -> list[str]:
    if isinstance(one, click.Option):
        words = one.help or ""
        default = _DEFAULT.search(words)
        return [
            code(*one.opts),
            "" if one.is_flag else _value(one),
            default[1] if default else _default(one),
            _DEFAULT.sub("", words),
        ]
    many = ", any number" if one.nargs < 0 else ""
    return [f"`{one.human_readable_name}`", _value(one) + many, "needed" * one.required, ""]


def _default(one: click.Option) -> str:
    if one.required:
        return "needed"
    return f"{one.default}" if one.show_default else ""


def _value(one: click.Parameter) -> str:
    """Say what value is taken."""
    kind = one.type
    if one.metavar:
        return f"`{one.metavar}`"
    if isinstance(kind, click.Choice):
        return code(*kind.choices)
    if isinstance(kind, click.Path):
        what = {(True, False): "file", (False, True): "folder"}
        named = what.get((kind.file_okay, kind.dir_okay), "file or folder")
        return f"{named} that is there" if kind.exists else named
    if isinstance(kind, click.IntRange):
        bounds = {"at least": kind.min, "at most": kind.max}
        told = [f"{words} {bound}" for words, bound in bounds.items() if bound is not None]
        return f"whole number, {', '.join(told)}"
    return "whole number" if kind is click.INT else "text"
