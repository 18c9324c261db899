"""What the API answers, as JSON Schema, from one line for each thing: `title place? clocks:[Clock] left_s:num`.

A name alone is a text; `:` gives another kind (int, num, bool, time, map, any, a list in brackets, a thing by its
name), `?` may be null, `~` before a name: it may be missing. Keys are only ever added, so more may come.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]
_KINDS: Final[dict[str, Schema]] = {
    "text": {"type": "string"},
    "int": {"type": "integer"},
    "num": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "map": {"type": "object"},
    "any": {},
}


def shape(line: str) -> Schema:
    """The JSON Schema of a line. Raises KeyError for a thing that has no line."""
    fields = [_field(word) for word in line.split()]
    return {
        "type": "object",
        "properties": {name: schema for name, schema, _ in fields},
        "required": [name for name, _, always in fields if always],
    }


def _field(word: str) -> tuple[str, Schema, bool]:
    name, _, kind = word.lstrip("~").partition(":")
    if name.endswith("?"):
        name, kind = name[:-1], "text?"
    return name, of(kind or "text"), not word.startswith("~")


def of(kind: str) -> Schema:
    """The schema of a kind: `int`, `time?`, `[Clock]`, `Clock?`."""
    if kind.endswith("?"):
        return {"anyOf": [of(kind[:-1]), {"type": "null"}]}
    if kind.startswith("["):
        return {"type": "array", "items": of(kind[1:-1])}
    if kind in _KINDS:
        return dict(_KINDS[kind])
    return {"$ref": f"#/components/schemas/{_known(kind)}"}


def _known(kind: str) -> str:
    LINES[kind]  # a name without a line is a slip of the pen
    return kind


REFUSAL: Final[Schema] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "一句话：哪里不对，怎么办"}},
    "example": {"error": "没有编号为 “2026-0999” 的事件。它可能已并入别的事件，请回到态势页查找。"},
}

_FACE: Final = (
    "id ref title place? grade grade_zh colour provisional:bool stage stage_zh kind? kind_zh? domain? domain_zh? "
    "event_type_zh? opened_at:time closed_at:time? merged_into? owner? reason signal_count:int acked:[Acked] holder? "
    "clocks:[Clock] snoozed:[Snoozed] proposals_waiting:int"
)
_HEAD: Final = (
    "id incident_id kind kind_zh title unit author author_name state state_zh version:int sha256 created_at:time "
    "submitted_at:time? approved_at:time? released_at:time? replaces? emergency? waiting:[map]"
)
_TASK: Final = (
    "id number:int incident_id? name unit? source basis:[text] must:bool party? evidence? evidence_zh? state "
    "state_zh due_at:time? late:bool created_at:time by done_at:time? done_by? result? unit_name"
)
_SIGNAL: Final = (
    "id:int at:time seen_at:time title body url? source source_name medium medium_zh sentiment sentiment_zh topic "
    "filed? kind? kind_zh? rumour:num rumoured:bool plans:[text] link_score:num? link_reason? copy_of:int? marks:map "
    "corrected:[Relabelled]"
)
_REFERRAL: Final = (
    "id way way_zh neighbour neighbour_name purpose purpose_zh state state_zh waits:bool incident_id? title "
    "their_ref? their_url? at:time by reason sha256 delivered_at:time? decided_at:time? decided_by? decision? "
    "receipt? taken:[text] answered_at:time? progress:map? progress_at:time?"
)
_COUNTS: Final = "kept:int late:int broken:int open:int dropped:int"

LINES: Final[dict[str, str]] = {
    "Span": "key name since:time received:int opened:int on_time:int late:int ack_s:num?",
    "Numbers": "at:time spans:[Span]",
    "Sum": "key name total:int met:int late:int on_time:num? incidents:int",
    "Trends": (
        "from:time to:time at:time step step_zh unit grade units:[text] whole:Sum stretches:[Sum] by_unit:[Sum] "
        "by_grade:[Sum]"
    ),
    "Reach": "words at:any ok:bool? why",
    "Wishes": (
        "person name now:time words channels:[map] urgencies:[map] quiet:map? longest_h:num contacts:[map] "
        "reach:Reach said"
    ),
    "Relabelled": "label label_zh was? was_zh now now_zh by at:time reason",
    "SignalSeen": _SIGNAL,
    "SignalWhole": f"{_SIGNAL} incident_id facts:map reasons:[text] versions:map judged_at:time labels:[map]",
    "Signals": "signals:[SignalSeen] total:int all:int below:int? choices:map wanted:map",
    "StoryLine": "at:time group group_zh kind kind_zh text actor reason ~seq:int ~signal:int",
    "Story": "lines:[StoryLine] before? groups:any show:[text]",
    "Alike": (
        "score:num reasons:[text] id ref title grade grade_zh colour provisional:bool closed:bool opened_at:time "
        "closed_at:time? owner? statements:int first_statement:map? met:int late:int breached:int "
        "waived:int took_s:num?"
    ),
    "Similar": "similar:[Alike] compared:int",
    "Labelled": "id said changed:int",
    "DutyShift": (
        "id since:time until:time over:bool people:[text] ladder:[map] counts:map handover:map? lines:[map] more:int "
        "notes:[map] signed:map?"
    ),
    "DutyLog": "day before after? now:time shifts:[DutyShift] ~said",
    "Acked": "person name at:time",
    "Snoozed": "person name until:time",
    "Step": "key due_at:time rung:int raised_at:time? late_by_s:num? skipped:bool",
    "NextStep": "key due_at:time rung:int ~role",
    "Clock": (
        "id key name state state_zh start_event start_event_zh started_at:time due_at:time left_s:num fraction:num "
        "basis:[text] evidence:[text] reason next_step:NextStep? steps:[Step] ended_at:time? met_at:time? "
        "ended_reason? evidence_url?"
    ),
    "Incident": _FACE,
    "Mine": f"{_FACE} waits:bool taken:bool asleep:bool told_at:time?",
    "GradePart": "part grade? reason",
    "Time": "event event_zh value:time by reason recorded_at:time",
    "TimelineEntry": "seq:int at:time kind kind_zh text actor reason incident_id? hash",
    "Signal": "id:int at:time title body url? source medium_zh link_score:num? link_reason?",
    "Evidence": "id kind kind_zh url? publisher published_at:time seen_at:time sha256",
    "Proposal": (
        "id incident_id kind kind_zh url? title publisher account? published_at:time seen_at:time sha256? score:num "
        "sure:bool reasons:[text] state state_zh decided_at:time? decided_by? decision?"
    ),
    "Alert": (
        "id at:time person name channel? ref incident_id? title step? state state_zh reason? attempts:int "
        "accepted_at:time? delivered_at:time? read_at:time?"
    ),
    "IncidentWhole": (
        f"{_FACE} grade_parts:[GradePart] facts:[map] times:[Time] timeline:[TimelineEntry] signals_list:[Signal] "
        "evidence:[map] proposals:[Proposal] alerts:[Alert]"
    ),
    "CoverageItem": "name label state last_good_at:time? detail mend",
    "Coverage": "ok:bool items:[CoverageItem]",
    "Arrival": (
        "at:time title medium_zh source source_name sentiment? sentiment_zh? incident_id? incident_ref? flagged:bool"
    ),
    "Arrivals": "total:int today:int last:[Arrival]",
    "Counts": "open:int unacked:int breached:int at_risk:int met:int met_late:int",
    "Board": (
        "now:time site speed:num revision:int incidents:[Incident] recent_alerts:[Alert] coverage:Coverage "
        "signals:Arrivals counts:Counts"
    ),
    "Incidents": "incidents:[Incident] next?",
    "Proposals": "proposals:[Proposal]",
    "Person": "id name unit? role_zh? rung:int?",
    "MinePage": "person:Person incidents:[Mine]",
    "Source": (
        "id name kind url? state error? last_good_at:time? every_s:num? every? due_at:time? lag_s:num? "
        "failing_since:time? errors:int last_new_at:time? usual? gaps:int last_gap_at:time? "
        "signals:int dead_letters:int"
    ),
    "Rung": "rung:int role_zh people:[map]",
    "Roster": "ladder:[Rung]",
    "HandoverOne": (
        "id rung:int role_zh at:time from:[map] to:[map] note? accepted_at:time? accepted_by? waiting:bool "
        "summary:map"
    ),
    "Handover": "at:time waiting:[text] handovers:[HandoverOne]",
    "AuditEntry": "seq:int at:time code kind actor actor_id incident_id? text reason hash",
    "Code": "code zh",
    "Named": "id name",
    "Choice": "value zh",
    "Audit": (
        "entries:[AuditEntry] next:int? looked_to:int? total:int head ok:bool? verified_at:time? asked:map "
        "kinds:[Code] actors:[Named]"
    ),
    "SignedIn": "id:int at:time account? name method method_zh ok:bool why why_zh address agent",
    "SignIns": "signins:[SignedIn] next:int? accounts:bool asked:map",
    "Referral": _REFERRAL,
    "ReferralWhole": f"{_REFERRAL} now:time parcel:map ~said",
    "Lower": (
        "id name url silent:bool heard_at:time? age_s:num? grades:map open:int? unacked:int? clocks:map nearest:[map] "
        "coverage:map? journal:map? version?"
    ),
    "Line": "id name relation relation_zh url tries:int why? next_at:time? last_good_at:time?",
    "Levels": "now:time id? own:map rows:[Lower] neighbours:[Line] referrals:[Referral]",
    "Letter": (
        "id:int source source_name place? reason raw row:map columns:map at:time state state_zh settled_at:time? "
        "settled_by? note?"
    ),
    "LetterSource": "id name waiting:int",
    "Letters": "sources:[LetterSource] letters:[Letter] more:bool",
    "Said": "said",
    "Tally": "rule_id name total:int met:int met_late:int breached:int waived:int on_time:num?",
    "AssessedUnit": (
        "unit name clocks:[Tally] work:[Tally] parts:[map] score:num? rank:int? deductions:[any] "
        "bonuses:[any]"
    ),
    "Assessment": (
        "from:any to:any at:time profile head entries:int weights:[map] units:[AssessedUnit] totals:map triggers:[map] "
        "registers:[map]"
    ),
    "RegisterEntry": (
        "id page kind kind_zh title unit? happened_at:time due_at:time? done_at:time? cancelled_at:time? state "
        "state_zh late:bool result? incident? details:map words:[text]"
    ),
    "Registers": "at:time kind kind_zh kinds:[map] counters:[map] entries:[RegisterEntry] form:map unfiled:[map]",
    "Reports": "site now:time kinds:[map] incidents:[map]",
    "Report": "kind data:map",
    "Task": _TASK,
    "TaskGroup": "unit late:int tasks:[Task]",
    "Tasks": "now:time unit units:[text] late:int total:int groups:[TaskGroup]",
    "Work": (
        "id ref title closed:bool merged_into? now:time stage:map parties:map proposal:map tasks:[Task] "
        "notifications:[map] missing:[text] units:[Named] referrals:[Referral] neighbours:[map]"
    ),
    "Playbook": "id name version ~trigger? live:bool shipped:bool waiting:int clocks:[map]",
    "PlaybookWhole": (
        "id name version live:bool shipped:bool waiting:int clocks:[map] review:bool source source_zh "
        "given:map versions:[map] held:[map]"
    ),
    "PlaybookTried": "ok:bool problems:[map] lines:[map] silent:[text]",
    "PlaybookDone": "said id playbook",
    "Aftermath": (
        "incident ref title closed_at:time? times:[map] late:[map] lessons:[map] look_backs:[map] tasks:[map] "
        "causes:[Choice]"
    ),
    "Dossier": (
        "id incident_id state state_zh sha256 posts:int authors personal:bool files:[map] made_at:time "
        "made_by"
    ),
    "Dossiers": "incident_id now:time dossiers:[Dossier] receivers:[text] authors basis:[text]",
    "Meeting": (
        "id incident_id kind kind_zh state state_zh open:bool counts:bool place starts_at:time "
        "questions:[map] warnings:[text]"
    ),
    "Promise": "id incident_id words given_at:time due_at:time by state state_zh",
    "Kept": _COUNTS,
    "Meetings": (
        "incident_id now:time meetings:[Meeting] kinds:[map] limits:[map] principals:[Named] press_contacts:[text] "
        "principal_spoke:bool promises:[Promise] promised:Kept promised_everywhere:Kept"
    ),
    "Mood": "incident_id now:time signals:int negative:int curve:map? readings:[map]",
    "StatementHead": _HEAD,
    "Statements": "incident:IncidentWhole statements:[StatementHead] wordings:[map] given:map",
    "Statement": (
        f"{_HEAD} text html disclosure? outlets:[text] incident:IncidentWhole findings:[map] chain:[map] "
        "versions:[map] releases:[map]"
    ),
}
"""Every thing that the API answers with, by its name in the OpenAPI."""

_ROOM: Final = "/api/v1/incidents/{incident_id}"
_ANSWERED: Final = {
    "get /api/v1/board": "Board",
    "get /api/v1/numbers": "Numbers",
    "get /api/v1/trends": "Trends",
    "get /api/v1/people/{person}/preferences": "Wishes",
    "post /api/v1/people/{person}/preferences": "Wishes",
    "post /api/v1/people/{person}/tests/{number}": "Wishes",
    "get /api/v1/incidents": "Incidents",
    "post /api/v1/incidents": "IncidentWhole",
    f"get {_ROOM}": "IncidentWhole",
    f"post {_ROOM}/acts/{{name}}": "IncidentWhole",
    f"post {_ROOM}/evidence": "IncidentWhole",
    "get /api/v1/proposals": "Proposals",
    "get /api/v1/mine/{person_id}": "MinePage",
    "get /api/v1/people": "[Person]",
    "get /api/v1/sources": "[Source]",
    "get /api/v1/coverage": "Coverage",
    "get /api/v1/roster": "Roster",
    "get /api/v1/handover": "Handover",
    "get /api/v1/handover/log": "DutyLog",
    "post /api/v1/handover/log/acts/{name}": "DutyLog",
    "post /api/v1/handover/{handover_id}/acts/{name}": "Handover",
    "get /api/v1/audit": "Audit",
    "get /api/v1/audit/signins": "SignIns",
    "get /api/v1/deadletters": "Letters",
    "get /api/v1/deadletters/{number}": "Letter",
    "post /api/v1/deadletters/replay": "Said",
    "post /api/v1/deadletters/{number}/acts/{name}": "Said",
    "get /api/v1/assessment": "Assessment",
    "get /api/v1/registers": "Registers",
    "get /api/v1/registers/{entry_id}": "RegisterEntry",
    "post /api/v1/registers": "RegisterEntry",
    "post /api/v1/registers/{entry_id}/acts/{name}": "RegisterEntry",
    "get /api/v1/reports": "Reports",
    "get /api/v1/reports/{kind}": "Report",
    "get /api/v1/tasks": "Tasks",
    "get /api/v1/levels": "Levels",
    "get /api/v1/levels/referrals/{referral_id}": "ReferralWhole",
    "post /api/v1/levels/referrals/{referral_id}/acts/{name}": "ReferralWhole",
    "post /api/v1/tasks/acts/{name}": "Tasks",
    "get /api/v1/playbooks": "[Playbook]",
    "get /api/v1/playbooks/{playbook_id}": "PlaybookWhole",
    "post /api/v1/playbooks/{playbook_id}/try": "PlaybookTried",
    "post /api/v1/playbooks/{playbook_id}/acts/{name}": "PlaybookDone",
    f"get {_ROOM}/work": "Work",
    f"post {_ROOM}/work/acts/{{name}}": "Work",
    f"get {_ROOM}/aftermath": "Aftermath",
    f"post {_ROOM}/aftermath/acts/{{name}}": "Aftermath",
    f"get {_ROOM}/dossiers": "Dossiers",
    f"post {_ROOM}/dossiers/acts/{{name}}": "Dossiers",
    f"get {_ROOM}/meetings": "Meetings",
    f"post {_ROOM}/meetings/acts/{{name}}": "Meetings",
    f"get {_ROOM}/mood": "Mood",
    f"get {_ROOM}/signals": "Signals",
    f"get {_ROOM}/signals/{{number}}": "SignalWhole",
    f"get {_ROOM}/story": "Story",
    f"get {_ROOM}/similar": "Similar",
    f"post {_ROOM}/labels": "Labelled",
    f"get {_ROOM}/statements": "Statements",
    f"post {_ROOM}/statements": "Statement",
    f"post {_ROOM}/wording": "Statements",
    "get /api/v1/statements/{statement_id}": "Statement",
    "post /api/v1/statements/{statement_id}/acts/{name}": "Statement",
}
"""Which thing each door answers with; files and doors that draw their own are not here."""

COMPONENTS: Final[dict[str, Schema]] = {name: shape(line) for name, line in LINES.items()}
ANSWERS: Final[dict[tuple[str, str], Schema]] = {
    (door.partition(" ")[0], door.partition(" ")[2]): of(kind) for door, kind in _ANSWERED.items()
}
