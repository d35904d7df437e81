"""The calls that each client makes, and the answers that it must get."""

import datetime
import json
import subprocess
import time

KEY = "0123456789abcdef"


class Check:
    """Calls through one client, compares each outcome, and keeps count of the errors seen."""

    def __init__(self, client, provoked):
        self.client, self.provoked, self.calls = client, provoked, 0

    def __call__(self, action, parameters, expected="OK", status=None, key=None):
        given = {name: value for name, value in parameters.items() if value is not None}
        outcome = self.client.call(action, given, key) if key else self.client.call(action, given)
        self.calls += 1
        place = f"{self.client.name} {action} {given}"
        assert outcome.code == expected, f"{place}: {outcome}, expected {expected}"
        if expected == "OK":
            assert outcome.body["RequestId"], place
        else:
            self.provoked.add(expected)
            if outcome.status is not None:
                assert outcome.status == (status or 400), f"{place}: {outcome}, expected {status or 400}"
        return outcome.body


def keys(check, domain):
    """Which access keys may call what."""
    describe = {"DomainName": domain}
    for secret, code, status in [
        (("testid", "wrong"), "SignatureDoesNotMatch", 400),
        (("nobody", "x"), "InvalidAccessKeyId.NotFound", 404),
        (("sdkoff", "offsecret"), "InvalidAccessKeyId.Inactive", 400),
        (("sdklimited", "limitedsecret"), "Forbidden", 403),
    ]:
        check("DescribeLiveRecordConfig", describe, code, status, key=secret)
    check("DescribeLiveRecordConfig", describe, key=("sdkreader", "readersecret"))
    delete = {"DomainName": domain, "AppName": "live"}
    check("DeleteLiveAppRecordConfig", delete, "Forbidden", 403, key=("sdkreader", "readersecret"))
    limited = {"DomainName": "limited.example.com"}
    check("DescribeLiveRecordConfig", limited, key=("sdklimited", "limitedsecret"))


