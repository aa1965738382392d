"""The command line: `hourbit COMMAND`, or `hourbit` alone for the window. Commands live in app/commands."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import typer

from app.files import data_folder
from engine import trust
from engine.errors import UserError

DONE, FAILED, WRONG_USE = 0, 1, 2
INTERRUPTED = 130  # what typer makes of Ctrl+C
ROOMS = ("engine", "plugins", "resources")
USERS_OWN = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


def window(context: typer.Context) -> None:
    """Open the window where no command was given."""
    if context.invoked_subcommand is None:
        need_display()
        from app.main import run as open_window

        raise typer.Exit(open_window([]))


def need_display() -> None:
    """Raise UserError where no window can open; Qt itself would end the process with a core dump."""
    told = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in told):
        raise UserError("There is no display for the window; commands work without one, such as hourbit demo.")


def build() -> typer.Typer:
    """The command line with all its commands."""
    from app.commands import (
        ablate,
        agree,
        bench,
        convert,
        demo,
        doctor,
        evaluate,
        export,
        gradients,
        importing,
        model,
        models,
        new,
        predict,
        sheet,
        train,
    )

    cli = typer.Typer(
        help="Find landmarks on faces and bodies, correct them, train with them. Alone, it opens the window.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.callback(invoke_without_command=True, epilog="Example: hourbit predict photos --overlay drawn")(window)
    looks, labels = (doctor, models, predict, evaluate, agree, bench, demo), (new, importing, export, convert)
    for module in (*looks, train, ablate, gradients, *labels):
        module.register(cli)
    cli.add_typer(model.cli, name="model")
    cli.add_typer(sheet.cli, name="sheet")
    return cli


def check_rooms(here: Path | None = None) -> None:
    """Make sure that all our packages come from one place; raises UserError where a stranger's has the name."""
    here = here or Path(__file__).resolve().parents[1]
    for room in ROOMS:
        found = import_module(room).__file__
        if found is None or Path(found).resolve().parents[1] != here:
            raise UserError(f"{found} takes the place of our {room!r}; install Hourbit in an environment of its own.")


def refuse_empty(arguments: list[str]) -> None:
    """Raise UserError for an empty argument, mostly a script's unset variable: as a path it would be this folder."""
    for argument in arguments:
        if not argument.strip() or (argument.startswith("--") and argument.endswith("=")):
            place = f"after {argument}" if argument.strip() else "among the words given"
            raise UserError(f"There is nothing {place}; perhaps a variable is not set.")


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        check_rooms()
        refuse_empty(arguments)
        trust.folder = data_folder() / "checked"
        code = build()(arguments, prog_name="hourbit", standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else DONE
    except typer.TyperException as error:
        print(f"{error.format_message().rstrip('.')}. See hourbit --help, or --help after a command.", file=sys.stderr)
        return WRONG_USE
    except UserError as error:
        print(str(error), file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}.", file=sys.stderr)
        return WRONG_USE if isinstance(error, USERS_OWN) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        print("Stopped.", file=sys.stderr)
        return FAILED


def main() -> int:
    """Entry point `hourbit`."""
    return run(sys.argv[1:])
