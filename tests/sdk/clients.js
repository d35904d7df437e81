// The npm clients: each line of input is a task, each line of output its outcome.
'use strict';

const readline = require('readline');
const { RPCClient } = require('@alicloud/pop-core');
const OpenApi = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

async function pop({ endpoint, key, action, parameters, how }) {
  const client = new RPCClient({
    endpoint: `http://${endpoint}`,
    apiVersion: '2016-11-01',
    accessKeyId: key[0],
    accessKeySecret: key[1],
  });
  // Its own 3 s are short where much else runs.
  return client.request(action, parameters, { method: how, formatParams: false, timeout: 30_000 });
}

async function noa({ endpoint, key, action, parameters, how }) {
  const config = new OpenApi.Config({
    accessKeyId: key[0],
    accessKeySecret: key[1],
    endpoint,
    protocol: 'http',
  });
  const params = new OpenApi.Params({
    action,
    version: '2016-11-01',
    protocol: 'HTTP',
    pathname: '/',
    method: 'POST',
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  });
  const request = new OpenApi.OpenApiRequest(how === 'body' ? { body: parameters } : { query: parameters });
  const answer = await new OpenApi.default(config).callApi(params, request, new RuntimeOptions({}));
  return answer.body;
}

async function outcome(task) {
  try {
    return { code: 'OK', status: 200, body: await { pop, noa }[task.client](task) };
  } catch (error) {
    const status = error.statusCode || (error.data && error.data.statusCode);
    return { code: error.code || String(error), status, body: { Message: error.message } };
  }
}

const lines = readline.createInterface({ input: process.stdin });
let turn = Promise.resolve();
lines.on('line', (line) => {
  turn = turn.then(async () => {
    process.stdout.write(JSON.stringify(await outcome(JSON.parse(line))) + '\n');
  });
});