def rules(check, domain, bucket_endpoint):
    """Recording rules."""
    names = {"DomainName": domain, "AppName": "*"}
    bucket = {"OssBucket": "recordings", "OssEndpoint": bucket_endpoint}
    base = {**names, **bucket, "RecordFormat.1.Format": "m3u8"}
    add = lambda **more: {**base, **{name.replace("__", "."): value for name, value in more.items()}}
    full = add(
        StreamName="s 1~x'()!*",
        OnDemand=7,
        DelayTime=15,
        StartTime="2019-02-15T01:00:00Z",
        EndTime="2019-02-15T13:00:00Z",
        RecordFormat__1__CycleDuration=900,
        RecordFormat__1__SliceDuration=5,
        RecordFormat__1__OssObjectPrefix="r/{AppName}/{StreamName}/{Sequence}_{StartTime}_{EndTime}",
        RecordFormat__1__SliceOssObjectPrefix="r/{AppName}/{StreamName}/{UnixTimestamp}_{Sequence}",
        RecordFormat__2__Format="mp4",
        RecordFormat__2__CycleDuration=1800,
        TranscodeTemplates__1="lld",
        TranscodeTemplates__2="lsd",
    ) | {"AppName": "live"}
    check("AddLiveAppRecordConfig", base)
    check("AddLiveAppRecordConfig", full)
    check("AddLiveAppRecordConfig", base, "ConfigAlreadyExists")
    listed = check("DescribeLiveRecordConfig", {"DomainName": domain, "Order": "desc", "PageNum": 1, "PageSize": 5})
    assert (int(listed["TotalNum"]), int(listed["TotalPage"]), listed["Order"]) == (2, 1, "desc"), listed
    rule = next(rule for rule in listed["LiveAppRecordList"]["LiveAppRecord"] if rule["AppName"] == "live")
    assert rule["StreamName"] == "s 1~x'()!*" and rule["OssBucket"] == "recordings", rule
    assert (int(rule["OnDemond"]), int(rule["DelayTime"])) == (7, 15), rule
    assert (rule["StartTime"], rule["EndTime"]) == ("2019-02-15T01:00:00Z", "2019-02-15T13:00:00Z"), rule
    formats = rule["RecordFormatList"]["RecordFormat"]
    assert [(f["Format"], int(f["CycleDuration"])) for f in formats] == [("m3u8", 900), ("mp4", 1800)], rule
    assert formats[0]["SliceOssObjectPrefix"].endswith("{UnixTimestamp}_{Sequence}"), rule
    assert rule["TranscodeTemplates"]["Templates"] == ["lld", "lsd"], rule
    only = check("DescribeLiveRecordConfig", {"DomainName": domain, "AppName": "*", "StreamName": "*"})
    assert int(only["TotalNum"]) == 1, only

    for more, code in [
        ({"DomainName": None}, "MissingDomainName"),
        ({"AppName": None}, "MissingAppName"),
        ({"OssBucket": None}, "MissingOssBucket"),
        ({"OssEndpoint": None}, "MissingOssEndpoint"),
        ({"RecordFormat.1.Format": None}, "MissingRecordFormat"),
        ({"RecordFormat.2.CycleDuration": 900}, "MissingFormat"),
        ({"DomainName": "a/b"}, "InvalidDomainName.Malformed"),
        ({"AppName": "a//b"}, "InvalidAppName.Malformed"),
        ({"StreamName": ".."}, "InvalidStreamName.Malformed"),
        ({"OssBucket": "-"}, "InvalidOssBucket.Malformed"),
        ({"OssBucket": "absent"}, "InvalidOssBucket.NotFound"),
        ({"OssEndpoint": "http://a/b"}, "InvalidOssEndpoint.Malformed"),
        ({"OnDemand": 3}, "InvalidOnDemand.Malformed"),
        ({"DelayTime": 21601}, "InvalidDelayTime.Malformed"),
        ({"StartTime": "2017-12-22T08:00:00:00Z"}, "InvalidStartTime.Malformed"),
        ({"EndTime": "2017-12-22 08:00:00"}, "InvalidEndTime.Malformed"),
        ({"RecordFormat.1.Format": "avi"}, "InvalidFormat.Malformed"),
        ({"RecordFormat.1.CycleDuration": 21601}, "InvalidCycleDuration.Malformed"),
        ({"RecordFormat.1.SliceDuration": 4}, "InvalidSliceDuration.Malformed"),
        ({"RecordFormat.1.OssObjectPrefix": "x"}, "InvalidOssObjectPrefix.Malformed"),
        ({"RecordFormat.1.SliceOssObjectPrefix": "x"}, "InvalidSliceOssObjectPrefix.Malformed"),
        ({"TranscodeRecordFormat.1.Format": "avi"}, "InvalidFormat.Malformed"),
        ({f"RecordFormat.{n}.Format": "m3u8" for n in range(1, 5)}, "InvalidRecordFormat.Malformed"),
        ({f"TranscodeRecordFormat.{n}.Format": "mp4" for n in range(1, 5)}, "InvalidTranscodeRecordFormat.Malformed"),
        ({"TranscodeTemplates.1": "x" * 300}, "InvalidTranscodeTemplates.Malformed"),
    ]:
        check("AddLiveAppRecordConfig", {**base, **more}, code)
    if check.client.name not in ("pop-get", "pop-post", "noa-query", "noa-body"):
        # An empty value; these clients leave it out.
        check("AddLiveAppRecordConfig", {**base, "RecordFormat.1.OssObjectPrefix": ""}, "MissingOssObjectPrefix")
    for name, value in [("PageNum", "x"), ("PageSize", "x"), ("Order", "up")]:
        check("DescribeLiveRecordConfig", {"DomainName": domain, name: value}, f"Invalid{name}.Malformed")

    update = {**names, "OssEndpoint": bucket_endpoint}
    check("UpdateLiveAppRecordConfig", {**update, "DelayTime": 60, "RecordFormat.1.Format": "flv"})
    check("UpdateLiveAppRecordConfig", {**update, "AppName": "none"}, "InvalidConfig.NotFound", 404)
    changed = check("DescribeLiveRecordConfig", {"DomainName": domain, "AppName": "*"})
    changed = changed["LiveAppRecordList"]["LiveAppRecord"][0]
    assert int(changed["DelayTime"]) == 60, changed
    assert [f["Format"] for f in changed["RecordFormatList"]["RecordFormat"]] == ["flv"], changed
    check("DeleteLiveAppRecordConfig", {"DomainName": domain, "AppName": "live", "StreamName": "s 1~x'()!*"})
    check("DeleteLiveAppRecordConfig", names)
    check("DeleteLiveAppRecordConfig", names, "InvalidConfig.NotFound", 404)
    empty = check("DescribeLiveRecordConfig", {"DomainName": domain})
    assert int(empty["TotalNum"]) == 0, empty


