"""Requests that no SDK makes, signed by code of our own."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import secrets
import urllib.parse

VERSION = "2016-11-01"


def now(offset_s=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def joined(pairs):
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)


def v1(method="POST", secret="testsecret", leave_out=(), **parameters):
    """The query of a request with signature version 1."""
    common = {
        "Version": VERSION,
        "Format": "JSON",
        "AccessKeyId": "testid",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": secrets.token_hex(16),
        "Timestamp": now(),
    }
    pairs = {name: value for name, value in {**common, **parameters}.items() if name not in leave_out}
    to_sign = f"{method}&%2F&{urllib.parse.quote(joined(sorted(pairs.items())), safe='-_.~')}"
    digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    return joined([*pairs.items(), ("Signature", base64.b64encode(digest).decode())])


def v3(host, action, query="", body=b"", **replaced):
    """The headers of a request with signature version 3."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": now(),
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-version": VERSION,
    }
    headers.update({name.replace("_", "-"): value for name, value in replaced.items()})
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(b"testsecret", to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={names},Signature={signature}"
    return {**headers, "Authorization": authorization}


def send(endpoint, method="POST", query="", headers=None, body=b""):
    """Status and JSON of the answer."""
    connection = http.client.HTTPConnection(endpoint, timeout=30)
    connection.request(method, f"/?{query}" if query else "/", body=body, headers=headers or {})
    return answer(connection)


def promise(endpoint, length):
    """The connection of a request that says so many bytes, and sends one of them."""
    connection = http.client.HTTPConnection(endpoint, timeout=60)
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(length)}
    connection.request("POST", "/?Format=JSON", body=b"x", headers=headers)
    return connection


def answer(connection):
    """Status and JSON of the answer."""
    try:
        response = connection.getresponse()
        text = response.read()
        assert response.getheader("content-type") == "application/json;charset=utf-8", (response.headers, text)
        return response.status, json.loads(text)
    finally:
        connection.close()
