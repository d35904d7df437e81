"""The bucket server, driven by an S3 client that we did not write: `buckets.py URL`."""

import concurrent.futures
import hashlib
import io
import sys
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

#: Names that stores have tripped over.
KEYS = ["a", "a/", "a/b", "a+b", "a b", "a%2Fb", "100%", "a&b<c>'\"", "直播/房间.ts", "😀", ".hidden", "a=b;c?d#e", "\\"]
KEYS += ["tab\there", "k" * 256, "é" * 512]

#: The least that a part has, but the last one.
PART = 5 << 20


def connect(url, **config):
    """A client with the defaults of the SDK, checksums included."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="testid",
        aws_secret_access_key="testsecret",
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **config),
    )


def refused(status, code, call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        found = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        assert found == (status, code), found
    else:
        raise AssertionError(f"{arguments} should be refused with {status} {code}")


def objects(s3, bucket):
    for key in KEYS:
        body = key.encode() * 3
        tag = hashlib.md5(body).hexdigest()
        put = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="video/mp2t", Metadata={"recorder": "x/1"})
        assert put["ETag"] == f'"{tag}"', put
        got = s3.get_object(Bucket=bucket, Key=key)
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (body, "video/mp2t", {"recorder": "x/1"})
        got = s3.get_object(Bucket=bucket, Key=key, Range="bytes=1-2")
        assert (got["Body"].read(), got["ContentRange"]) == (body[1:3], f"bytes 1-2/{len(body)}"), key
        copy = {"Bucket": bucket, "Key": key}
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=copy)
        assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"recorder": "x/1"}
        url = s3.generate_presigned_url("get_object", Params=copy)
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.read() == body, key
    s3.delete_object(Bucket=bucket, Key="copy")
    refused(404, "NoSuchKey", s3.get_object, Bucket=bucket, Key="absent")
    refused(404, "404", s3.head_object, Bucket=bucket, Key="absent")
    refused(404, "NoSuchBucket", s3.put_object, Bucket="absent", Key="a", Body=b"xyz")
    refused(412, "PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"xyz", IfNoneMatch="*")
    refused(412, "PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"xyz", IfMatch='"x"')


def lists(s3, bucket):
    expected = sorted(KEYS, key=str.encode)
    for operation in ("list_objects", "list_objects_v2"):
        for size in (1, 2, 3, 1000):
            pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
            found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            assert found == expected, (operation, size, found)
            pages = s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            )
            pages = list(pages)
            prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
            assert prefixes == ["a/", "直播/"], (operation, size, prefixes)
            found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            assert found == [key for key in expected if "/" not in key], (operation, size, found)


def uploads(s3, bucket):
    body = bytes(range(256)) * ((2 * PART + 4096) // 256)
    upload = {"Bucket": bucket, "Key": "up +load"}
    begun = s3.create_multipart_upload(**upload, Metadata={"recorder": "x/2"})
    id = begun["UploadId"]
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [id]
    s3.put_object(Bucket=bucket, Key="blo ck", Body=body)
    parts = {}
    for number in (3, 1):
        part = body[(number - 1) * PART : number * PART]
        parts[number] = s3.upload_part(**upload, UploadId=id, PartNumber=number, Body=part)["ETag"]
    source = {"Bucket": bucket, "Key": "blo ck"}
    copied = s3.upload_part_copy(
        **upload, UploadId=id, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={PART}-{2 * PART - 1}"
    )
    parts[2] = copied["CopyPartResult"]["ETag"]
    sizes = [part["Size"] for part in s3.list_parts(**upload, UploadId=id)["Parts"]]
    assert sizes == [PART, PART, len(body) - 2 * PART], sizes
    chosen = {"Parts": [{"PartNumber": number, "ETag": parts[number]} for number in (1, 2, 3)]}
    s3.complete_multipart_upload(**upload, UploadId=id, MultipartUpload=chosen, IfNoneMatch="*")
    got = s3.get_object(**upload)
    assert (got["Body"].read(), got["Metadata"]) == (body, {"recorder": "x/2"})
    refused(404, "NoSuchUpload", s3.complete_multipart_upload, **upload, UploadId=id, MultipartUpload=chosen)
    id = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, UploadId=id, PartNumber=1, Body=b"x")["ETag"]
    chosen = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    again = {**upload, "UploadId": id, "MultipartUpload": chosen, "IfNoneMatch": "*"}
    refused(412, "PreconditionFailed", s3.complete_multipart_upload, **again)
    s3.abort_multipart_upload(**upload, UploadId=id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    # What a client does by itself with a large file: parts at the same time, and ranges.
    s3.upload_fileobj(io.BytesIO(body * 3), bucket, "large")
    large = io.BytesIO()
    s3.download_fileobj(bucket, "large", large)
    assert large.getvalue() == body * 3


def races(s3, bucket):
    def create(number):
        try:
            s3.put_object(Bucket=bucket, Key="race", Body=str(number), IfNoneMatch="*")
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return "created"

    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        assert sorted(pool.map(create, range(8))) == ["PreconditionFailed"] * 7 + ["created"]


def check(url):
    s3, bucket = connect(url), "driven-by-boto3"
    s3.create_bucket(Bucket=bucket)
    objects(s3, bucket)
    lists(s3, bucket)
    uploads(s3, bucket)
    races(s3, bucket)
    refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    left = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in left]})
    assert sorted(entry["Key"] for entry in gone["Deleted"]) == sorted(left)
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in [found["Name"] for found in s3.list_buckets()["Buckets"]]


if __name__ == "__main__":
    check(sys.argv[1])