def notify(check, domain):
    """Callback configuration."""
    name = {"DomainName": domain}
    url = {"NotifyUrl": "https://cb.example.com/a?b=c"}
    for action in ("Update", "Delete", "Describe"):
        more = url if action == "Update" else {}
        check(f"{action}LiveRecordNotifyConfig", {**name, **more}, "InvalidConfig.NotFound", 404)
    for more, code in [
        ({}, "MissingNotifyUrl"),
        ({"NotifyUrl": "ftp://cb"}, "InvalidNotifyUrl.Malformed"),
        ({"NotifyUrl": "http://127.0.0.1/"}, "InvalidNotifyUrl.Unsafe"),
        ({"OnDemandUrl": "cb"}, "InvalidOnDemandUrl.Malformed"),
        ({"OnDemandUrl": "http://10.0.0.1/"}, "InvalidOnDemandUrl.Unsafe"),
        ({**url, "NeedStatusNotify": "maybe"}, "InvalidNeedStatusNotify.Malformed"),
        ({**url, "NotifyReqAuth": "maybe"}, "InvalidNotifyReqAuth.Malformed"),
        ({**url, "NotifyReqAuth": True}, "MissingNotifyAuthKey"),
        ({**url, "NotifyAuthKey": "short"}, "InvalidNotifyAuthKey.Malformed"),
        ({**url, "NeedStatusNotify": True, "NotifyReqAuth": False}, "OK"),
        (url, "ConfigAlreadyExists"),
    ]:
        check("AddLiveRecordNotifyConfig", {**name, **more}, code)
    check("UpdateLiveRecordNotifyConfig", {**name, **url, "NotifyReqAuth": True, "NotifyAuthKey": KEY})
    config = check("DescribeLiveRecordNotifyConfig", name)["LiveRecordNotifyConfig"]
    assert config["NotifyUrl"] == url["NotifyUrl"] and config["NotifyAuthKey"] == KEY, config
    assert str(config["NotifyReqAuth"]).lower() == str(config["NeedStatusNotify"]).lower() == "true", config
    check("DeleteLiveRecordNotifyConfig", name)

    sent = {**name, "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-02T00:00:00Z"}
    sent |= {"PageNumber": 1, "PageSize": 20}
    assert int(check("DescribeLiveRecordNotifyRecords", sent)["TotalNum"]) == 0
    for more, code in [
        ({"StartTime": None}, "MissingStartTime"),
        ({"EndTime": None}, "MissingEndTime"),
        ({"EndTime": "2025-01-01T00:00:00Z"}, "InvalidEndTime.Mismatch"),
        ({"PageNumber": "x"}, "InvalidPageNumber.Malformed"),
        ({"Status": "x"}, "InvalidStatus.Malformed"),
        ({"StorageType": "x"}, "InvalidStorageType.Malformed"),
    ]:
        check("DescribeLiveRecordNotifyRecords", {**sent, **more}, code)


#: The fields of what is told of a record file, and of a status.
FILE_EVENT = {"domain", "app", "stream", "uri", "duration", "start_time", "stop_time"}
STATUS_EVENT = {"domain", "app", "stream", "event"}

#: What an entry of the list of callbacks has, of which clients that are older or newer know some alone.
RECORD = {
    "DomainName", "AppName", "StreamName", "StorageType", "NotifyType", "NotifyUrl", "NotifyTime", "NotifyHeader",
    "NotifyContent", "NotifyResponse", "NotifyResult", "Description",
}


