"""Drives every client against a running recorder: `drive.py FUNCTIONS RTMP BUCKET BINARY`."""

import concurrent.futures
import http.client
import json
import pathlib
import re
import sys

import boto3
import botocore.config

import buckets
import clients
import raw
import scenario

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "tests/assets/sample.flv"

#: The Authorization headers of callers that the recorder does not know.
STRANGERS = (None, "Bearer wrong", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host,Signature=00")

#: Documented errors that a client cannot provoke: the recorder itself would have to fail.
NOT_PROVOKED = {"InternalError", "ServiceUnavailable"}


def wire(endpoint, provoked):
    """Requests that no SDK sends."""
    describe = {"Action": "DescribeLiveRecordConfig", "DomainName": "raw.example.com"}
    form = {"content-type": "application/x-www-form-urlencoded"}

    def expect(code, status, **request):
        answered, body = raw.send(endpoint, **request)
        assert (answered, body.get("Code")) == (status, code), (request, answered, body)
        provoked.add(code)

    once = raw.v1(**describe)
    assert raw.send(endpoint, query=once)[0] == 200
    expect("SignatureNonceUsed", 400, query=once)
    expect("InvalidTimeStamp.Expired", 400, query=raw.v1(**describe, Timestamp=raw.now(-960)))
    expect("InvalidTimeStamp.Expired", 400, query=raw.v1(**describe, Timestamp=raw.now(960)))
    expect("InvalidTimeStamp.Format", 400, query=raw.v1(**describe, Timestamp="2026-01-01"))
    expect("IncompleteSignature", 400, query=raw.v1(**describe, leave_out=["SignatureNonce"]))
    expect("IncompleteSignature", 400, query="Format=JSON&Action=DescribeLiveRecordConfig")
    expect("MissingAction", 400, query=raw.v1())
    expect("InvalidAction.NotFound", 404, query=raw.v1(Action="DescribeNothing"))
    expect("MissingVersion", 400, query=raw.v1(**describe, leave_out=["Version"]))
    expect("InvalidVersion", 404, query=raw.v1(**{**describe, "Version": "2014-05-26"}))
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        expect("UnsupportedHTTPMethod", 405, method=method, query=raw.v1(method, **describe))
    expect("UnsupportedContentType", 415, query="Format=JSON", headers={"content-type": "text/plain"}, body=b"x")
    expect("RequestEntityTooLarge", 413, query="Format=JSON", headers=form, body=b"x" * (1 << 20))
    # What is said to be too long is not waited for.
    for length in (1 << 20, 99_999_999_999, 1 << 63):
        answered, body = raw.answer(raw.promise(endpoint, length))
        assert (answered, body["Code"]) == (413, "RequestEntityTooLarge"), (length, answered, body)
    expect("InvalidParameter.Encoding", 400, query="Format=JSON&a=%zz")
    expect("InvalidParameter.Duplicate", 400, query=raw.v1(**describe) + "&DomainName=x")
    many = "&".join(f"RecordId.{n}=x" for n in range(10_000)).encode()
    expect("InvalidParameter.TooMany", 400, query="Format=JSON", headers=form, body=many)
    lists = {f"RecordId.{n}": "x" for n in range(1, 22)} | {"RemoveFile": "false"}
    names = {"DomainName": "d", "AppName": "a", "StreamName": "s"}
    query = raw.v1(Action="DeleteLiveStreamRecordIndexFiles", **names, **lists)
    expect("InvalidRecordId.Malformed", 400, query=query)
    empty = {"OssBucket": "recordings", "OssEndpoint": "x", "RecordFormat.1.Format": "m3u8"}
    empty |= {"RecordFormat.1.OssObjectPrefix": "", "Action": "AddLiveAppRecordConfig"}
    expect("MissingOssObjectPrefix", 400, query=raw.v1(**names, **empty))

    headers = raw.v3(endpoint, "DescribeLiveRecordConfig", "DomainName=d")
    assert raw.send(endpoint, query="DomainName=d", headers=headers)[0] == 200
    expect("SignatureNonceUsed", 400, query="DomainName=d", headers=headers)
    # The answer to a v3 request is always JSON, and its action is always the one in the header.
    odd = raw.v3(endpoint, "DescribeLiveRecordConfig", "Action=Nothing&DomainName=d&Format=XML")
    assert raw.send(endpoint, query="Format=XML&DomainName=d&Action=Nothing", headers=odd)[0] == 200
    changed = raw.v3(endpoint, "DescribeLiveRecordConfig", "DomainName=d")
    expect("SignatureDoesNotMatch", 400, query="DomainName=e", headers=changed)


def stalls(connection, provoked):
    """A body of which one byte came half a minute ago, and nothing since."""
    answered, body = raw.answer(connection)
    assert (answered, body["Code"]) == (408, "RequestTimeout"), (answered, body)
    assert "1 of 1000 bytes came" in body["Message"], body
    provoked.add(body["Code"])


def routes(endpoint):
    """No route of the bundle serves a caller that it does not know."""
    found = re.findall(r'^route = "(.+)"$', (ROOT / "spin.toml").read_text(), re.MULTILINE)
    assert "/" in found and len(found) >= 6, found
    for route in found:
        path = re.sub(r":\w+", "1", route).replace("/...", "/x")
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            for authorization in STRANGERS:
                headers = {"Authorization": authorization} if authorization else {}
                connection = http.client.HTTPConnection(endpoint, timeout=30)
                connection.request(method, path, body=b"", headers=headers)
                status = connection.getresponse().status
                connection.close()
                assert 400 <= status < 500, (method, path, authorization, status)


def crowd(endpoint, bucket):
    """Sixteen concurrent callers."""
    names = {"DomainName": "crowd.example.com", "AppName": "live"}
    rule = {**names, "OssBucket": "recordings", "OssEndpoint": bucket.removeprefix("http://")}
    rule |= {"RecordFormat.1.Format": "m3u8"}
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:

        def codes(queries):
            answers = pool.map(lambda query: raw.send(endpoint, query=query), queries)
            return sorted(body.get("Code", "OK") for _, body in answers)

        for _ in range(5):
            same = [raw.v1(Action="AddLiveAppRecordConfig", **rule) for _ in range(16)]
            assert codes(same) == ["ConfigAlreadyExists"] * 15 + ["OK"]
            gone = [raw.v1(Action="DeleteLiveAppRecordConfig", **names) for _ in range(16)]
            assert codes(gone) == ["InvalidConfig.NotFound"] * 15 + ["OK"]
        each = [raw.v1(Action="AddLiveAppRecordConfig", **rule, StreamName=f"s{n}") for n in range(16)]
        assert codes(each) == ["OK"] * 16
        replayed = raw.v1(Action="DescribeLiveRecordConfig", PageSize="30", **names)
        assert codes([replayed] * 16) == ["OK"] + ["SignatureNonceUsed"] * 15
    _, body = raw.send(endpoint, query=raw.v1(Action="DescribeLiveRecordConfig", PageSize="30", **names))
    assert body["TotalNum"] == 16, body


def every_client(endpoint, rtmp, bucket, binary, provoked):
    """Runs the whole scenario for all clients at the same time, each on a domain and a stream of its own."""
    bucket_endpoint = bucket.removeprefix("http://")
    s3 = boto3.client(
        "s3",
        endpoint_url=bucket,
        aws_access_key_id="testid",
        aws_secret_access_key="testsecret",
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )

    def one(client):
        check = scenario.Check(client, provoked)
        domain, stream = f"{client.name}.example.com", f"stream-{client.name}"
        scenario.keys(check, domain)
        scenario.rules(check, domain, bucket_endpoint)
        scenario.notify(check, domain)
        scenario.live_rule(check, domain, "recordings", bucket_endpoint, 7)
        url = scenario.wants_events(check, domain)
        publisher = scenario.push(binary, rtmp, domain, stream, SAMPLE)
        try:
            scenario.command(check, domain, stream)
        finally:
            publisher.kill()
            publisher.wait()
        scenario.records(check, domain, stream, url)
        forbidden = f"{stream}-forbidden"
        scenario.forbid(check, domain, forbidden, lambda: scenario.push(binary, rtmp, domain, forbidden, SAMPLE))
        create = scenario.index(check, domain, stream, bucket_endpoint, s3)
        return check, domain, stream, create

    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        outcomes = list(pool.map(one, clients.all_clients(endpoint)))
    for check, *_ in outcomes:
        print(f"{check.client.name}: {check.calls} calls as expected", flush=True)
    return bucket_endpoint, outcomes


def two_buckets(rtmp, binary, bucket_endpoint, outcome):
    """A range with slices in two buckets gets no index, and a stream without a rule takes no command."""
    check, domain, stream, create = outcome
    names = {"DomainName": domain, "AppName": "live", "StreamName": stream}
    check("DeleteLiveAppRecordConfig", {"DomainName": domain, "AppName": "live"})
    scenario.live_rule(check, domain, "other", bucket_endpoint, 0)
    publisher = scenario.push(binary, rtmp, domain, stream, SAMPLE, fast=True)
    assert publisher.wait() == 0

    def buckets():
        around = {"StartTime": scenario.utc(-3600), "EndTime": scenario.utc(3600)}
        spans = check("DescribeLiveStreamRecordContent", {**names, **around})
        return {span["OssBucket"] for span in spans["RecordContentInfoList"]["RecordContentInfo"]}

    scenario.until("a slice in the other bucket", lambda: buckets() == {"recordings", "other"})
    create = {**create, "OssObject": "changed.m3u8", "EndTime": scenario.utc(3600)}
    check("CreateLiveStreamRecordIndexFiles", create, "InvalidConfig.Changed")

    unruled = {"DomainName": domain, "AppName": "live", "StreamName": "unruled"}
    check("DeleteLiveAppRecordConfig", {"DomainName": domain, "AppName": "live"})
    publisher = scenario.push(binary, rtmp, domain, "unruled", SAMPLE)
    try:
        scenario.until("the push", lambda: check("DescribeLiveStreamState", unruled)["StreamState"] == "online")
        check("RealTimeRecordCommand", {**unruled, "Command": "start"}, "InvalidConfig.NotFound", 404)
    finally:
        publisher.kill()
        publisher.wait()


def documented():
    """Every error code of the OpenAPI description."""
    openapi = json.loads((ROOT / "docs/openapi.json").read_text())
    responses = [openapi["components"]["responses"]["Refused"]]
    for path in openapi["paths"].values():
        responses += path["post"]["responses"].values()
    return {code["Code"] for response in responses for code in response.get("x-codes", [])}


def main():
    functions, rtmp, bucket, binary = sys.argv[1:]
    endpoint = functions.removeprefix("http://")
    provoked = set()
    stalled = raw.promise(endpoint, 1_000)
    buckets.check(bucket)
    wire(endpoint, provoked)
    routes(endpoint)
    crowd(endpoint, bucket)
    bucket_endpoint, outcomes = every_client(endpoint, rtmp, bucket, binary, provoked)
    two_buckets(rtmp, binary, bucket_endpoint, outcomes[0])
    stalls(stalled, provoked)
    missed = documented() - provoked - NOT_PROVOKED
    assert not missed, f"documented errors that nothing provoked: {sorted(missed)}"
    unknown = provoked - documented()
    assert not unknown, f"errors that are not documented: {sorted(unknown)}"
    print(f"{len(provoked)} of {len(documented())} documented errors provoked, all but {sorted(NOT_PROVOKED)}")
    # Each client, and the parts beside them: buckets, wire, routes, crowd, two buckets, stalls, documented errors.
    print(f"{len(outcomes) + 7} passed, 0 failed", flush=True)


if __name__ == "__main__":
    main()
    clients.Node.process.terminate()
