"""`huiying`: one command for everything (the outside is described in docs/outside.md).

JSON goes to standard output, everything else to standard error; exit 0 = done, 1 = the answer is
"no", 2 = wrong usage. Heavy parts are imported by the commands that need them.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from flows.commands import (
    accounts,
    acting,
    archiving,
    assessment,
    authoring,
    backtesting,
    backups,
    booking,
    differing,
    dossiers,
    feeding,
    labelling,
    learning,
    lettering,
    levels,
    librarying,
    meetings,
    preferences,
    registers,
    rehearsing,
    replaying,
    reporting,
    seeing,
    serving,
    statements,
    subscribing,
    testing,
    watching,
    work,
)
from flows.processes import logs

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
    "export": subscribing.export,
    "reveal": lettering.reveal,
    "secret": lettering.secret,
    "triage": feeding.triage,
    "same": feeding.same,
    "open": acting.open_,
    "ack": acting.ack,
    "take": acting.take,
    "escalate": acting.escalate,
    "snooze": acting.snooze,
    "grade": acting.grade,
    "assign": acting.assign,
    "stop": acting.stop,
    "waive": acting.waive,
    "retract": acting.retract,
    "adopt": acting.adopt,
    "dismiss": acting.dismiss,
    "update": acting.update,
    "correct": acting.correct,
    "merge": acting.merge,
    "split": acting.split,
    "reopen": acting.reopen,
    "close": acting.close,
    "work": work.work,
    "stage": work.stage,
    "product": work.product,
    "claim": work.claim,
    "reject": work.reject,
    "transfer": work.transfer,
    "notify-receipt": work.notify_receipt,
    "refer": levels.refer,
    "accept": levels.accept,
    "return": levels.give_back,
    "levels": levels.levels,
    "move-playbook": booking.move_playbook,
    "handover": watching.handover,
    "dutylog": labelling.dutylog,
    "roster": watching.roster,
    "board": seeing.board,
    "show": seeing.show,
    "proposals": seeing.proposals,
    "similar": labelling.similar,
    "label": labelling.label,
    "mood": dossiers.mood,
    "report": reporting.report,
    "assess": assessment.assess,
    "aftermath": assessment.aftermath,
    "verify": seeing.verify,
    "doctor": seeing.doctor,
    "backup": backups.backup,
    "restore": backups.restore,
    "partition": archiving.partition,
    "lint": authoring.lint,
    "schema": authoring.schema,
    "simulate": rehearsing.simulate,
    "test": testing.test,
    "diff": differing.diff,
    "replay": replaying.replay,
    "library": librarying.library,
    "plans": backtesting.plans,
    "backtest": backtesting.backtest,
    "train": learning.train,
    "evaluate": learning.evaluate,
}

for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(accounts.account, name="account")
app.add_typer(backups.drill, name="drill")
app.add_typer(archiving.archive, name="archive")
app.add_typer(lettering.deadletters, name="deadletters")
app.add_typer(booking.playbook, name="playbook")
app.add_typer(registers.register, name="register")
app.add_typer(meetings.meeting, name="meeting")
app.add_typer(meetings.promise, name="promise")
app.add_typer(dossiers.dossier, name="dossier")
app.add_typer(work.task, name="task")
app.add_typer(levels.neighbour, name="neighbour")
app.add_typer(preferences.prefer, name="prefer")
app.add_typer(statements.statement, name="statement")


def main() -> None:
    logs.configure()
    app()


if __name__ == "__main__":
    main()
