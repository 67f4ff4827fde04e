# SPDX-License-Identifier: Apache-2.0
"""rest_fuzz.py: asks a control-server what its OpenAPI document says may be asked, and what it says may not.

Reads {"url", "ca", "seed", "count", "tokens": {role: token}, "ids": {"users/{id}": [value]}, "bodies": {operation: [body]}}
from its input; writes {"requests", "operations", "statuses": {operation: {status: count}}, "failures": [text]}.
"""

import collections
import json
import random
import sys
import warnings

import hypothesis
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

warnings.simplefilter("ignore")
plan = json.load(sys.stdin)
chance = random.Random(plan["seed"])
session = requests.Session()
session.verify = plan["ca"]
document = session.get(plan["url"] + "/api-doc/openapi.json").json()
schema = schemathesis.openapi.from_dict(document)
judges = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
statuses = collections.defaultdict(collections.Counter)
failures = []
made = 0


def ask(case, mode, role, token):
    global made
    label = case.operation.label
    checked = judges
    # What was made wrong stays so; the caller's name is given here, whatever was made for it.
    if mode == GenerationMode.NEGATIVE:
        wrong = [place.value for place, part in case.meta.components.items() if part.mode == mode]
        if not set(wrong) & {"query", "body", "path"}:
            checked = judges[:-1]
    else:
        segments = case.operation.path.split("/")
        for name in case.path_parameters or {}:
            place = segments.index("{" + name + "}")
            known = plan["ids"].get("/".join(segments[place - 1 : place + 1]))
            if known and chance.random() < 0.7:
                case.path_parameters[name] = chance.choice(known)
        if chance.random() < 0.7:
            for name in ("If-Match", "If-None-Match"):
                case.headers.pop(name, None)
        bodies = plan["bodies"].get(label)
        if bodies and chance.random() < 0.5:
            made += 1
            case.body = json.loads(json.dumps(chance.choice(bodies)).replace("#", str(made)))
            case.media_type = "application/json"
    headers = {"Authorization": "Bearer " + token} if token else {}
    response = case.call(base_url=plan["url"], session=session, headers=headers, timeout=60, verify=plan["ca"])
    statuses[label][str(response.status_code)] += 1
    if response.status_code == 413:
        # Too large to be looked at, whatever it is.
        checked = [judge for judge in checked if judge is not checks.negative_data_rejection]
    try:
        case.validate_response(response, checks=checked)
    except BaseException as failure:  # a group of exceptions among them
        text = "\n".join(str(part) for part in getattr(failure, "exceptions", [failure]))
        failures.append(f"{role} {label} {case.query} {case.body!r:.300}: {text}"[:3000])


operations = [found.ok() for found in schema.get_all_operations()]
people = list(plan["tokens"].items()) + [("nobody", None)]
modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
each = -(-plan["count"] // (len(operations) * len(people) * 2))
# Those who change the least first: an administrator may shut others out.
people.sort(key=lambda person: person[0] == "administrator")


def turn(seed, each, modes_of):
    order = list(enumerate(operations))
    chance.shuffle(order)
    for role, token in people:
        for number, operation in order:
            for mode in modes_of(number + len(role)):
                try:
                    strategy = operation.as_strategy(generation_mode=mode)
                except Exception:
                    continue

                @hypothesis.seed(seed)
                @hypothesis.settings(
                    max_examples=each, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                    suppress_health_check=list(hypothesis.HealthCheck),
                )
                @hypothesis.given(strategy)
                def run(case):
                    ask(case, mode, role, token)

                try:
                    run()
                except hypothesis.errors.Unsatisfiable:
                    # Nothing can be wrong about what takes nothing.
                    pass


def done():
    return sum(sum(counts.values()) for counts in statuses.values())


if each > 1:
    seed = plan["seed"]
    # Again and again, in any order: what one asks for makes what another asks for possible.
    while done() < plan["count"]:
        turn(seed, 8, lambda _: modes)
        seed += 1
else:
    # A short run asks each of them for one thing, right or wrong.
    turn(plan["seed"], 1, lambda number: [modes[number % 2]])

json.dump(
    {
        "requests": done(),
        "operations": len(operations),
        "statuses": statuses,
        "failures": failures[:20],
        "failed": len(failures),
    },
    sys.stdout,
)
