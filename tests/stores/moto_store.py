#!/usr/bin/env python3
"""A store that we did not write: moto's S3, in path style, in one region.

    moto_store.py serve REGION BUCKET...   serves until it is killed; says `ready URL`, then a line for each request
    moto_store.py fetch URL REGION FOLDER  copies all objects into a folder for each bucket
"""

import pathlib
import sys
import threading
import xml.sax.saxutils

REFUSAL = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AuthorizationHeaderMalformed</Code>
<Message>The authorization header is malformed; the region '{told}' is wrong; expecting '{region}'</Message>
<Region>{region}</Region></Error>"""


class InRegion:
    """moto takes a signature for any region. As S3 does, this refuses all but one, and names it."""

    def __init__(self, application, region):
        self.application, self.region = application, region
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
        told = scope[2] if len(scope) > 2 else ""
        method, path = environ["REQUEST_METHOD"], environ["RAW_URI"].partition("?")[0]

        def say(status):
            # In one piece: requests are answered by many threads.
            with self.lock:
                sys.stdout.write(f"{method} {path} {status[:3]} {told or '-'}\n")
                sys.stdout.flush()

        if told != self.region:
            # The request is read to its end, or the answer may be lost with the connection.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = REFUSAL.format(told=xml.sax.saxutils.escape(told), region=self.region).encode()
            say("400")
            headers = [("content-type", "application/xml"), ("content-length", str(len(body)))]
            start_response("400 Bad Request", headers)
            return [] if method == "HEAD" else [body]

        if path.startswith("/replacing/"):
            # As some stores do, it replaces what is there whatever a create asks for.
            environ.pop("HTTP_IF_NONE_MATCH", None)

        def begin(status, headers, *rest):
            say(status)
            return start_response(status, headers, *rest)

        return self.application(environ, begin)


def connect(url, region):
    import boto3
    import botocore.config

    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="testid",
        aws_secret_access_key="testsecret",
        region_name=region,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


def serve(region, *buckets):
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, *_):
            pass

    application = InRegion(DomainDispatcherApplication(create_backend_app), region)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    s3 = connect(url, region)
    for bucket in buckets:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    print("ready", url, flush=True)
    threading.Event().wait()


def fetch(url, region, folder):
    s3 = connect(url, region)
    for bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                file = pathlib.Path(folder, bucket, entry["Key"])
                file.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, entry["Key"], str(file))


if __name__ == "__main__":
    {"serve": serve, "fetch": fetch}[sys.argv[1]](*sys.argv[2:])
