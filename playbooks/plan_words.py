"""The words of a plan's `match`: 自来水 NEAR/8 (异味 OR 发黄) NOT 招聘 → a rule.

    either := both ("OR" both)*        both := one (["AND"] "NOT" one | "AND" one)*
    one := "NOT" one | near            near := group ("NEAR" ["/" number] group)*
    group := ["title:" | "body:"] (word | "quoted words" | "(" either ")")

Operators stand alone and in capitals; 与 或 非 do as well. A word ends at a blank or a bracket.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from models.core.plans import NEAR, All, AnyOf, Near, Not, Rule, Where, Word
from models.core.text import canonical

MAX_DEPTH: Final = 20
MAX_NEAR: Final = 200
_TOKEN: Final = re.compile(
    r"""[\s\u3000]*(?:
    (?P<open>[(（]) | (?P<close>[)）]) | (?P<field>(?:title|body|标题|正文)[:：])
    | "(?P<quoted>[^"]*)" | “(?P<curly>[^”]*)” | (?P<word>[^\s\u3000()（）"“”]+)
    )""",
    re.VERBOSE,
)
_FIELDS: Final[dict[str, Where]] = {"title": "title", "标题": "title", "body": "body", "正文": "body"}
_OPERATORS: Final = {"AND": "AND", "OR": "OR", "NOT": "NOT", "与": "AND", "或": "OR", "非": "NOT"}
_NEAR: Final = re.compile(r"NEAR(?:/(\d{1,4}))?")
_END: Final = "end"


class PlanSyntax(Exception):
    """The expression cannot be read: at which character (from 0), why, and what to do."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.hint = at, message, hint


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def rule_of(text: str) -> Rule:
    """The rule that an expression means, its words canonical. Raises PlanSyntax."""
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while match := _TOKEN.match(text, at):
        kind = match.lastgroup or ""
        found.append(_token(kind, match[kind], match.start(kind)))
        at = match.end()
    if text[at:].strip():
        raise PlanSyntax(len(text) - len(text[at:].lstrip()), "引号没有闭合", "补上结尾的引号")
    return [*found, _Token(_END, "", len(text))]


def _token(kind: str, text: str, at: int) -> _Token:
    if kind == "word" and text in _OPERATORS:
        return _Token(_OPERATORS[text], text, at)
    if kind == "word" and _NEAR.fullmatch(text):
        return _Token("NEAR", text, at)
    if kind == "word" and (text.upper() in _OPERATORS or _NEAR.fullmatch(text.upper())):
        raise PlanSyntax(at, f"“{text}” 像是运算符", f"运算符用大写 {text.upper()}；要找这个词就加引号")
    return _Token("word" if kind in ("quoted", "curly") else kind, text, at)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Rule:
        rule = self._either()
        if self._peek().kind != _END:
            raise self._wrong("多出右括号" if self._peek().kind == "close" else "这里接不上")
        return rule

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _wrong(self, why: str, hint: str = "两个词之间写 AND、OR、NOT 或 NEAR/10") -> PlanSyntax:
        token = self._peek()
        shown = f"，这里是 “{token.text[:20]}”" if token.text else "，表达式到这里就结束了"
        return PlanSyntax(token.at, why + shown, hint)

    def _either(self) -> Rule:
        parts = [self._both()]
        while self._peek().kind == "OR":
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self) -> Rule:
        parts = [self._one()]
        while self._peek().kind in ("AND", "NOT"):
            if self._peek().kind == "AND":
                self._take()
            parts.append(self._one())
        if self._peek().kind in ("word", "open", "field"):
            raise self._wrong("两个词之间缺少运算符")
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Rule:
        if self._peek().kind == "NOT":
            self._take()
            return Not(self._deeper(self._one))
        return self._near()

    def _near(self) -> Rule:
        at = self._peek().at
        parts, within = [self._group()], 0
        while self._peek().kind == "NEAR":
            within = max(within, self._distance(self._take()))
            parts.append(self._group())
        return parts[0] if len(parts) == 1 else _near(parts, within, at)

    def _distance(self, token: _Token) -> int:
        number = token.text.partition("/")[2]
        within = int(number) if number else NEAR
        if within > MAX_NEAR:
            raise PlanSyntax(token.at, f"NEAR 最多隔 {MAX_NEAR} 个字", f"写 NEAR/{NEAR}")
        return within

    def _group(self) -> Rule:
        token = self._peek()
        if token.kind == "field":
            self._take()
            return _within(self._group(), _FIELDS[token.text[:-1]])
        if token.kind == "open":
            self._take()
            rule = self._deeper(self._either)
            if self._peek().kind != "close":
                raise self._wrong("括号没有闭合", "补上 )")
            self._take()
            return rule
        if token.kind == "word":
            self._take()
            return Word(canonical(token.text))
        raise self._wrong("这里缺少一个词")

    def _deeper(self, inner: Callable[[], Rule]) -> Rule:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"括号嵌套超过 {MAX_DEPTH} 层", "拆成几个方案")
        rule = inner()
        self._depth -= 1
        return rule


def _within(rule: Rule, where: Where) -> Rule:
    """The same rule, read in one field only."""
    match rule:
        case Word() | Near():
            return replace(rule, where=where)
        case Not():
            return Not(_within(rule.part, where))
        case All() | AnyOf():
            return replace(rule, parts=tuple(_within(part, where) for part in rule.parts))


def _near(parts: list[Rule], within: int, at: int) -> Near:
    groups: list[tuple[str, ...]] = []
    wheres: set[Where] = set()
    for part in parts:
        words = part.parts if isinstance(part, AnyOf) else (part,)
        plain = [word for word in words if isinstance(word, Word)]
        if len(plain) != len(words):
            raise PlanSyntax(
                at, "NEAR 两边只能是词，或用 OR 连起来的词", "写成 自来水 NEAR/10 (异味 OR 发黄)"
            )
        groups.append(tuple(word.text for word in plain))
        wheres.update(word.where for word in plain)
    if len(wheres) > 1:
        raise PlanSyntax(at, "NEAR 两边要在同一处：都在标题，或都在正文", "写成 title:(自来水 NEAR/10 异味)")
    return Near(tuple(groups), within, wheres.pop())