def wants_events(check, domain):
    """Has the domain's events sent to a server that cannot be reached: what was sent is listed all the same."""
    url = f"http://cb.{domain}/events?token=1"
    check("AddLiveRecordNotifyConfig", {"DomainName": domain, "NotifyUrl": url, "NeedStatusNotify": True})
    return url


def records(check, domain, stream, url):
    """What was sent is listed, and each body has the reference's fields and no other."""
    ranged = {"DomainName": domain, "StreamName": stream, "StartTime": utc(-3600), "EndTime": utc(3600)}

    def sent(**more):
        found = check("DescribeLiveRecordNotifyRecords", {**ranged, "PageSize": 500, **more})
        assert int(found["PageNum"]) == 1 and str(found["Code"]) == "200" and found["Msg"] == "OK", found
        entries = found.get("CallbackList") or []
        assert len(entries) == int(found["TotalNum"]), found
        return entries

    def both_kinds():
        entries = sent()
        return entries if {"file_created", "record_started"} <= {entry["NotifyType"] for entry in entries} else None

    # One that fails has the receiver left alone until the next call, and what was not sent is not listed.
    for entry in until("an event of each kind", both_kinds, 180):
        assert set(entry) <= RECORD and {"NotifyType", "NotifyContent", "NotifyTime"} <= set(entry), entry
        named = {name: entry[name] for name in ("DomainName", "AppName", "StreamName", "NotifyUrl") if name in entry}
        expected = {"DomainName": domain, "AppName": "live", "StreamName": stream, "NotifyUrl": url}
        assert named.items() <= expected.items(), entry
        body = json.loads(entry["NotifyContent"])
        assert (body["domain"], body["app"], body["stream"]) == (domain, "live", stream), body
        if entry["NotifyType"] == "file_created":
            # The push has no arguments that begin with `callback_`; without any the field may be left out.
            assert set(body) - {"push_args"} == FILE_EVENT and not body.get("push_args"), body
            assert body["duration"] > 0 and body["start_time"] <= body["stop_time"] and body["uri"], body
        else:
            assert set(body) == STATUS_EVENT and body["event"] == entry["NotifyType"], body
        assert entry["NotifyResult"] == "failed" and entry["Description"].startswith("attempt "), entry
    assert sent(Status="success") == [] and sent(StorageType="vod") == [] and sent(AppName="other") == []
    assert sent(Status="failed", StorageType="oss", AppName="live")
    assert sent(StreamName="another") == []
    check("DeleteLiveRecordNotifyConfig", {"DomainName": domain})


