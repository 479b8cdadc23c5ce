"""The command line, `python -m zoo`: everything the pages can do, without a browser.

Each command lives in a module of this package and is loaded only when it is called, so that `list` never
pays for torch. Whatever goes wrong is one line on standard error; the exit status is 2 where what was asked
is wrong, and 1 where it was asked rightly and failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import click

from zoo import __version__
from zoo.errors import InputError, UnknownIdError, ZooError


class _Entry(NamedTuple):
    module: str
    attribute: str
    summary: str


COMMANDS = {
    "list": _Entry("zoo.cli.catalog", "list_command", "The table's rows."),
    "show": _Entry("zoo.cli.catalog", "show", "Everything about one row."),
    "pick": _Entry("zoo.cli.catalog", "pick", "Which network to take under a budget, or for an accuracy."),
    "macs": _Entry("zoo.cli.complexity", "macs", "Count a network's MACs at any size."),
    "predict": _Entry("zoo.cli.prediction", "predict", "Masks of your own images."),
    "evaluate": _Entry("zoo.cli.evaluation", "evaluate", "IoU on your own labelled images."),
    "report": _Entry("zoo.cli.report", "report", "A decision as one page to send."),
    "export": _Entry("zoo.cli.export", "export", "A network as an .onnx file that names its classes."),
    "quantize": _Entry("zoo.cli.quantization", "quantize", "A network in 8 bits, calibrated on your images."),
    "weights": _Entry("zoo.cli.prediction", "weights", "Which weights are here; download more."),
    "bench": _Entry("zoo.cli.bench", "bench", "Milliseconds on this machine, of rows and .onnx files."),
    "chips": _Entry("zoo.cli.latency", "chips", "Milliseconds that others measured on chips."),
    "cache": _Entry("zoo.cli.prediction", "cache", "What downloads and exports take up; remove them."),
}


class _LazyGroup(click.Group):
    """A group that imports a command's module when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        entry = COMMANDS[cmd_name]
        return getattr(import_module(entry.module), entry.attribute)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise _unknown_command(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def _unknown_command(name: str) -> UnknownIdError:
    from zoo.words import unknown_name

    return unknown_name("command", name, COMMANDS, "See all with: python -m zoo --help")


@click.group(
    cls=_LazyGroup, invoke_without_command=True, epilog="Each command has its own --help, with examples."
)
@click.version_option(__version__, prog_name="zoo", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Choose a semantic segmentation network under a compute budget."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (from `sys.argv` if None) and return its exit status."""
    try:
        status = cli.main(arguments, prog_name="python -m zoo", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _complain(error, 2)
    except ZooError as error:
        return _complain(error, 1)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped.", 1)
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has enough: nothing to complain of, but not all was told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _complain(f"{error.filename or 'writing'}: {error.strerror or error}.", 1)
    except Exception as error:
        if os.environ.get("ZOO_TRACEBACK"):
            raise
        where = "set ZOO_TRACEBACK=1 to see where"
        return _complain(f"unexpected {type(error).__name__}, a fault of ours ({where}): {error}", 1)
    return status if isinstance(status, int) else 0


def _complain(error: object, status: int) -> int:
    click.echo(f"zoo: {' '.join(str(error).split())}", err=True)
    return status


def run() -> None:
    """The console script `segselect`: the command line, then its exit status."""
    sys.exit(main())
