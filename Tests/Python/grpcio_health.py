# SPDX-License-Identifier: Apache-2.0
"""Checks and watches health with grpcio-health-checking; prints each state as it comes."""
import sys
import threading

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

channel = grpc.insecure_channel(sys.argv[1])
stub = health_pb2_grpc.HealthStub(channel)
name = health_pb2.HealthCheckResponse.ServingStatus.Name


def check(service):
    try:
        return name(stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status)
    except grpc.RpcError as error:
        return error.code().name


print("check", check("test.Echo"), flush=True)
print("check", check("nobody"), flush=True)
watch = stub.Watch(health_pb2.HealthCheckRequest(service=sys.argv[2]), timeout=30)
for answer in watch:
    print("watch", name(answer.status), flush=True)
    if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
        watch.cancel()
        break