def push(binary, rtmp, domain, stream, sample, fast=False):
    """A publisher, in the background."""
    url = f"{rtmp}/live/{stream}?vhost={domain}"
    command = [binary, "push", sample, url, *(["--fast"] if fast else [])]
    # Some are refused, as they should be.
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(what, condition, seconds=60):
    """Waits until something becomes true that the recorder does on its own."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.2)
    return found


def utc(offset_s):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def live_rule(check, domain, bucket, bucket_endpoint, on_demand):
    """Adds the rule for the stream that is pushed."""
    rule = {
        "DomainName": domain,
        "AppName": "live",
        "OssBucket": bucket,
        "OssEndpoint": bucket_endpoint,
        "OnDemand": on_demand,
        "DelayTime": 15,
        "RecordFormat.1.Format": "m3u8",
        "RecordFormat.1.SliceDuration": 5,
    }
    check("AddLiveAppRecordConfig", rule)


def command(check, domain, stream):
    """Records a live stream by commands."""
    names = {"DomainName": domain, "AppName": "live", "StreamName": stream}
    give = lambda what, *expected: check("RealTimeRecordCommand", {**names, "Command": what}, *expected)
    until("the push", lambda: check("DescribeLiveStreamState", names)["StreamState"] == "online")
    online = check("DescribeLiveStreamsOnlineList", {"DomainName": domain, "StreamName": stream, "QueryType": "strict"})
    info = online["OnlineInfo"]["LiveStreamOnlineInfo"]
    assert len(info) == 1 and info[0]["AppName"] == "live", online
    for name, value in [("QueryType", "x"), ("StreamType", "x"), ("OnlyStream", "x")]:
        check("DescribeLiveStreamsOnlineList", {"DomainName": domain, name: value}, f"Invalid{name}.Malformed")

    give("stop", "TaskNotStarted", 409)
    give("start")
    give("start", "TaskAlreadyStarted", 409)
    span = lambda: check("DescribeLiveStreamRecordContent", {**names, "StartTime": utc(-3600), "EndTime": utc(3600)})
    spans = lambda: span()["RecordContentInfoList"].get("RecordContentInfo") or []
    found = until("a slice", spans)[0]
    assert found["OssBucket"] == "recordings" and float(found["Duration"]) > 0, found
    give("restart")
    give("stop")
    give("cancel_delay")
    give("pause", "InvalidCommand.Malformed")
    check("RealTimeRecordCommand", {**names, "Command": None}, "MissingCommand")
    check("RealTimeRecordCommand", {**names, "StreamName": "none", "Command": "start"}, "InvalidStream.NotFound", 404)
    elsewhere = {**names, "DomainName": f"unknown.{domain}", "Command": "start"}
    check("RealTimeRecordCommand", elsewhere, "InvalidDomain.NotFound", 404)
    check("DescribeLiveStreamState", {**names, "StreamName": None}, "MissingStreamName")


def forbid(check, domain, stream, push_it):
    """Forbids a stream that is pushed, lets it be pushed again, and disconnects who does."""
    names = {"DomainName": domain, "AppName": "live", "StreamName": stream, "LiveStreamType": "publisher"}
    for more, code in [
        ({"LiveStreamType": None}, "MissingLiveStreamType"),
        ({"LiveStreamType": "player"}, "InvalidLiveStreamType.Malformed"),
        ({"Oneshot": "maybe"}, "InvalidOneshot.Malformed"),
        ({"ResumeTime": utc(-60)}, "InvalidResumeTime.Malformed"),
        ({"ResumeTime": "2030-01-01"}, "InvalidResumeTime.Malformed"),
    ]:
        check("ForbidLiveStream", {**names, **more}, code)
    blocked = lambda: check("DescribeLiveStreamsBlockList", {"DomainName": domain, "PageNum": 1, "PageSize": 3000})
    urls = lambda: blocked()["StreamUrls"].get("StreamUrl") or []
    state = lambda: check("DescribeLiveStreamState", {name: names[name] for name in list(names)[:3]})["StreamState"]

    def pushed_until(**how):
        publisher = push_it()
        try:
            until("the push", lambda: state() == "online")
            check("ForbidLiveStream", {**names, **how})
            # It would go on for half a minute. Two seconds are the rule; here many clients share a machine.
            assert publisher.wait(timeout=10) != 0
        finally:
            publisher.kill()
            publisher.wait()

    pushed_until(ResumeTime=utc(3600))
    assert urls() == [f"{domain}/live/{stream}"] and int(blocked()["TotalNum"]) == 1
    check("ForbidLiveStream", names, "ConfigAlreadyExists")
    assert push_it().wait(timeout=10) != 0
    check("ResumeLiveStream", {**names, "AppName": "*"})
    check("ResumeLiveStream", names)
    assert urls() == []
    until("the end of the push", lambda: state() == "offline")
    pushed_until(Oneshot="yes")
    assert urls() == []


def index(check, domain, stream, bucket_endpoint, s3):
    """Makes an M3U8 over the recorded slices."""
    names = {"DomainName": domain, "AppName": "live", "StreamName": stream}
    until("the end of the push", lambda: check("DescribeLiveStreamState", names)["StreamState"] == "offline")
    ranged = {**names, "StartTime": utc(-3600), "EndTime": utc(3600)}
    target = {"OssBucket": "recordings", "OssEndpoint": bucket_endpoint, "OssObject": "index/{AppName}/{StreamName}.m3u8"}
    create = {**ranged, **target, "EndTimeIncluded": True}
    made = check("CreateLiveStreamRecordIndexFiles", create)["RecordInfo"]
    assert made["OssObject"] == f"index/live/{stream}.m3u8" and float(made["Duration"]) > 0, made
    assert int(made["Width"]) > 0 and "Format" not in made, made
    assert check("CreateLiveStreamRecordIndexFiles", create)["RecordInfo"]["RecordId"] == made["RecordId"]
    playlist = s3.get_object(Bucket="recordings", Key=made["OssObject"])["Body"].read().decode()
    segments = [line for line in playlist.splitlines() if not line.startswith("#")]
    assert playlist.startswith("#EXTM3U") and playlist.rstrip().endswith("#EXT-X-ENDLIST") and segments, playlist
    for segment in segments:
        assert segment.startswith("../../"), segment
        body = s3.get_object(Bucket="recordings", Key=segment.removeprefix("../../"))["Body"].read()
        assert body[0] == 0x47 and len(body) % 188 == 0, segment
    other = check("CreateLiveStreamRecordIndexFiles", {**create, "OssBucket": "other"})["RecordInfo"]
    playlist = s3.get_object(Bucket="other", Key=other["OssObject"])["Body"].read().decode()
    assert "\nhttp://" in playlist, playlist

    one = check("DescribeLiveStreamRecordIndexFile", {**names, "RecordId": made["RecordId"]})["RecordIndexInfo"]
    assert one["Format"] == "m3u8" and one["RecordUrl"] == made["RecordUrl"], one
    check("DescribeLiveStreamRecordIndexFile", {**names, "RecordId": "none"}, "InvalidRecordId.NotFound", 404)
    check("DescribeLiveStreamRecordIndexFile", {**names, "RecordId": "x" * 200}, "InvalidRecordId.Malformed")
    listed = check("DescribeLiveStreamRecordIndexFiles", {**ranged, "PageSize": 5, "Order": "desc"})
    ids = [info["RecordId"] for info in listed["RecordIndexInfoList"]["RecordIndexInfo"]]
    assert made["RecordId"] in ids and other["RecordId"] in ids, listed

    for more, code, status in [
        ({"EndTime": utc(7200)}, "InvalidOssObject.AlreadyExists", 409),
        ({"OssObject": "/x.m3u8"}, "InvalidOssObject.Malformed", 400),
        ({"OssObject": None}, "MissingOssObject", 400),
        ({"OssBucket": "-"}, "InvalidOssBucket.Malformed", 400),
        ({"EndTimeIncluded": "maybe"}, "InvalidEndTimeIncluded.Malformed", 400),
        ({"EndTime": ranged["StartTime"]}, "InvalidEndTime.Mismatch", 400),
        ({"StartTime": "2020-01-01T00:00:00Z", "EndTime": "2020-01-02T00:00:00Z"}, "NoRecordContent", 400),
        ({"StreamName": "never-pushed"}, "InvalidStream.NotFound", 400),
    ]:
        check("CreateLiveStreamRecordIndexFiles", {**create, **more}, code, status)

    forget = {**names, "RecordId.1": made["RecordId"], "RecordId.2": "none"}
    check("DeleteLiveStreamRecordIndexFiles", {**forget, "RemoveFile": "true"}, "InvalidRemoveFile.NotSupported")
    check("DeleteLiveStreamRecordIndexFiles", {**forget, "RemoveFile": "maybe"}, "InvalidRemoveFile.Malformed")
    check("DeleteLiveStreamRecordIndexFiles", forget, "MissingRemoveFile")
    check("DeleteLiveStreamRecordIndexFiles", {**names, "RemoveFile": "false"}, "MissingRecordId")
    deleted = check("DeleteLiveStreamRecordIndexFiles", {**forget, "RemoveFile": "false"})
    messages = [info["Message"] for info in deleted["RecordDeleteInfoList"]["RecordDeleteInfo"]]
    assert messages == ["OK", "NotFound"], deleted
    check("DescribeLiveStreamRecordIndexFile", {**names, "RecordId": made["RecordId"]}, "InvalidRecordId.NotFound", 404)
    s3.head_object(Bucket="recordings", Key=made["OssObject"])
    return create
