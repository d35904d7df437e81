"""The official clients, each behind one function: call an action, tell the outcome."""

import dataclasses
import importlib
import json
import logging
import pathlib
import re
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

from alibabacloud_live20161101 import models
from alibabacloud_live20161101.client import Client as LiveClient
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
from aliyunsdkcore.client import AcsClient
from darabonba.exceptions import DaraException

logging.getLogger("aliyunsdkcore").setLevel(logging.CRITICAL)

KEY = ("testid", "testsecret")


@dataclasses.dataclass
class Outcome:
    """`code` is `OK` for a success; `status` is None if the client does not tell the HTTP status."""

    code: str
    status: int | None
    body: dict


def nested(flat):
    """Parameters in the form of the typed models: `RecordFormat.2.Format` becomes a list of objects."""
    lists, plain = {}, {}
    for name, value in flat.items():
        parts = name.split(".")
        if len(parts) == 1:
            plain[name] = value
        elif len(parts) == 2:
            lists.setdefault(parts[0], {})[int(parts[1])] = value
        else:
            lists.setdefault(parts[0], {}).setdefault(int(parts[1]), {})[parts[2]] = value
    return plain | {name: [items[n] for n in sorted(items)] for name, items in lists.items()}


class Sdk:
    """PyPI alibabacloud-live20161101, by its typed requests and answers."""

    def __init__(self, endpoint, algorithm):
        self.name = "sdk-v1" if algorithm else "sdk-v3"
        self.endpoint, self.algorithm = endpoint, algorithm

    def call(self, action, parameters, key=KEY):
        client = LiveClient(
            Config(
                access_key_id=key[0],
                access_key_secret=key[1],
                endpoint=self.endpoint,
                protocol="http",
                region_id="cn-shanghai",
                signature_algorithm=self.algorithm,
            )
        )
        request = getattr(models, action + "Request")().from_map(nested(parameters))
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        try:
            return Outcome("OK", 200, getattr(client, method)(request).body.to_map())
        except DaraException as error:
            return Outcome(error.code, getattr(error, "status_code", None), {"Message": error.message})


class Core:
    """PyPI aliyun-python-sdk-core with aliyun-python-sdk-live."""

    def __init__(self, endpoint, accept):
        self.name = f"core-{accept.lower()}"
        self.endpoint, self.accept = endpoint, accept

    def call(self, action, parameters, key=KEY):
        client = AcsClient(*key, "cn-shanghai")
        module = importlib.import_module(f"aliyunsdklive.request.v20161101.{action}Request")
        request = getattr(module, action + "Request")()
        request.set_endpoint(self.endpoint)
        for name, value in parameters.items():
            request.add_query_param(name, value)
        try:
            if self.accept == "JSON":
                return Outcome("OK", 200, json.loads(client.do_action_with_exception(request)))
            request.set_accept_format("XML")
            status, _, body, _ = client._implementation_of_do_action(request)
            return self.read_xml(action, status, body)
        except ServerException as error:
            # This client gives an error that it takes for a wrong secret a code of its own.
            code = {"InvalidAccessKeySecret": "SignatureDoesNotMatch"}.get(error.error_code, error.error_code)
            return Outcome(code, error.http_status, {"Message": error.message})
        except ClientException as error:
            return Outcome(error.error_code, None, {"Message": error.message})

    @staticmethod
    def read_xml(action, status, body):
        """XML answers, which the client hands over unparsed."""
        root = ElementTree.fromstring(body)
        if status == 200:
            assert root.tag == action + "Response", root.tag
            return Outcome("OK", 200, xml_fields(root))
        assert root.tag == "Error" and root.findtext("RequestId") and root.find("HostId") is not None, body
        return Outcome(root.findtext("Code"), status, {"Message": root.findtext("Message")})


#: Elements that are lists, even if they have one child or none.
LISTS = {
    "LiveAppRecord", "RecordFormat", "Templates", "RecordContentInfo", "RecordDeleteInfo", "LiveStreamOnlineInfo",
    "CallbackList", "StreamUrl",
}


def xml_fields(element, parent=""):
    """An element's children as a dictionary; the lists of the JSON form are lists here too."""
    if len(element) == 0 and element.tag not in ("CallbackList",):
        holds_list = element.tag.endswith(("List", "TranscodeTemplates", "OnlineInfo", "StreamUrls"))
        return element.text or ({} if holds_list else "")
    fields = {}
    for child in element:
        value = xml_fields(child, element.tag)
        is_list = child.tag in LISTS or (child.tag == "RecordIndexInfo" and element.tag == "RecordIndexInfoList")
        if is_list:
            fields.setdefault(child.tag, []).append(value)
        else:
            fields[child.tag] = value
    return fields


class Node:
    """The npm clients, in a process of their own that reads and writes one line of JSON for each call."""

    process = None
    lock = threading.Lock()

    def __init__(self, endpoint, client, how):
        self.name = f"{client}-{how.lower()}"
        self.endpoint, self.client, self.how = endpoint, client, how

    def call(self, action, parameters, key=KEY):
        with Node.lock:
            if Node.process is None:
                script = pathlib.Path(__file__).with_name("clients.js")
                Node.process = subprocess.Popen(
                    ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            task = {
                "client": self.client,
                "how": self.how,
                "endpoint": self.endpoint,
                "key": key,
                "action": action,
                "parameters": parameters,
            }
            print(json.dumps(task), file=Node.process.stdin, flush=True)
            answer = json.loads(Node.process.stdout.readline())
        return Outcome(answer["code"], answer.get("status"), answer["body"])


def all_clients(endpoint):
    """Every client, in each way that it can be used."""
    return [
        Sdk(endpoint, None),
        Sdk(endpoint, "v2"),
        Core(endpoint, "JSON"),
        Core(endpoint, "XML"),
        Node(endpoint, "pop", "GET"),
        Node(endpoint, "pop", "POST"),
        Node(endpoint, "noa", "query"),
        Node(endpoint, "noa", "body"),
    ]
