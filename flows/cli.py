"""`huiying`: one command for everything (the outside is described in docs/outside.md).

JSON goes to standard output, everything else to standard error; exit 0 = done, 1 = the answer is
"no", 2 = wrong usage. Heavy parts are imported by the commands that need them.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from flows.commands import acting, authoring, feeding, learning, replaying, seeing, serving

app = typer.Typer(
    name="huiying",
    help="回应: 政务舆情的回应时钟。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, Callable[..., None]] = {
    "run": serving.run,
    "console": serving.console,
    "worker": serving.worker,
    "serve": serving.serve,
    "init": authoring.init,
    "import": feeding.import_,
    "triage": feeding.triage,
    "same": feeding.same,
    "open": acting.open_,
    "ack": acting.ack,
    "grade": acting.grade,
    "assign": acting.assign,
    "stop": acting.stop,
    "waive": acting.waive,
    "update": acting.update,
    "correct": acting.correct,
    "merge": acting.merge,
    "split": acting.split,
    "reopen": acting.reopen,
    "close": acting.close,
    "board": seeing.board,
    "show": seeing.show,
    "verify": seeing.verify,
    "doctor": seeing.doctor,
    "lint": authoring.lint,
    "schema": authoring.schema,
    "simulate": authoring.simulate,
    "replay": replaying.replay,
    "train": learning.train,
    "evaluate": learning.evaluate,
}

for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
