"""阶段: which moves the five stages allow, who may make them, and what each stage leaves behind.

收集、会商、研判、回应、评估: 黔财办〔2017〕14号 (七)2 (S-002), 国办发〔2016〕80号 (N-010). The table below, the
rungs and the short cut of an emergency are proposals: no document gives them.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.core.casework import ProductKind
from models.core.vocabulary import Stage

RULE = "黔财办〔2017〕14号 (七)2 [S-002]"
ORDER = (Stage.COLLECT, Stage.CONSULT, Stage.ASSESS, Stage.RESPOND, Stage.EVALUATE)
PRODUCT = {
    Stage.COLLECT: ProductKind.COLLECTED,
    Stage.CONSULT: ProductKind.MINUTES,
    Stage.ASSESS: ProductKind.ASSESSMENT,
    Stage.EVALUATE: ProductKind.EVALUATION,
}
"""What a stage leaves behind; that of 回应 is what was published."""
NEXT = {
    Stage.COLLECT: (Stage.CONSULT, Stage.ASSESS),
    Stage.CONSULT: (Stage.ASSESS,),
    Stage.ASSESS: (Stage.RESPOND,),
    Stage.RESPOND: (Stage.EVALUATE,),
    Stage.EVALUATE: (),
}
"""The moves forward. What concerns one department alone needs no consultation."""
LEAST_RUNG = {
    Stage.COLLECT: 1,
    Stage.CONSULT: 1,
    Stage.ASSESS: 1,
    Stage.RESPOND: 2,
    Stage.EVALUATE: 2,
}
"""From which rung of the ladder on one may move an incident into the stage; back always from the second."""
BACK_RUNG = 2


@dataclass(frozen=True, slots=True)
class Move:
    """A wish to move. `rung` is the mover's highest (0: none), `top` the ladder's; `urgent`: grade I or II;
    `made`: the products there are; `answered`: something is published, or nothing asks for it any more."""

    here: Stage
    to: Stage
    rung: int
    top: int
    reason: str
    urgent: bool = False
    made: frozenset[ProductKind] = frozenset()
    answered: bool = False

    @property
    def back(self) -> bool:
        return ORDER.index(self.to) < ORDER.index(self.here)


def forbidden(move: Move) -> str:
    """Why the move may not be made and what to do instead; "" when it may."""
    if Stage.CLOSED in (move.to, move.here):
        return "办结和重开不是换阶段；请用“办结”(close)或“重开”(reopen)"
    if move.to is move.here:
        return f"本事件已在{move.here.zh}阶段；无须再换"
    return _lacks_reason(move) or _lacks_rank(move) or _out_of_order(move) or _lacks_product(move)


def _lacks_reason(move: Move) -> str:
    return "" if move.reason.strip() else "换阶段须写明理由(--reason)"


def _lacks_rank(move: Move) -> str:
    wanted = min(BACK_RUNG if move.back else LEAST_RUNG[move.to], max(move.top, 1))
    if move.rung >= wanted:
        return ""
    what = "退回" if move.back else "转入"
    return f"{what}{move.to.zh}须由值班阶梯第 {wanted} 级以上的人决定；请由带班领导操作"


def _out_of_order(move: Move) -> str:
    """Back to any stage; forward by the table; in an emergency straight to the answer."""
    rushed = move.urgent and move.to is Stage.RESPOND
    if move.back or rushed or move.to in NEXT[move.here]:
        return ""
    legal = "、".join(stage.zh for stage in NEXT[move.here]) or "办结"
    return f"{move.here.zh}之后是{legal}，不能直接到{move.to.zh}({RULE})；特别重大、重大事件可直接转入回应"


def _lacks_product(move: Move) -> str:
    """A stage is left forward with its product; an emergency answers first and writes later."""
    if move.back or (move.urgent and move.to is Stage.RESPOND):
        return ""
    if move.here is Stage.RESPOND:
        return (
            ""
            if move.answered
            else f"还没有公开发布，不能转入评估({RULE})；请先登记凭据(stop)，或免除时钟(waive)"
        )
    wanted = PRODUCT[move.here]
    if wanted in move.made:
        return ""
    return f"{move.here.zh}阶段还没有{wanted.zh}({RULE})；请在换阶段时写上(--text)"


def owed(here: Stage, made: frozenset[ProductKind]) -> tuple[ProductKind, ...]:
    """The products of the stages gone through that nobody has written yet, in their order."""
    past = ORDER if here is Stage.CLOSED else ORDER[: ORDER.index(here)]
    return tuple(PRODUCT[stage] for stage in past if stage in PRODUCT and PRODUCT[stage] not in made)
