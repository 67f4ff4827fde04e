# SPDX-License-Identifier: Apache-2.0
"""control_workload.py CA URL-FILE TOKEN...: administrators who work at once, while somebody kills the server.

Each has a thread, and does random things; whatever the server does not answer is tried no further, since nobody knows
what became of it. Says `ready` when all work; a line on its input ends it. Then it looks whether what was answered
stands, and prints what does not, one JSON object.
"""

import collections
import json
import random
import sys
import threading
import time

import requests

ca, url_file, tokens = sys.argv[1], sys.argv[2], sys.argv[3:]
over = threading.Event()
lock = threading.Lock()
made, asked, troubles = {}, [], []
counts = collections.Counter()


class Lost(Exception):
    pass


def ask(session, method, path, token, body=None):
    """The answer; Lost when there was none."""
    try:
        with open(url_file) as file:
            url = file.read()
        answer = session.request(
            method, url + path, json=body, headers={"Authorization": "Bearer " + token}, timeout=30, verify=ca
        )
    except requests.RequestException:
        raise Lost()
    if answer.status_code == 503:
        raise Lost()
    return answer


def work(number, token):
    session, chance = requests.Session(), random.Random(number)
    while not over.is_set():
        what = chance.choice(["key", "key", "switch", "delete", "delete", "delete", "grant", "user", "read"])
        with lock:
            names = list(made)[-12:]
        name = chance.choice(names) if names else None
        try:
            if what == "key" or name is None:
                name = f"key-{number}-{chance.getrandbits(60)}"
                body = {
                    "name": name, "key_type": "pgp", "expire_at": "2040-01-01T00:00:00Z",
                    "attributes": {"key_type": "eddsa", "email": "a@example.org"},
                }
                answer = ask(session, "POST", "/api/v1/keys/", token, body)
                if answer.status_code == 201:
                    with lock:
                        made[name] = answer.json()
            elif what == "switch":
                action = chance.choice(["enable", "disable"])
                answer = ask(session, "POST", f"/api/v1/keys/{name}/actions/{action}", token)
            elif what == "delete":
                answer = ask(session, "POST", f"/api/v1/keys/{name}/actions/request_delete", token)
            elif what == "grant":
                body = {"clients": "uri:signet://client/a", "keys": [name], "kinds": ["rpm"]}
                answer = ask(session, "POST", "/api/v1/grants", token, body)
            elif what == "user":
                email = f"u{chance.getrandbits(60)}@example.org"
                answer = ask(session, "POST", "/api/v1/users", token, {"email": email, "role": "viewer"})
            else:
                answer = ask(session, "GET", "/api/v1/keys/?page_size=50", token)
        except Lost:
            counts["lost"] += 1
            time.sleep(0.01)
            continue
        counts[answer.status_code // 100] += 1
        if answer.status_code >= 500:
            with lock:
                troubles.append(f"{what}: {answer.status_code} {answer.text[:300]}")


def pages(session, path):
    found, number = [], 1
    while True:
        answer = ask(session, "GET", f"{path}page_size=1000&page_number={number}", tokens[0])
        if answer.status_code != 200:
            troubles.append(f"{path}: {answer.status_code} {answer.text[:300]}")
            return found
        found += answer.json()["data"]
        if len(answer.json()["data"]) < 1000:
            return found
        number += 1


def audit(session):
    found = []
    while True:
        after = found[-1]["sequence"] if found else 0
        part = ask(session, "GET", f"/api/v1/audit?limit=1000&after={after}", tokens[0]).json()["data"]
        found += part
        if len(part) < 1000:
            return found


def look():
    session = requests.Session()
    entries = audit(session)
    keys = {key["id"]: key for key in pages(session, "/api/v1/keys/?")}
    for state in ("deleted", "destroyed"):
        keys |= {key["id"]: key for key in pages(session, f"/api/v1/keys/?state={state}&")}
    generated = collections.Counter(entry["subject"] for entry in entries if entry["action"] == "key-generate")
    for name, key in made.items():
        kept = keys.get(key["id"])
        if kept is None or kept["fingerprint"] != key["fingerprint"] or kept["name"] != name:
            troubles.append(f"the key {name} is lost")
    for key in keys:
        if generated[key] != 1:
            troubles.append(f"the key {key} was generated {generated[key]} times")
    # Each voice is counted once, and what was done had voices enough.
    given = collections.Counter(
        (entry["subject"], entry["actor"]) for entry in entries if entry["action"] == "approval-give"
    )
    deleted = {entry["subject"] for entry in entries if entry["action"] == "key-delete"}
    approvals = pages(session, "/api/v1/approvals?")
    for request in approvals:
        voices = request["approved_by"]
        if len(set(voices)) != len(voices) or request["user_email"] in voices:
            troubles.append(f"the request {request['id']} counts somebody twice: {voices}")
        if request["state"] == "done" and len(voices) < request["needed"]:
            troubles.append(f"the request {request['id']} is done by {voices}")
        key = keys.get(request["key"], {})
        if (request["state"] == "done") != (key.get("key_state") in ("deleted", "destroyed")):
            troubles.append(f"the request {request['id']} is {request['state']}, its key {key.get('key_state')}")
        if request["state"] == "done" and request["key"] not in deleted:
            troubles.append(f"the audit knows nothing of the end of {request['key']}")
    for voice, count in given.items():
        if count != 1:
            troubles.append(f"{voice} is {count} times in the audit")
    done = sum(request["state"] == "done" for request in approvals)
    return {"keys": len(made), "done": done, "open": len(approvals) - done, "entries": len(entries)}


threads = [threading.Thread(target=work, args=pair) for pair in enumerate(tokens)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
over.set()
for thread in threads:
    thread.join()
report = look()
counts = {str(name): count for name, count in counts.items()}
print(json.dumps({"troubles": troubles[:20], "counts": counts, **report}), flush=True)
