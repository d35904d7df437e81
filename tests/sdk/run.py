#!/usr/bin/env python3
"""Installs the official clients, starts a recorder unless one is named, and drives it."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VARIABLES = {
    "SPIN_VARIABLE_ACCESS_KEYS": "testid:testsecret,sdkreader:readersecret:ro,"
    "sdklimited:limitedsecret:domain=limited.example.com,sdkoff:offsecret:off",
    "SPIN_VARIABLE_PRIVATE_CALLBACKS": "false",
}


def install(cache):
    """Makes a virtual environment and a folder of node modules, again whenever the pinned versions change."""
    wanted = (HERE / "requirements.txt").read_text() + (HERE / "package.json").read_text()
    stamp = cache / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the official clients into", cache, flush=True)
        stamp.unlink(missing_ok=True)
        venv.create(cache / "venv", with_pip=True, clear=True)
        pip = [cache / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        (cache / "package.json").write_text((HERE / "package.json").read_text())
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=cache, check=True)
        stamp.write_text(wanted)
    return cache / "venv/bin/python"


def start(binary, manifest, data):
    """Starts a recorder on free ports; answers the process and its three URLs."""
    command = [binary, "up", "--manifest", manifest, "--data", data]
    for part in ("--listen", "--rtmp", "--bucket"):
        command += [part, "127.0.0.1:0"]
    for bucket in ("recordings", "other"):
        command += ["--create-bucket", bucket]
    recorder = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **VARIABLES}, stdout=subprocess.PIPE, text=True
    )
    for line in recorder.stdout:
        ready = re.match(r"ready functions=(\S+) rtmp=(\S+) bucket=(\S+)", line)
        if ready:
            return recorder, ready.groups()
    sys.exit(f"{binary} ended with {recorder.wait()} before it was ready")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", help="base URL of a running recorder")
    parser.add_argument("--bucket", help="base URL of its bucket server")
    parser.add_argument("--rtmp", help="base URL of its gateway")
    parser.add_argument("--binary", default=ROOT / "target/native/live-recorder", help="the native binary")
    parser.add_argument("--manifest", default=ROOT / "spin.toml", help="the bundle to run")
    parser.add_argument("--cache", default=ROOT / "target/sdk", type=pathlib.Path, help="where clients are installed")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    cache = arguments.cache.resolve()
    python = install(cache)

    with tempfile.TemporaryDirectory() as data:
        recorder, urls = None, (arguments.functions, arguments.rtmp, arguments.bucket)
        if not arguments.functions:
            recorder, urls = start(arguments.binary, arguments.manifest, data)
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment |= {"NODE_PATH": str(cache / "node_modules"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            driver = [python, HERE / "drive.py", *urls, arguments.binary]
            return subprocess.run(driver, env=environment, check=False).returncode
        finally:
            if recorder:
                recorder.terminate()
                recorder.wait()


if __name__ == "__main__":
    sys.exit(main())
