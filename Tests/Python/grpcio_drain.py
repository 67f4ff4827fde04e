# SPDX-License-Identifier: Apache-2.0
"""Calls the echo service from many threads, unary and bidi, until it is told that it is enough; prints what failed."""
import sys
import threading
import time

import grpc

options = [("grpc.lb_policy_name", "round_robin")]
channel = grpc.insecure_channel(sys.argv[1], options)
grpc.channel_ready_future(channel).result(20)
same = lambda data: data
unary = channel.unary_unary("/test.Echo/Say", same, same)
talk = channel.stream_stream("/test.Echo/Talk", same, same)
enough = threading.Event()
failures = []


def say():
    number = 0
    while not enough.is_set():
        number += 1
        message = b"%d" % number
        try:
            if unary(message, timeout=30, wait_for_ready=True) != message:
                failures.append("wrong answer")
        except grpc.RpcError as error:
            failures.append(f"unary: {error.code()} {error.details()}")


def chat():
    while not enough.is_set():
        sent = [b"%d" % n for n in range(20)]

        def slowly():
            for message in sent:
                time.sleep(0.005)
                yield message

        try:
            if list(talk(slowly(), timeout=30, wait_for_ready=True)) != sent:
                failures.append("wrong answers")
        except grpc.RpcError as error:
            failures.append(f"bidi: {error.code()} {error.details()}")


threads = [threading.Thread(target=work) for work in [say] * 4 + [chat] * 4]
for thread in threads:
    thread.start()
time.sleep(0.3)
print("ready", flush=True)
sys.stdin.readline()
time.sleep(0.2)
enough.set()
for thread in threads:
    thread.join()
print("; ".join(failures[:5]) or "OK", flush=True)
