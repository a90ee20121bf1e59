"""``python -m gradcheck`` and the console script: runs a command and turns whatever happens into an exit status."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from gradcheck.errors import GradcheckError, UsageError

USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
COMPLETE = "_GRADCHECK_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0: all as expected; 1: at least one case not; 2: the run could not be set up; 130: interrupted; 141: whoever
    read the output went away.

    Parameters
    ----------
    arguments
        Command line without the program's name; by default that of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # Nothing that is imported is garbage: a tenth of the start is spent on looking. Runs of users' layers turn it
        # on again.
        gc.disable()
    _prepare_streams()
    try:
        status = _dispatch(given)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except OSError as error:
        # A full disk, say, met by the last flush.
        _forget_output()
        return _complain(UsageError(f"cannot write the output: {error.strerror or error}"))
    finally:
        if arguments is None:
            gc.freeze()  # the process ends, and need not look at every object again
    return status


def _dispatch(arguments: list[str]) -> int:
    import click  # so that even a Ctrl-C during start-up is met below

    from gradcheck.cli.group import COMMANDS
    from gradcheck.cli.messages import translate, write_internal

    debug = "--debug" in arguments
    try:
        return _invoke(arguments)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ngradcheck: interrupted\n")
        return INTERRUPTED
    except click.ClickException as error:
        command = next((word for word in arguments[:1] if word in COMMANDS), "")
        return _complain(translate(error, f"gradcheck {command}".rstrip()), debug=debug)
    except UsageError as error:
        return _complain(error, debug=debug)
    except GradcheckError as error:
        message, _, help_ = str(error).partition("\n  = help: ")
        return _complain(UsageError(message, help_), debug=debug)
    except OSError as error:
        if error.filename is None:
            raise
        return _complain(UsageError(f"cannot open {error.filename}: {error.strerror or error}"), debug=debug)
    except Exception as error:  # noqa: BLE001 -- a bug of our own must not look like a wrong gradient (status 1)
        if debug:
            _show_traceback()
        sys.stderr.write(write_internal(error) + "\n")
        return USAGE


def _invoke(arguments: list[str]) -> int:
    from gradcheck.cli.group import root

    if os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, "gradcheck", COMPLETE, os.environ[COMPLETE])
    # Not root.main(): it maps Ctrl-C, a broken pipe and every exception to 1, which here means a wrong gradient.
    with root.make_context("gradcheck", arguments) as context:
        status = root.invoke(context)
    return status if isinstance(status, int) else 0


def _complain(error: UsageError, *, debug: bool = False) -> int:
    from gradcheck.cli.messages import write_error
    from gradcheck.cli.screen import wants_color

    if debug:
        _show_traceback()
    sys.stderr.write(write_error(error, color=wants_color("auto", sys.stderr)) + "\n")
    return USAGE


def _show_traceback() -> None:
    import traceback

    from gradcheck.report.escape import disarm

    trace = getattr(sys.exc_info()[1], "trace", "")  # of what happened in the layer, perhaps in another process
    sys.stderr.write(disarm(f"{trace.rstrip()}\n\n" if trace else ""))
    sys.stderr.write(disarm(traceback.format_exc()))


def _prepare_streams() -> None:
    """Give closed streams somewhere to go, and let no character that an encoding lacks raise."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- open as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """Let the interpreter's own flush at exit go nowhere."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(main())
